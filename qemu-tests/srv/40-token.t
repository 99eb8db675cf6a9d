#!/bin/bash
# A third worker, from the image of the first: while the token has ended it stays out, and says why;
# with a good one it joins under its own id.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"
. "$(dirname "$0")/srv.sh"

token=$(sed -nE 's/^ *name: *"?(bootstrap-token-[a-z0-9]+).*/\1/p' "$NB_IMAGES/pki/bootstrap-token.yaml")
passes "the token ends" kube -n kube-system patch secret "$token" -p '{"stringData": {"expiration": "2020-01-01T00:00:00Z"}}'
lab up worker-2 --out "$NB_IMAGES" --timeout 20m >"$tmp/up" 2>&1 &
up=$!
why() { lab status --json | jq -r '.nodes[] | select(.name == "worker-2").why'; }
refused="the bootstrap token is refused: it has ended, or the cluster does not have it"
becomes "worker-2 stays out, and lab status says why" 420 "kubelet: $refused" why
like "$(tr -d '\r' <"$NB_LAB/nodes/worker-2/console.log")" "nodebake: kubelet: $refused" "so does its console"
id=$(id_of worker-2)
is "$(kube get nodes -o name | grep -c "$id")" 0 "it is no node"
kube -n kube-system delete secret "$token" --ignore-not-found >"$tmp/deleted"
passes "a token that is good is given" kube apply -f "$NB_IMAGES/pki/bootstrap-token.yaml"
status=0
wait "$up" || status=$?
ok "$status" "worker-2 joins"
[[ $status -eq 0 ]] || diag "$(<"$tmp/up")"
like "$(kube get node "$id" -o 'jsonpath={.metadata.labels.internal-ip} {.status.nodeInfo.containerRuntimeVersion}')" \
    '^10\.240\.0\.22 containerd://' "as itself, from worker-0's image"
is "$(kube get nodes -o name | wc -l)" 3 "the cluster has three workers"
done_testing
