#!/bin/bash
# Kubernetes The Hard Way's smoke test, and what else a cluster of one controller and two workers must
# do, on machines that nobody typed anything into.
set -euo pipefail
nodes=(controller-0 worker-0 worker-1)
. "$(dirname "$0")/cluster.sh"

phase "boot"
passes "the lab comes up" lab up --out "$images" --timeout 15m
phase "nodes"

# ---- nodes ----

jq_nodes() { kube get nodes -o json | jq -r "$1"; }
is "$(jq_nodes '[.items[].metadata.name] | sort | join(" ")')" "worker-0 worker-1" "the workers are nodes"
becomes "they are Ready" 60 "True True" \
    jq_nodes '[.items[].status.conditions[] | select(.type == "Ready") | .status] | join(" ")'
is "$(jq_nodes '[.items[].status.addresses[] | select(.type == "InternalIP") | .address] | sort | join(" ")')" \
    "10.240.0.20 10.240.0.21" "with their addresses"
is "$(jq_nodes '.items[] | select(.metadata.name == "worker-0") | .metadata.labels["topology.kubernetes.io/zone"]')" \
    a "with the labels of the cluster file"
becomes "and their role" 90 "true true" \
    jq_nodes '[.items[].metadata.labels | has("node-role.kubernetes.io/worker")] | join(" ")'
is "$(jq_nodes '[.items[].status.nodeInfo.kubeletVersion] | unique | join(" ")')" v1.20.2 "of the right version"
becomes "every component of the control plane is healthy" 60 "controller-manager:True etcd-0:True scheduler:True" \
    eval "kube get componentstatuses -o json |
        jq -r '[.items[] | .metadata.name + \":\" + .conditions[0].status] | sort | join(\" \")'"

# ---- data encryption ----

phase "smoke test"
passes "a secret is made" kube create secret generic kubernetes-the-hard-way --from-literal=mykey=mydata
stored=$(on controller-0 'ETCDCTL_API=3 etcdctl get --print-value-only --endpoints=https://127.0.0.1:2379 \
    --cacert=/etc/etcd/ca.pem --cert=/etc/etcd/kubernetes.pem --key=/etc/etcd/kubernetes-key.pem \
    /registry/secrets/default/kubernetes-the-hard-way' | tr -cd '[:print:]')
like "$stored" '^k8s:enc:aescbc:v1:key1:' "and lies in etcd encrypted with key1"
is "$(grep -c mydata <<<"$stored")" 0 "not as it is"

# ---- pods ----

# pod NAME NODE APP
pod() {
    cat <<YAML
---
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $3}}
spec:
  nodeName: $2
  terminationGracePeriodSeconds: 1
  containers: [{name: web, image: 'test.example/httpd:1', ports: [{containerPort: 80}]}]
YAML
}
# service NAME APP [TYPE]
service() {
    cat <<YAML
---
apiVersion: v1
kind: Service
metadata: {name: $1}
spec: {selector: {app: $2}, type: ${3:-ClusterIP}, ports: [{port: 80, targetPort: 80}]}
YAML
}
{
    pod near worker-0 near
    pod beside worker-0 beside
    pod far worker-1 far
    service near near
    service far far
    service web web NodePort
    cat <<'YAML'
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'test.example/httpd:1', ports: [{containerPort: 80}]}]
YAML
} >"$tmp/pods.yaml"
passes "pods, a deployment and services are made" kube apply -f "$tmp/pods.yaml"
passes "the deployment of a preloaded image runs" kube rollout status deployment/web --timeout=180s
passes "the pods run" kube wait --for=condition=Ready pod/near pod/beside pod/far --timeout=120s
of_pod() { kube get pod "$1" -o jsonpath="$2"; }
like "$(of_pod near '{.status.podIP}')" '^10\.200\.0\.' "a pod of worker-0 has an address of its pod CIDR"
like "$(of_pod far '{.status.podIP}')" '^10\.200\.1\.' "one of worker-1, too"

kube port-forward pod/near 0:80 >"$tmp/forward" 2>&1 &
forward=$!
for ((i = 0; i < 100; i++)); do
    port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\).*/\1/p' "$tmp/forward")
    [[ -z $port ]] || break
    sleep 0.2
done
is "$(curl -sS --max-time 20 "http://127.0.0.1:${port:-0}/")" "hello from a pod" "port-forward leads to the pod"
kill "$forward"
like "$(kube logs near)" 'response:200' "logs show the request"
is "$(kube exec near -- hostname)" near "exec runs in the pod"

# fetch NODE HOST PORT: the answer, asked for from a machine.
fetch() {
    on "$1" "exec 3<>/dev/tcp/$2/$3 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && timeout 10 tail -n 1 <&3"
}
node_port=$(kube get service web -o jsonpath='{.spec.ports[0].nodePort}')
for address in 10.240.0.20 10.240.0.21; do
    is "$(fetch controller-0 "$address" "$node_port")" "hello from a pod" "the NodePort answers on $address"
done

# ---- between pods ----

# from POD HOST
from() { kube exec "$1" -- wget -q -T 10 -O - "http://$2/cgi-bin/name"; }
is "$(from near "$(of_pod far '{.status.podIP}')")" far "a pod reaches one of the other node by its address"
is "$(from far "$(of_pod near '{.status.podIP}')")" near "and back"
cluster_ip() { kube get service "$1" -o jsonpath='{.spec.clusterIP}'; }
is "$(from near "$(cluster_ip far)")" far "by the address of its service"
is "$(from beside "$(cluster_ip near)")" near "and by a service whose pod is on the same node"

# ---- who may what ----

for address in 10.240.0.20 10.240.0.21; do
    like "$(on controller-0 "kubectl --kubeconfig=/dev/null --server=https://$address:10250 \
        --insecure-skip-tls-verify get --raw /pods 2>&1 || true")" 'Unauthorized' "the kubelet at $address refuses who is nobody"
done
cat >"$tmp/secrets.yaml" <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: of-far}
stringData: {word: xyzzy}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  nodeName: worker-1
  terminationGracePeriodSeconds: 1
  containers:
    - {name: web, image: 'test.example/httpd:1', env: [{name: WORD, valueFrom: {secretKeyRef: {name: of-far, key: word}}}]}
YAML
passes "a pod of worker-1 uses a secret" kube apply -f "$tmp/secrets.yaml"
passes "and runs" kube wait --for=condition=Ready pod/reader --timeout=90s
# secret_by NODE
secret_by() { on "$1" 'kubectl --kubeconfig=/var/lib/kubelet/kubeconfig get secret of-far -o name 2>&1 || true'; }
becomes "worker-1's credentials read it" 30 secret/of-far secret_by worker-1
like "$(secret_by worker-0)" 'Forbidden' "worker-0's do not"

# ---- names ----

is "$(kube -n kube-system get deployment coredns -o jsonpath='{.spec.template.spec.containers[0].image}')" \
    coredns/coredns:1.8.3 "CoreDNS's deployment is there"
is "$(kube -n kube-system get service kube-dns -o jsonpath='{.spec.clusterIP}')" 10.32.0.10 "and its service"
like "$(kube -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}')" 'kubernetes cluster.local' \
    "and its configuration"
passes "what stands in for it runs" kube -n kube-system rollout status deployment/coredns --timeout=180s
like "$(kube exec near -- cat /etc/resolv.conf)" 'nameserver 10\.32\.0\.10' "pods ask there"
like "$(kube exec near -- nslookup kubernetes.default.svc.cluster.local)" 'Address: 10\.32\.0\.1' \
    "a pod resolves the API server's name"
phase "end"
passes "the lab goes down" lab down
done_testing
