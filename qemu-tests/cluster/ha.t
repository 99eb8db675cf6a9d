#!/bin/bash
# Three controllers and a worker: one controller is lost and comes back.
set -euo pipefail
nodes=(controller-0 controller-1 controller-2 worker-0)
cluster_nodes='
  - {name: controller-1, role: controller, address: 10.240.0.11}
  - {name: controller-2, role: controller, address: 10.240.0.12}'
. "$(dirname "$0")/cluster.sh"

etcd() {
    on "$1" "ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.pem \
        --cert=/etc/etcd/kubernetes.pem --key=/etc/etcd/kubernetes-key.pem $2"
}
phase "boot"
passes "the lab comes up" lab up --out "$images" --timeout 25m
phase "one is lost"
is "$(etcd controller-0 'member list' | grep -c started)" 3 "etcd has three members"
becomes "the worker is Ready" 60 True \
    kube get node worker-0 -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
passes "controller-1 is killed" lab kill controller-1
becomes "the API answers through the balancer" 120 worker-0 kube get nodes -o 'jsonpath={.items[*].metadata.name}'
passes "and takes what is written" kube create configmap written --from-literal=a=b
passes "the members that are left have a leader" etcd controller-0 'endpoint health'
phase "it comes back"
passes "controller-1 starts again" lab start controller-1
becomes "and is a member in health" 300 true eval "etcd controller-1 'endpoint health -w json' | jq '.[0].health'"
is "$(etcd controller-1 'get --keys-only /registry/configmaps/default/written')" /registry/configmaps/default/written \
    "which has what was written without it"
phase "end"
passes "the lab goes down" lab down
done_testing
