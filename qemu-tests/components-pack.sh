# shellcheck shell=bash
# Programs become archives and a release file. The same programs give the same bytes. Runs in the
# folder that components-get.sh filled.

pack_mtime='1980-01-01 00:00:00Z'

pack_all() {
    local out=$1 version
    say "archives"
    pack_begin_release "$out"
    version=$(get_version kubernetes-client)
    pack_archive kubernetes-node "$version" kubernetes-node-linux-amd64.tar.gz kubernetes/node/bin \
        '' built/kubelet built/kube-proxy root/usr/bin/kubectl
    pack_archive kubernetes-server "$version" kubernetes-server-linux-amd64.tar.gz \
        kubernetes/server/bin kubelet,kube-proxy,kubectl built/* root/usr/bin/kubectl
    version=$(get_version etcd-server)
    pack_archive etcd "$version" "etcd-v$version-linux-amd64.tar.gz" "etcd-v$version-linux-amd64" '' \
        root/usr/bin/etcd root/usr/bin/etcdctl
    version=$(get_version containerd)
    pack_archive containerd "$version" "containerd-$version-linux-amd64.tar.gz" bin '' \
        root/usr/bin/{containerd,containerd-shim,containerd-shim-runc-v1,containerd-shim-runc-v2,ctr}
    version=$(get_version containernetworking-plugins)
    cni=cni- pack_archive cni-plugins "$version" "cni-plugins-linux-amd64-v$version.tgz" . '' \
        root/usr/lib/cni/*
    pack_program runc "$(get_version runc)" runc.amd64 root/usr/sbin/runc
    # For tests that need an image of it; no node has it as a file.
    install -m 0755 pause "$out/pause"
}

# pack_archive COMPONENT VERSION FILE FOLDER EXCEPT PROGRAM…: the programs in a folder of the
# archive; the release takes all of them but those that another archive gives already.
pack_archive() {
    local component=$1 version=$2 file=$3 folder=$4 except=$5 program name from
    shift 5
    rm -rf tree
    mkdir -p "tree/$folder"
    install -m 0755 -t "tree/$folder" "$@"
    tar --create --directory tree --sort=name --owner=root:0 --group=root:0 --numeric-owner \
        --format=gnu --mtime="$pack_mtime" "${folder%%/*}" | gzip --no-name >"$out/$file"
    pack_release_entry "$component" "$version" "$file"
    for program; do
        name=${program##*/}
        [[ ,$except, != *,$name,* ]] || continue
        from=$folder/$name
        pack_release_line "    - {name: ${cni:-}$name, from: ${from#./}, mode: 0755}"
    done
}

# pack_program COMPONENT VERSION FILE PROGRAM: the program itself is the artifact.
pack_program() {
    install -m 0755 "$4" "$out/$3"
    pack_release_entry "$1" "$2" "$3"
    pack_release_line "    - {name: $1, mode: 0755}"
}

pack_begin_release() {
    cat >"$1/release.yaml" <<YAML
# Made by qemu-tests/make-components out of Debian's packages.
version: 1
kubernetes: $(get_version kubernetes-client)
sandboxImage: $(pack_sandbox_image)
artifacts:
YAML
}

# The image that this version of kubelet runs by default.
pack_sandbox_image() {
    # shellcheck disable=SC2154 # components-get.sh's
    sed -n 's/^\s*defaultPodSandboxImageName *= *"\(.*\)"/\1/p
            s/^\s*defaultPodSandboxImageVersion *= *"\(.*\)"/:\1/p' \
        "$kubernetes_source/cmd/kubelet/app/options/container_runtime.go" | tr -d '\n'
}

pack_release_entry() {
    pack_release_line "- component: $1"
    pack_release_line "  version: $2"
    pack_release_line "  file: $3"
    pack_release_line "  sha256: $(sha256sum "$out/$3" | cut -d ' ' -f 1)"
    pack_release_line "  take:"
}

pack_release_line() { printf '  %s\n' "$1" >>"$out/release.yaml"; }
