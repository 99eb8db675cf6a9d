#!/bin/bash
# The lab's own commands, on the machines of the cluster: exec and logs without a network, partition,
# power; a node comes back by itself.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"

# pings NODE ADDRESS
pings() { lab exec "$1" -- ping -c 1 -W 3 "$2"; }
ready() { kube get node "$1" -o json | jq -r '.status.conditions[] | select(.type == "Ready").status'; }

is "$(lab exec worker-0 -- cat /proc/sys/kernel/hostname /sys/class/dmi/id/product_uuid)" \
    "worker-0"$'\n'"$(<"$NB_LAB/nodes/worker-0/uuid")" "exec; the instance id is the lab's"
is "$(lab exec worker-0 -- sh -c 'exit 7' && echo 0 || echo $?)" 7 "exec hands the exit status on"
is "$(printf 'a\nb\n' | lab exec --stdin worker-0 -- wc -l)" 2 "exec --stdin"
like "$(lab logs worker-0 2>&1)" 'journal of worker-0.*systemd' "logs have the journal"
passes "the router answers" pings worker-0 10.240.0.1
passes "the public address answers" pings worker-0 10.240.0.100
like "$(lab exec worker-0 -- getent hosts metadata.google.internal)" '169\.254\.169\.254' "names"
like "$(lab exec worker-1 -- ip route get 10.200.0.5)" 'via 10\.240\.0\.1' "pods' addresses go to the router"
passes "workers reach each other" pings worker-1 10.240.0.20
passes "partition" lab partition worker-0
is "$(state_of worker-0)" partitioned "is told"
is "$(pings worker-0 10.240.0.1 >/dev/null && echo yes || echo no)" no "nothing comes through"
passes "exec works all the same" lab exec worker-0 true
becomes "the API server misses the one that is cut off" 120 Unknown ready worker-0
passes "heal" lab partition worker-0 --heal
passes "the router answers again" pings worker-0 10.240.0.1
becomes "which is Ready again" 180 True ready worker-0

# A machine that boots takes its minutes.
if [[ -n ${FULL:-} ]]; then
    before=$(written worker-1)
    like "$before" '/var/lib/nodebake/stamp ' "what firstboot wrote is known"
    passes "stop is orderly" lab stop worker-1
    is "$(state_of worker-1)" stopped "and told"
    like "$(lab kill worker-1 2>&1 || true)" 'worker-1 does not run' "what is stopped cannot be killed"
    passes "up boots the other one's disk again, and waits for both" up
    becomes "which are Ready" 60 "True True" eval 'printf "%s %s\n" "$(ready worker-0)" "$(ready worker-1)"'
    like "$(lab logs worker-1 --console)" 'was finished before' "firstboot found its stamp"
    is "$(written worker-1)" "$before" "and no file has changed"
    is "$(lab exec worker-1 hostname)" worker-1 "and the host name is the node's"
    passes "kill of a worker" lab kill worker-0
    is "$(state_of worker-0)" killed "is told"

    # The controller's second boot: all is there, and what it gives the cluster is there already.
    before=$(versions)
    passes "stop of the controller" lab stop controller-0
    passes "up boots both disks again" up
    is "$(kube get secret hidden -o jsonpath='{.data.word}' | base64 -d)" quietly "the secret is still there"
    given() { on controller-0 "journalctl -b -u nodebake-cluster -o cat | grep -c 'DNS are there'"; }
    becomes "all is given again" 300 1 given
    is "$(versions)" "$before" "and nothing changed"
fi
done_testing
