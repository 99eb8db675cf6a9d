#!/bin/bash
# controller-0's image on controller-0, alone: etcd, the API server, the controller manager and the
# scheduler come up and are healthy, also by the balancer's way; secrets lie encrypted in etcd; what a
# cluster is given once is there, and giving it again changes nothing.
set -euo pipefail
wants=(controller-0)
export NB_ADDS='repositories: true' # nginx comes from there
. "$(dirname "$0")/lib.sh"
. "$here/machine-checks.sh"

vm_memory=2048
metadata_start "$NB_IMAGES/cluster.yaml"
vm_create controller-0 "$(image_of controller-0)" 10.240.0.10
vm_start controller-0
boots controller-0
diag "$(said controller-0)"
like "$(said controller-0)" '^nodebake: node controller-0 is ready: [^'$'\n'']*source gce[^'$'\n'']*$' \
    "firstboot says in one line that the node is ready"

# run SCRIPT: in the controller.
run() { vm_sh controller-0 "$1"; }
admin='kubectl --kubeconfig /var/lib/kubernetes/admin.kubeconfig'

units=(etcd kube-apiserver kube-controller-manager kube-scheduler nginx)
for unit in "${units[@]}"; do
    is "$(run "systemctl is-enabled $unit")" enabled "$unit is enabled"
done
passes "etcd becomes active" becomes controller-0 600 active 'systemctl is-active etcd'
etcdctl='ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.pem --cert /etc/etcd/kubernetes.pem --key /etc/etcd/kubernetes-key.pem'
like "$(run "$etcdctl endpoint health 2>&1")" 'is healthy' "etcd is healthy"
like "$(run "$etcdctl member list")" 'started, controller-0, https://10\.240\.0\.10:2380, https://10\.240\.0\.10:2379' \
    "its one member is controller-0"
# health HOST PATH: as the balancer asks, from another machine.
health() {
    local line
    exec {tcp}<>/dev/tcp/10.240.0.10/80 || return
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&"$tcp"
    IFS= read -r -t 30 line <&"$tcp" || line=nothing
    exec {tcp}>&-
    printf '%s\n' "${line%$'\r'}"
}
# ready SECONDS: asked so, for kubectl takes all the time that a machine without KVM has.
ready() { vm_until controller-0 "$1" "a ready API server" is_ready; }
is_ready() { [[ $(health 10.240.0.10 /readyz) == 'HTTP/1.1 200 '* ]]; }
passes "the API server is ready" ready 900
like "$(health kubernetes.default.svc.cluster.local /healthz)" '^HTTP/1.1 200 ' "healthy by the balancer's way"
like "$(health kubernetes.default.svc.cluster.local /api)" '^HTTP/1.1 404 ' "nothing else is passed on"
for component in controller-manager scheduler etcd-0; do
    passes "$component becomes healthy" becomes controller-0 600 True \
        "$admin get componentstatuses $component -o 'jsonpath={.conditions[0].status}' 2>/dev/null"
done

# ---- secrets ----

run "$admin create secret generic hidden --from-literal=word=quietly" >"$NB_RUN/created"
in_etcd=$(run "$etcdctl get /registry/secrets/default/hidden | tr -d '\\0'") || true
like "$in_etcd" 'k8s:enc:aescbc:v1:key1:' "a secret lies encrypted in etcd"
is "$(grep -ac quietly <<<"$in_etcd" || true)" 0 "and its word is not to be read"
passes "the audit log has who made it" finds controller-0 30 \
    "grep '\"verb\":\"create\"' /var/log/audit.log | grep -q '\"resource\":\"secrets\".*\"name\":\"hidden\"'"
is "$(run "grep -c -e quietly -e $(printf quietly | base64) /var/log/audit.log")" 0 "and not what is in it"
passes_not "nobody lists secrets without a certificate" run \
    'kubectl --server https://127.0.0.1:6443 --certificate-authority /var/lib/kubernetes/ca.pem get secrets </dev/null'

# ---- once a cluster ----

passes "the cluster was given what it is given once" finds controller-0 600 \
    'journalctl -u nodebake-cluster -o cat | grep "cluster: access to kubelets and DNS are there"'
is "$(run "$admin get clusterrolebinding system:kube-apiserver -o 'jsonpath={.roleRef.name} {.subjects[0].name}'")" \
    'system:kube-apiserver-to-kubelet kubernetes' "the API server may ask kubelets"
is "$(run "$admin -n kube-system get service kube-dns -o 'jsonpath={.spec.clusterIP}'")" 10.32.0.10 \
    "DNS has its address"
is "$(run "$admin -n kube-system get deployment coredns -o 'jsonpath={.spec.template.spec.containers[0].image}'")" \
    coredns/coredns:1.8.3 "CoreDNS is asked for"

# A node without a machine, as one that joins later.
run "printf 'apiVersion: v1\nkind: Node\nmetadata: {name: worker-1}\n' | $admin create -f -" >"$NB_RUN/created"
passes "a new node gets its role" becomes controller-0 300 'worker-1 10.200.1.0/24' \
    "$admin get nodes -l node-role.kubernetes.io/worker -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDR}{end}'"

# versions: of what was given and nobody else writes to, as controllers do to nodes and service accounts.
versions() {
    run "for o in clusterrole/system:kube-apiserver-to-kubelet clusterrolebinding/system:kube-apiserver \
        clusterrole/system:coredns clusterrolebinding/system:coredns \
        configmap/coredns service/kube-dns; do
            $admin -n kube-system get \$o -o 'jsonpath={.kind} {.metadata.name} {.metadata.resourceVersion}'; echo
        done; $admin -n kube-system get deployment coredns -o 'jsonpath={.metadata.generation}'"
}
before=$(versions)
passes "it is given again" run 'systemctl restart nodebake-cluster &&
    until journalctl -u nodebake-cluster -o cat | grep -c "DNS are there" | grep -qx 2; do sleep 1; done'
is "$(versions)" "$before" "and nothing changed"

is "$(run 'systemctl --failed --plain --no-legend')" '' "no unit failed"
is "$(run 'systemd-analyze verify /etc/systemd/system/etcd.service /etc/systemd/system/kube-*.service /etc/systemd/system/nodebake-*.service 2>&1')" \
    '' "systemd has nothing to say of the units"
is "$(run 'stat -c "%a %U %n" /var/lib/kubernetes/*-key.pem /var/lib/kubernetes/*.kubeconfig /var/lib/kubernetes/encryption-config.yaml /etc/etcd/*-key.pem | grep -v "^600 root "')" \
    '' "keys and what holds them are root's alone"

passes "powers off" vm_poweroff controller-0
vm_start controller-0
boots controller-0
passes "second boot: the API server is ready" ready 900
passes "second boot: the secret is still there" becomes controller-0 60 quietly \
    "$admin get secret hidden -o 'jsonpath={.data.word}' | base64 -d"
passes "second boot: all is given again" finds controller-0 600 \
    'journalctl -b -u nodebake-cluster -o cat | grep "DNS are there"'
is "$(versions)" "$before" "second boot: and nothing changed"
passes "powers off again" vm_poweroff controller-0
done_testing
