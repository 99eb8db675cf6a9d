#!/bin/bash
# What the lab came up with: nodes, their names, addresses, labels and pod CIDRs; every component of
# the control plane.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"

passes "up again finds everything ready" up
for node in controller-0 worker-0 worker-1; do
    is "$(state_of "$node")" ready "$node is ready"
    like "$(lab logs --console "$node" | tr -d '\r')" "nodebake: node $node is ready: [^"$'\n'"]*source gce" \
        "$node: firstboot says so in a line"
done
given() { kube get nodes -o json | jq -c '[.items[] | .metadata.labels["node-role.kubernetes.io/worker"], .spec.podCIDR]'; }
becomes "each gets its role and pod CIDR" 180 '["","10.200.0.0/24","","10.200.1.0/24"]' given
kube get nodes -o json >"$tmp/nodes"
of_nodes() { jq -r "[.items | sort_by(.metadata.name)[] | $1] | join(\" \")" "$tmp/nodes"; }
condition='.status.conditions[] | select(.type == "Ready").status'
address='.status.addresses[] | select(.type == "InternalIP").address'
is "$(of_nodes .metadata.name)" "worker-0 worker-1" "the workers are nodes"
is "$(of_nodes "$condition")" "True True" "they are Ready"
is "$(of_nodes "$address")" "10.240.0.20 10.240.0.21" "with their addresses"
is "$(of_nodes '.metadata.labels["topology.kubernetes.io/zone"] // "none"')" "a none" "with the labels of the cluster file"
is "$(of_nodes .status.nodeInfo.kubeletVersion)" "v1.20.2 v1.20.2" "of the right version"
for node in worker-0 worker-1; do
    is "$(on "$node" 'jq -r ".ipam.ranges[0][0].subnet" </etc/cni/net.d/10-bridge.conf 2>/dev/null ||
        grep -o "10\.200\.[0-9]*\.0/24" /etc/cni/net.d/10-bridge.conf')" \
        "10.200.${node#worker-}.0/24" "$node: the same pod CIDR in its CNI config"
    is "$(on "$node" 'systemctl is-active containerd kubelet kube-proxy' | tr '\n' ' ')" \
        "active active active " "$node: its services run"
done
becomes "every component of the control plane is healthy" 120 "controller-manager:True etcd-0:True scheduler:True" \
    eval "kube get componentstatuses -o json |
        jq -r '[.items[] | .metadata.name + \":\" + .conditions[0].status] | sort | join(\" \")'"
for node in controller-0 worker-0 worker-1; do
    becomes "$node: no unit failed" 30 '' on "$node" 'systemctl --failed --plain --no-legend'
done
done_testing
