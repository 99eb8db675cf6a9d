#!/bin/sh
# Takes the node back to what it was before it joined: its services are off, its certificates, pods
# and lock are gone. Its next boot, or init.sh, makes it a node again. Its Node object in the cluster
# stays; who removes the node for good deletes that, too.
set -eu
root=${NODEBAKE_ROOT:-} # another one is for tests

if [ "$(id -u)" -ne 0 ] && [ -z "$root" ]; then
    echo "clean.sh: only root takes a node back" >&2
    exit 1
fi
# Without the stamp nothing says that it is a node, so that comes first. Put aside it still tells a copy
# of this disk that the host keys are another machine's.
stamp=$root/var/lib/nodebake/stamp
[ ! -e "$stamp" ] || mv -f "$stamp" "$stamp-before"
systemctl stop nodebake-bootstrap.service kubelet.service kube-proxy.service

# Pods' containers go on without the kubelet and without their runtime's service, so that has to end
# each. crictl may not be there; ctr comes with containerd.
case docker.service in
docker.service)
    containers() { docker ps -aq --filter label=io.kubernetes.pod.name; }
    remove() { docker rm -f "$1"; }
    leftovers() { :; }
    ;;
*)
    containers() { ctr --namespace k8s.io containers list --quiet; }
    remove() {
        # containerd may be quicker to forget a process that has ended.
        ctr --namespace k8s.io tasks delete --force "$1" || true
        ctr --namespace k8s.io containers delete "$1"
    }
    # Now and then a shim outlives the last container that it had; it hears no other signal. 1: none did.
    leftovers() { pkill -KILL -f 'containerd-shim[^ ]* -namespace k8s[.]io ' || [ $? -eq 1 ]; }
    ;;
esac
tries=0
until left=$(containers) && [ -z "$left" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 10 ]; then
        echo "clean.sh: containers of pods could not be removed; see to docker.service and run it again:" $left >&2
        exit 1
    fi
    for id in $left; do remove "$id" >/dev/null 2>&1 || true; done
    [ "$tries" -eq 1 ] || sleep "${NODEBAKE_PAUSE:-1}"
done
leftovers
# containerd keeps a pod's network as long as the pod: with it goes its end of the cable, and its address.
for namespace in "$root"/run/netns/cni-*; do
    [ -e "$namespace" ] || continue
    umount "$namespace" 2>/dev/null || true
    rm -f "$namespace"
done

# The next node has another network: containerd writes this file once only, and the bridge keeps its address.
rm -f "$root/srv/kubernetes/cni/net.d/10-containerd-net.conflist"
ip link delete cnio0 2>/dev/null || true

while read -r word name target path; do
    case $word in
    unit) rm -f "$root/etc/systemd/system/$target.wants/$name" ;;
    esac
done <"$root/usr/lib/nodebake/contract"
rm -f "$root/etc/systemd/system-preset/00-nodebake.preset"
rm -f "$root/srv/kubernetes/kubeconfig/kubelet.kubeconfig" "$root/srv/kubernetes/pki"/kubelet-* "$root/srv/kubernetes/pki"/kubelet.*
# What pods had mounted must not be removed with the folder.
sed -n "s:^[^ ]* \\($root/var/lib/kubelet/[^ ]*\\) .*:\\1:p" /proc/mounts | sort -r |
    while read -r mount; do umount "$mount"; done
find "$root/var/lib/kubelet" "$root/var/lib/cni" -mindepth 1 -xdev -delete
systemctl daemon-reload
