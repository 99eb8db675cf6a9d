#!/bin/bash
# Three controllers and a worker: one controller is lost and comes back.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"

# took NAME: how long it is since the last time.
last=$SECONDS
took() {
    diag "$1: $((SECONDS - last)) s"
    last=$SECONDS
}

is "$(etcd controller-0 'member list' | grep -c started)" 3 "etcd has three members"
becomes "the worker is Ready" 60 True \
    kube get node worker-0 -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
before=$(versions)
like "$before" 'ClusterRole .*ConfigMap .*Service ' "RBAC and CoreDNS's objects are there"
given() { on "$1" "journalctl -b -u nodebake-cluster -o cat | grep -c 'DNS are there' || true"; }
for node in controller-0 controller-1 controller-2; do
    becomes "$node gave them, or found them given" 120 1 given "$node"
done
took before
passes "controller-1 is killed" lab kill controller-1
becomes "the API answers through the balancer" 120 worker-0 kube get nodes -o 'jsonpath={.items[*].metadata.name}'
took "the API answers without controller-1"
passes "and takes what is written" kube create configmap written --from-literal=a=b
passes "the members that are left have a leader" etcd controller-0 'endpoint health'
last=$SECONDS
passes "controller-1 starts again" lab start controller-1
becomes "and is a member in health" 300 true eval "etcd controller-1 'endpoint health -w json' | jq '.[0].health'"
is "$(etcd controller-1 'get --keys-only /registry/configmaps/default/written' | head -n 1)" \
    /registry/configmaps/default/written "which has what was written without it"
took "etcd has controller-1 back"
passes "it is ready" up
took "its API server, too"
becomes "controller-1 found all given" 300 1 given controller-1
is "$(versions)" "$before" "and nothing changed"
passes "the lab goes down" lab down
done_testing
