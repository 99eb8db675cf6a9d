#!/bin/bash
# worker-0's image on worker-0: finished by firstboot, runs containerd and kubelet; and its second
# boot changes nothing.
set -euo pipefail
wants=(worker-0 worker)
. "$(dirname "$0")/lib.sh"
. "$here/machine-checks.sh"

metadata_start "$NB_IMAGES/cluster.yaml"
vm_create worker-0 "$(image_of worker-0)" 10.240.0.20
vm_start worker-0
boots worker-0
diag "$(said worker-0)"
like "$(said worker-0)" '^nodebake: node worker-0 is ready: [^'$'\n'']*source gce[^'$'\n'']*$' \
    "firstboot says in one line that the node is ready"

# run SCRIPT: in the worker.
run() { vm_sh worker-0 "$1"; }

is "$(run hostname)" worker-0 "host name"
is "$(run 'cat /etc/hostname')" worker-0 "/etc/hostname"
like "$(run 'getent hosts worker-0')" 'worker-0' "the host name resolves"
is "$(run 'cat /etc/cni/net.d/10-bridge.conf' | jq -r '.ipam.ranges[0][0].subnet')" \
    10.200.0.0/24 "10-bridge.conf has the metadata's pod CIDR"
kubelet=$(run 'cat /var/lib/kubelet/kubelet-config.yaml')
like "$kubelet" 'podCIDR: "?10\.200\.0\.0/24' "kubelet's config has the metadata's pod CIDR"
like "$kubelet" 'tlsCertFile: "?/var/lib/kubelet/worker-0\.pem' "kubelet's config has the node's name"
passes "kubelet's resolvConf exists" run "test -s \$(sed -n 's/^resolvConf: *\"\\?\\([^\"]*\\).*/\\1/p' /var/lib/kubelet/kubelet-config.yaml)"

# Every file that the contract installs.
installed=$(run "sed -n 's/^template [^ ]* [^ ]* [^ ]* //p; s/^identity [^ ]* [^ ]* [^ ]* [^ ]* //p' /usr/lib/nodebake/contract | sed s/@NODE_NAME@/worker-0/")
is "$(run "for f in $(tr '\n' ' ' <<<"$installed"); do [ -s \$f ] || echo \$f; done")" '' \
    "every file of the contract is there"
is "$(run "grep -lE '@[A-Z][A-Z0-9_]*@' $(tr '\n' ' ' <<<"$installed")")" '' "no name is left unfilled"
is "$(run 'stat -c "%a %U" /var/lib/kubelet/worker-0-key.pem /var/lib/kubelet/kubeconfig')" \
    $'600 root\n600 root' "the node's key and kubeconfig are root's alone"
run 'cat /var/lib/kubelet/worker-0.pem' >"$NB_RUN/worker-0.pem"
passes "the node's certificate is the cluster's" \
    openssl verify -CAfile "$NB_IMAGES/pki/ca.pem" "$NB_RUN/worker-0.pem"
like "$(openssl x509 -in "$NB_RUN/worker-0.pem" -noout -subject)" 'CN = system:node:worker-0' \
    "the node's certificate names it"
is "$(run 'find / -xdev -name "*worker-1*"')" '' "nothing of another node is in the image"

for unit in "${worker_units[@]}"; do
    is "$(run "systemctl is-enabled $unit")" enabled "$unit is enabled"
done
passes "containerd becomes active" becomes worker-0 120 active 'systemctl is-active containerd'
passes "containerd answers ctr version" finds worker-0 60 'ctr version'
like "$(run 'ctr version')" 'Server:'$'\n''.*1\.6\.' "and names its version"
passes "kubelet becomes active" becomes worker-0 120 active 'systemctl is-active kubelet'
passes "kubelet tries the API server" finds worker-0 180 \
    'journalctl -u kubelet --no-pager | grep -F 10.240.0.100:6443'
passes "kubelet starts its work" finds worker-0 180 \
    'journalctl -u kubelet --no-pager | grep -F "Attempting to register node worker-0"'
passes "kube-proxy becomes active" becomes worker-0 120 active 'systemctl is-active kube-proxy'
is "$(run 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables; tail -n +2 /proc/swaps; ls -d /sys/module/overlay')" \
    $'1\n1\n/sys/module/overlay' "forwarding, bridge filtering, overlay; no swap"
is "$(run 'cat /var/lib/nodebake/stamp')" "nodebake-stamp 1
source gce
identity product_uuid:$(<"$NB_RUN/worker-0/uuid")
node worker-0" "the stamp"

# state: everything of firstboot's, with the times of its last change.
state() {
    run "find $(tr '\n' ' ' <<<"$installed") /var/lib/nodebake /usr/lib/nodebake \
        /etc/systemd/system /etc/systemd/system-preset -type f,l -printf '%p %i %m %u %s %C@ %T@ %l\n' | sort"
}
before=$(state)
passes "powers off" vm_poweroff worker-0
vm_start worker-0
boots worker-0
diag "$(said worker-0)"
like "$(said worker-0)" '^nodebake: node worker-0 was finished before[^'$'\n'']*$' \
    "second boot: firstboot finds its stamp"
is "$(state)" "$before" "second boot: no file changed"
is "$(run hostname)" worker-0 "second boot: host name"
passes "second boot: containerd becomes active" \
    becomes worker-0 120 active 'systemctl is-active containerd'
passes "second boot: kubelet becomes active" becomes worker-0 120 active 'systemctl is-active kubelet'
passes "powers off again" vm_poweroff worker-0
done_testing
