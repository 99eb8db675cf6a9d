#!/bin/bash
# Kubernetes The Hard Way's smoke test, and what else a cluster of one controller and two workers must
# do, on machines that nobody typed anything into.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"

# ---- data encryption ----

passes "a secret is made" kube create secret generic kubernetes-the-hard-way --from-literal=mykey=mydata
stored=$(etcd controller-0 'get --print-value-only /registry/secrets/default/kubernetes-the-hard-way' | tr -cd '[:print:]')
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

touch "$tmp/forward"
(exec "$build/nodebake" lab kubectl --state "$NB_LAB" -- port-forward pod/near 0:80 >"$tmp/forward" 2>&1) &
forward=$!
trap 'kill "$forward" 2>/dev/null || true; rm -rf -- "$tmp"' EXIT
for ((i = 0; i < 100; i++)); do
    port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\).*/\1/p' "$tmp/forward")
    [[ -z $port ]] || break
    sleep 0.2
done
is "$(curl -sS --max-time 20 "http://127.0.0.1:${port:-0}/")" "hello from a pod" "port-forward leads to the pod"
passes "the forward lasts until it is ended" kill "$forward"
wait "$forward" || true
like "$(kube logs near)" 'response:200' "logs show the request"
is "$(kube exec near -- hostname)" near "exec runs in the pod"

node_port=$(kube get service web -o jsonpath='{.spec.ports[0].nodePort}')
for address in 10.240.0.20 10.240.0.21; do
    like "$(http controller-0 "$address" "$node_port" web /)" "hello from a pod" "the NodePort answers on $address"
done

# ---- between pods ----

# from POD ADDRESS: the name that the pod there says.
from() {
    printf 'GET /cgi-bin/name HTTP/1.0\r\n\r\n' |
        lab kubectl -- exec -i "$1" -- nc -w 10 "$2" 80 | tr -d '\r' | tail -n 1
}
is "$(from near "$(of_pod far '{.status.podIP}')")" far "a pod reaches one of the other node by its address"
is "$(from far "$(of_pod near '{.status.podIP}')")" near "and back"
cluster_ip() { kube get service "$1" -o jsonpath='{.spec.clusterIP}'; }
is "$(from near "$(cluster_ip far)")" far "by the address of its service"
is "$(from beside "$(cluster_ip near)")" near "and by a service whose pod is on the same node"

# ---- who may what ----

for address in 10.240.0.20 10.240.0.21; do
    like "$(https controller-0 "$address" 10250 /pods)" '^HTTP/[0-9.]+ 401 ' "the kubelet at $address refuses who is nobody"
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
done_testing
