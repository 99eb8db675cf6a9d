#!/bin/bash
# What a node asks for in another's name it does not get.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"
. "$(dirname "$0")/srv.sh"

other=$(id_of worker-1)
# ask NAME SIGNER USAGE SAN: worker-0 asks with its own credentials, in the name of worker-1.
ask() {
    on worker-0 "set -e; cd /run
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out other.csr \
            -subj /O=system:nodes/CN=system:node:$other $4 2>/dev/null
        kubectl --kubeconfig /srv/kubernetes/kubeconfig/kubelet.kubeconfig create --validate=false -f - <<JSON
{\"apiVersion\": \"certificates.k8s.io/v1\", \"kind\": \"CertificateSigningRequest\", \"metadata\": {\"name\": \"$1\"},
\"spec\": {\"signerName\": \"kubernetes.io/$2\", \"request\": \"\$(base64 -w 0 other.csr)\",
\"usages\": [\"digital signature\", \"key encipherment\", \"$3 auth\"]}}
JSON"
}
passes "worker-0 asks for a serving certificate of worker-1" \
    ask serves-other kubelet-serving server "-addext subjectAltName=DNS:$other,IP:10.240.0.21"
passes "and for worker-1's own" ask is-other kube-apiserver-client-kubelet client ''
conditions() { kube get csr "$1" -o 'jsonpath={.status.conditions[*].type} {.status.certificate}'; }
becomes "the approver denies the first" 90 "Denied " conditions serves-other
is "$(conditions is-other)" " " "nobody approves the second"
done_testing
