#!/bin/bash
# Two workers that cluster.yaml gives no name, one with containerd and one with docker: each is called
# after its instance, has asked for its certificates, and runs pods.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"
. "$(dirname "$0")/srv.sh"

# The controllers look for new nodes every minute.
roles() { node_has "$1" .metadata.labels | jq -r 'to_entries[] | select(.key | startswith("node-role")) | "\(.key)=\(.value)"' | sort | paste -sd ' '; }

for number in 0 1; do
    worker=worker-$number address=10.240.0.2$number
    id=$(id_of "$worker")
    like "$id" '^i-0[0-9a-f]{16}$' "$worker: the instance's id is the host name"
    is "$(on "$worker" 'cat /etc/hostname /var/lib/calico/nodename 2>/dev/null')" "$id" "$worker: in /etc/hostname"
    is "$(node_has "$worker" .status.addresses[0].address)" "$address" "$worker: the Node has its address"
    becomes "$worker: the roles, which the controllers give" 150 \
        "node-role.kubernetes.io/$address=true node-role.kubernetes.io/node=true" roles "$worker"
    labels=$(node_has "$worker" .metadata.labels)
    is "$(jq -r '."internal-ip" + " " + ."k8s.non-prod.io/generation"' <<<"$labels")" "$address 2" \
        "$worker: labels by facts and of cluster.yaml"
    like "$(on "$worker" 'cat /var/lib/nodebake/stamp')" "source aws"$'\n'"identity board_asset_tag:i-" \
        "$worker: AWS's metadata, with a token"
    is "$(on "$worker" 'readlink /srv/kubernetes/.lock')" ../../var/lib/nodebake/stamp "$worker: the lock"
    # It is Ready before it has asked for this one, and the approver has answered.
    becomes "$worker: what its kubelet serves with is the cluster's, and names its address" 150 "" on "$worker" \
        "openssl s_client -connect $address:10250 -CAfile /srv/kubernetes/pki/ca.pem -verify_return_error \
        -verify_ip $address </dev/null >/dev/null"
    # shellcheck disable=SC2016 # jq's
    is "$(kube get csr -o json | jq -r --arg user "system:node:$id" '[.items[] | select(.status.certificate) |
        select((.spec.request | @base64d | length) > 0) | select(.spec.username == $user) |
        .spec.signerName] | unique | join(" ")')" \
        kubernetes.io/kubelet-serving "$worker: it asked for that itself"
done
is "$(kube get csr -o json | jq -r '[.items[] | select(.spec.username | startswith("system:bootstrap:")) |
    select(.status.certificate) | .spec.signerName] | unique | join(" ")')" \
    kubernetes.io/kube-apiserver-client-kubelet "both asked with the token for a client's, and got it"
like "$(node_has worker-0 .status.nodeInfo.containerRuntimeVersion)" '^containerd://1\.6\.' "worker-0 runs containerd"
like "$(node_has worker-1 .status.nodeInfo.containerRuntimeVersion)" '^docker://20\.10\.' "worker-1 runs docker"

# ---- pods ----

# pod NAME WORKER
pod() {
    cat <<YAML
---
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  nodeName: $(id_of "$2")
  terminationGracePeriodSeconds: 1
  containers: [{name: web, image: 'test.example/httpd:1'}]
YAML
}
{
    pod with-containerd worker-0
    pod with-docker worker-1
} >"$tmp/pods.yaml"
passes "pods are made" kube apply -f "$tmp/pods.yaml"
passes "both run" kube wait --for=condition=Ready pod/with-containerd pod/with-docker --timeout=180s
of_pod() { kube get pod "$1" -o jsonpath="$2"; }
# from POD ADDRESS PATH: the last line of the answer.
from() {
    printf 'GET %s HTTP/1.0\r\n\r\n' "$3" |
        lab kubectl -- exec -i "$1" -- nc -w 10 "$2" 80 | tr -d '\r' | tail -n 1
}
is "$(from with-containerd "$(of_pod with-docker '{.status.podIP}')" /cgi-bin/name)" with-docker \
    "exec; and containerd's pod reaches docker's"
is "$(from with-docker "$(of_pod with-containerd '{.status.podIP}')" /cgi-bin/name)" with-containerd "and back"
for name in with-containerd with-docker; do
    is "$(from "$name" 127.0.0.1 /)" "hello from a pod" "$name: its page"
    like "$(kube logs "$name")" 'response:200' "$name: logs show the request"
done
done_testing
