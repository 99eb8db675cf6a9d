#!/bin/bash
# worker-0's image on worker-0: what firstboot wrote into it, and what runs; and what worker-1 has from its
# metadata.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"
run() { on worker-0 "$1"; }

is "$(run hostname)" worker-0 "host name"
is "$(run 'cat /etc/hostname')" worker-0 "/etc/hostname"
like "$(run 'getent hosts worker-0')" 'worker-0' "the host name resolves"
kubelet=$(run 'cat /var/lib/kubelet/kubelet-config.yaml')
like "$kubelet" 'podCIDR: "?10\.200\.0\.0/24' "kubelet's config has the metadata's pod CIDR"
like "$kubelet" 'tlsCertFile: "?/var/lib/kubelet/worker-0\.pem' "kubelet's config has the node's name"
passes "kubelet's resolvConf exists" run "test -s \$(sed -n 's/^resolvConf: *\"\\?\\([^\"]*\\).*/\\1/p' /var/lib/kubelet/kubelet-config.yaml)"

files=$(installed worker-0)
like "$files" '/var/lib/kubelet/kubeconfig ' "the contract installs files"
silent "every file of the contract is there" worker-0 "for f in $files; do [ -s \$f ] || echo \$f; done"
silent "no name is left unfilled" worker-0 "! grep -lE '@[A-Z][A-Z0-9_]*@' $files"
is "$(run 'stat -c "%a %U" /var/lib/kubelet/worker-0-key.pem /var/lib/kubelet/kubeconfig')" \
    $'600 root\n600 root' "the node's key and kubeconfig are root's alone"
run 'cat /var/lib/kubelet/worker-0.pem' >"$tmp/worker-0.pem"
passes "the node's certificate is the cluster's" \
    openssl verify -CAfile "$NB_IMAGES/pki/ca.pem" "$tmp/worker-0.pem"
like "$(openssl x509 -in "$tmp/worker-0.pem" -noout -subject)" 'CN = system:node:worker-0' \
    "the node's certificate names it"
silent "nothing of another node is in the image" worker-0 'find / -xdev -name "*worker-1*"'

for unit in containerd kubelet kube-proxy; do
    is "$(run "systemctl is-enabled $unit")" enabled "$unit is enabled"
done
like "$(run 'ctr version')" 'Server:'$'\n''.*1\.6\.' "containerd answers and names its version"
is "$(run 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables; tail -n +2 /proc/swaps; ls -d /sys/module/overlay')" \
    $'1\n1\n/sys/module/overlay' "forwarding, bridge filtering, overlay; no swap"
is "$(run 'head -n 4 /var/lib/nodebake/stamp')" "nodebake-stamp 1
source gce
identity product_uuid:$(<"$NB_LAB/nodes/worker-0/uuid")
node worker-0" "the stamp"
is "$(run "sed -n 's/^file //p' /var/lib/nodebake/stamp")" "/var/lib/kubelet/worker-0.pem
/var/lib/kubelet/worker-0-key.pem
/var/lib/kubelet/kubeconfig" "and what it installed of the node"

# ---- worker-1, from the image of all workers ----

on worker-1 'cat /var/lib/kubelet/worker-1.pem' >"$tmp/worker-1.pem"
passes "worker-1 has the certificate that its metadata brought" cmp "$tmp/worker-1.pem" "$NB_IMAGES/pki/worker-1.pem"
is "$(on worker-1 'stat -c "%a %U" /var/lib/kubelet/worker-1-key.pem /var/lib/kubelet/kubeconfig')" \
    $'600 root\n600 root' "its key and kubeconfig are root's alone"
silent "nothing of another node is on it" worker-1 'find / -xdev -name "*worker-0*"'
silent "its image had no key of a node" worker-1 'find /usr/lib/nodebake -name "*worker-1*"'
done_testing
