#!/bin/bash
# A worker with cgroups v1 and containerd's first runtime, as Kubernetes The Hard Way configures it:
# kubelet runs a pod with it, in slices of systemd's. And the kernel's line outlives update-grub.
set -euo pipefail
wants=(worker-0)
export NB_ADDS='kernelArgs: [panic=10, console=ttyS1]
cgroups: v1
containerdRuntime: io.containerd.runtime.v1.linux'
. "$(dirname "$0")/../lib.sh"
. "$here/machine-checks.sh"

pause=k8s.gcr.io/pause:3.2
run() { vm_sh worker-0 "$1"; }

# make_image FILE: an archive with the image of the sandbox.
make_image() {
    local dir=$NB_RUN/image components id
    components=$("$here/make-components")
    mkdir "$dir"
    tar -C "$components" --numeric-owner --owner 0 --group 0 --mode 0755 -cf "$dir/layer.tar" pause
    id=$(sha256sum <"$dir/layer.tar" | cut -c 1-64)
    jq -n --arg id "sha256:$id" '{architecture: "amd64", os: "linux",
        config: {Entrypoint: ["/pause"]}, rootfs: {type: "layers", diff_ids: [$id]}}' \
        >"$dir/config.json"
    jq -n --arg tag "$pause" '[{Config: "config.json", RepoTags: [$tag], Layers: ["layer.tar"]}]' \
        >"$dir/manifest.json"
    tar -C "$dir" -cf "$1" manifest.json config.json layer.tar
}

make_image "$NB_RUN/image.tar"
metadata_start "$NB_IMAGES/cluster.yaml"
vm_create worker-0 "$(image_of worker-0)" 10.240.0.20
vm_start worker-0 -drive "if=virtio,format=raw,readonly=on,file=$NB_RUN/image.tar"
boots worker-0
diag "$(said worker-0)"

like "$(run 'cat /proc/cmdline')" ' ro console=tty0 console=ttyS0,115200 console=ttyS1 panic=10 systemd\.unified_cgroup_hierarchy=0 systemd\.legacy_systemd_cgroup_controller=1$' \
    "the kernel's line"
is "$(run 'stat -fc %T /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/systemd')" \
    $'tmpfs\ncgroupfs\ncgroupfs' "cgroups v1"
passes "containerd becomes active" becomes worker-0 120 active 'systemctl is-active containerd'
passes "kubelet becomes active" becomes worker-0 120 active 'systemctl is-active kubelet'
like "$(run 'containerd config dump')" 'systemd_cgroup = true' "containerd takes the configuration"
like "$(run 'cat /var/lib/kubelet/kubelet-config.yaml')" 'cgroupDriver: "?systemd' \
    "kubelet's driver is containerd's"

# A pod without the API server: from a file. Its container is the sandbox's own program.
passes "the image is imported" finds worker-0 60 "ctr -n k8s.io images import /dev/vdb"
run 'mkdir -p /etc/kubernetes/manifests
    cat >/etc/kubernetes/manifests/pause.yaml <<POD
apiVersion: v1
kind: Pod
metadata: {name: still}
spec:
  hostNetwork: true
  containers:
    - {name: still, image: '"$pause"', imagePullPolicy: Never}
POD
    echo "staticPodPath: /etc/kubernetes/manifests" >>/var/lib/kubelet/kubelet-config.yaml
    systemctl restart kubelet'
passes "a pod runs: sandbox and container" becomes worker-0 240 2 'pgrep -cx pause'
diag "$(run 'journalctl -u kubelet -u containerd --no-pager | grep -iE "error|fail" | tail -n 20')"
like "$(run 'ctr -n k8s.io containers list')" 'io\.containerd\.runtime\.v1\.linux' \
    "by the first runtime"
like "$(run 'pgrep -af containerd-shim')" 'containerd-shim -namespace k8s\.io .* -systemd-cgroup' "by the first shim"
like "$(run 'cat /proc/$(pgrep -nx pause)/cgroup')" \
    'memory:/kubepods\.slice/kubepods-besteffort\.slice/.*\.scope' "in a slice of systemd's"

before=$(run "grep -P '^\tlinux\t' /boot/grub/grub.cfg")
run 'update-grub 2>/dev/null'
is "$(run "grep -P '^\tlinux\t' /boot/grub/grub.cfg" | xargs -n 1)" "$(xargs -n 1 <<<"$before")" \
    "update-grub writes the same line"
passes "powers off" vm_poweroff worker-0
done_testing
