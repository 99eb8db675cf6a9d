# make_artifacts DIR: tiny archives shaped like a release's, and DIR/release.yaml that pins them.
make_artifacts()
{
    local dir=$1 work plugin plugins="bridge host-local loopback portmap tuning"
    local servers="kube-apiserver kube-controller-manager kube-scheduler"
    local reproducible=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner)
    work=$(mktemp -d)
    mkdir -p "$dir/artifacts" "$work/kubernetes/node/bin" "$work/c/bin" "$work/cni" \
        "$work/kubernetes/server/bin" "$work/e/etcd"
    for f in kubectl kubelet kube-proxy kubeadm; do echo "$f" >"$work/kubernetes/node/bin/$f"; done
    for f in $servers; do echo "$f" >"$work/kubernetes/server/bin/$f"; done
    for f in etcd etcdctl; do echo "$f" >"$work/e/etcd/$f"; done
    for f in containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 ctr; do
        echo "$f" >"$work/c/bin/$f"
    done
    for plugin in $plugins; do echo "$plugin" >"$work/cni/$plugin"; done
    tar "${reproducible[@]}" -C "$work" -czf "$dir/artifacts/kubernetes-node.tar.gz" kubernetes/node
    tar "${reproducible[@]}" -C "$work" -czf "$dir/artifacts/kubernetes-server.tar.gz" kubernetes/server
    tar "${reproducible[@]}" -C "$work/e" -czf "$dir/artifacts/etcd.tar.gz" etcd
    tar "${reproducible[@]}" -C "$work/c" -czf "$dir/artifacts/containerd.tar.gz" bin
    tar "${reproducible[@]}" -C "$work/cni" -czf "$dir/artifacts/cni-plugins.tgz" .
    echo runc >"$dir/artifacts/runc.amd64"
    rm -rf "$work"
    {
        printf 'version: 1\nkubernetes: 1.21.0\nsandboxImage: k8s.gcr.io/pause:3.4.1\nartifacts:\n'
        artifact kubernetes 1.21.0 kubernetes-node.tar.gz
        for f in kubectl kubelet kube-proxy; do member "$f" "kubernetes/node/bin/$f"; done
        artifact kubernetes-server 1.21.0 kubernetes-server.tar.gz
        for f in $servers; do member "$f" "kubernetes/server/bin/$f"; done
        artifact etcd 3.4.15 etcd.tar.gz
        for f in etcd etcdctl; do member "$f" "etcd/$f"; done
        artifact containerd 1.4.4 containerd.tar.gz
        for f in containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 ctr; do
            member "$f" "bin/$f"
        done
        artifact cni-plugins 0.9.1 cni-plugins.tgz
        for plugin in $plugins; do member "cni-$plugin" "$plugin"; done
        artifact runc 1.0.0-rc93 runc.amd64
        printf '      - {name: runc, mode: 0755}\n'
    } >"$dir/release.yaml"
}

artifact()
{
    printf '  - component: %s\n    version: %s\n    file: %s\n    sha256: %s\n    take:\n' \
        "$1" "$2" "$3" "$(sha256sum <"$dir/artifacts/$3" | cut -d' ' -f1)"
}

member()
{
    printf '      - {name: %s, from: %s, mode: 0755}\n' "$1" "$2"
}
