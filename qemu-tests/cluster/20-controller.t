#!/bin/bash
# The controller: its services, what the balancer asks, what it logs, what lies on its disk, and what a
# cluster is given once.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"
node=controller-0

for unit in etcd kube-apiserver kube-controller-manager kube-scheduler nginx; do
    is "$(on $node "systemctl is-enabled $unit; systemctl is-active $unit" | tr '\n' ' ')" "enabled active " \
        "$unit is enabled and runs"
done
like "$(etcd $node 'endpoint health 2>&1')" 'is healthy' "etcd is healthy"
like "$(etcd $node 'member list')" 'started, controller-0, https://10\.240\.0\.10:2380, https://10\.240\.0\.10:2379' \
    "its one member is controller-0"
name=kubernetes.default.svc.cluster.local
like "$(http worker-0 10.240.0.10 80 $name /healthz)" '^HTTP/1.1 200 ' "healthy by the balancer's way"
like "$(http worker-0 10.240.0.10 80 $name /api)" '^HTTP/1.1 404 ' "nothing else is passed on"
like "$(https worker-0 10.240.0.100 6443 /api/v1/secrets)" '^HTTP/[0-9.]+ 40[13] ' \
    "nobody lists secrets without a certificate"
silent "keys and what holds them are root's alone" $node "stat -c '%a %U %n' /var/lib/kubernetes/*-key.pem \
    /var/lib/kubernetes/*.kubeconfig /var/lib/kubernetes/encryption-config.yaml /etc/etcd/*-key.pem |
    awk '!/^600 root /'"
silent "systemd has nothing to say of the units" $node \
    'systemd-analyze verify /etc/systemd/system/{etcd,kube-*,nodebake-*}.service'

# ---- the audit log ----

passes "a secret is made" kube create secret generic hidden --from-literal=word=quietly
in_log() { on $node "grep '\"verb\":\"create\"' /var/log/audit.log | grep -c '\"resource\":\"secrets\".*\"name\":\"hidden\"'"; }
becomes "the audit log has who made it" 30 1 in_log
is "$(on $node "grep -c -e quietly -e $(printf quietly | base64) /var/log/audit.log || true")" 0 "and not what is in it"

# ---- once a cluster ----

like "$(kube get clusterrolebinding system:kube-apiserver -o 'jsonpath={.roleRef.name} {.subjects[0].name}')" \
    '^system:kube-apiserver-to-kubelet kubernetes$' "the API server may ask kubelets"
before=$(versions)
like "$before" 'ClusterRole .*ConfigMap .*Service ' "RBAC and CoreDNS's objects are there"
given() { on $node "journalctl -u nodebake-cluster -o cat | grep -c 'DNS are there' || true"; }
n=$(given)
# A node without a machine, as one that joins later.
kube create -f - >/dev/null <<<'{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-2"}}'
passes "it is given again" on $node 'systemctl restart nodebake-cluster'
becomes "and says so" 120 $((n + 1)) given
is "$(versions)" "$before" "and nothing changed"
role() { kube get nodes -l node-role.kubernetes.io/worker -o json | jq -r '[.items[].metadata.name] | sort | join(" ")'; }
becomes "a node that came later has its role" 90 "worker-0 worker-1 worker-2" role
kube delete node worker-2 >/dev/null
done_testing
