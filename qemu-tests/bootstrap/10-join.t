#!/bin/bash
# hard-way with `identity: bootstrap`: a worker whose image holds no key and no name of a node asks for its
# certificates, gets them, and runs a pod.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"

is "$(state_of worker-0)" ready "worker-0 is ready"
of_node() { kube get node worker-0 -o json | jq -r "$1"; }
is "$(of_node '.status.addresses[] | select(.type == "InternalIP").address')" 10.240.0.20 "with its address"
becomes "its role, which the controllers give" 150 worker=true \
    of_node '.metadata.labels | has("node-role.kubernetes.io/worker") | "worker=\(.)"'
becomes "and its pod CIDR" 150 10.200.0.0/24 of_node .spec.podCIDR
silent "the image had no key of a node" worker-0 \
    "find /usr/lib/nodebake -name '*-key.pem'; find /var/lib/kubelet -name 'worker-*'"
like "$(on worker-0 'openssl x509 -noout -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem')" \
    'O = system:nodes, CN = system:node:worker-0' "what it shows the API names it"
# It is Ready before it has asked for this one, and the approver has answered.
becomes "what its kubelet serves with is the cluster's, and names it" 150 "" on worker-0 \
    "openssl s_client -connect 10.240.0.20:10250 -CAfile /var/lib/kubernetes/ca.pem \
    -verify_return_error -verify_hostname worker-0 </dev/null >/dev/null"
signers() { kube get csr -o json | jq -r '[.items[] | select(.status.certificate) | .spec.signerName | ltrimstr("kubernetes.io/")] | unique | join(" ")'; }
is "$(signers)" "kube-apiserver-client-kubelet kubelet-serving" "both were asked for, and approved"
cat >"$tmp/pod.yaml" <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: worker-0
  containers: [{name: web, image: 'test.example/httpd:1'}]
YAML
passes "a pod is made" kube apply -f "$tmp/pod.yaml"
passes "it runs" kube wait --for=condition=Ready pod/web --timeout=180s
page() { printf 'GET / HTTP/1.0\r\n\r\n' | lab kubectl -- exec -i web -- nc -w 10 127.0.0.1 80 | tr -d '\r' | tail -n 1; }
is "$(page)" "hello from a pod" "exec"
like "$(kube logs web)" 'response:200' "logs show the request"
done_testing
