#!/bin/bash
# `nodebake lab` with a real worker: boots, commands and logs without a network, power, partition, and
# that nothing is left.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
need qemu-system-x86_64 qemu-img dnsmasq haproxy ip jq
images=$("$here/images" worker-0 worker-1 worker)
top=$(mktemp -d)
state=$top/lab

clean() {
    local status=$?
    "$build/nodebake" lab down --now --state "$state" --quiet >/dev/null || true
    rm -rf -- "$top"
    exit "$status"
}
trap clean EXIT

# lab WORD [ARGUMENT…]; `up` knows its images.
lab() { "$build/nodebake" lab "$1" --cluster "$images/cluster.yaml" --state "$state" "${@:2}"; }
up() { lab up --out "$images" --timeout 10m "$@"; }

# passes NAME COMMAND…: a test that passes when the command succeeds; shows what it printed when not.
passes() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok "$status" "$name"
    [[ $status -eq 0 ]] || diag "status $status: $*"$'\n'"$output"
}

# state_of NODE
state_of() { lab status --json | jq -r --arg name "$1" '.nodes[] | select(.name == $name).state'; }

# pings NODE ADDRESS
pings() { lab exec "$1" -- ping -c 1 -W 3 "$2"; }

passes "worker-0 comes up" up worker-0
is "$(state_of worker-0)" up "and is up"
is "$(lab exec worker-0 hostname)" worker-0 "exec; firstboot had the node's metadata"
is "$(lab exec worker-0 -- cat /proc/sys/kernel/hostname /sys/class/dmi/id/product_uuid)" \
    "worker-0"$'\n'"$(<"$state/nodes/worker-0/uuid")" "the instance id is the lab's"
is "$(lab exec worker-0 -- sh -c 'exit 7' && echo 0 || echo $?)" 7 "exec hands the exit status on"
is "$(printf 'a\nb\n' | lab exec --stdin worker-0 -- wc -l)" 2 "exec --stdin"
logs=$(lab logs worker-0 2>&1 | tr -d '\r')
like "$logs" 'nodebake: node worker-0 is ready' "logs have the console"
like "$logs" 'journal of worker-0.*firstboot|journal of worker-0.*systemd' "and the journal"
passes "the router answers" pings worker-0 10.240.0.1
passes "the public address answers" pings worker-0 10.240.0.100
like "$(lab exec worker-0 -- getent hosts metadata.google.internal)" '169\.254\.169\.254' "names"
passes "partition" lab partition worker-0
is "$(state_of worker-0)" partitioned "is told"
is "$(pings worker-0 10.240.0.1 >/dev/null && echo yes || echo no)" no "nothing comes through"
passes "exec works all the same" lab exec worker-0 true
passes "heal" lab partition worker-0 --heal
passes "the router answers again" pings worker-0 10.240.0.1
passes "a second worker joins the lab" up worker-1
passes "workers reach each other" pings worker-1 10.240.0.20
like "$(lab exec worker-1 -- ip route get 10.200.0.5)" 'via 10\.240\.0\.1' "pods' addresses go to the router"
passes "stop is orderly" lab stop worker-1
is "$(state_of worker-1)" stopped "and told"
passes "kill" lab kill worker-0
is "$(state_of worker-0)" killed "is told"
passes "up boots both disks again" up worker-0 worker-1
like "$(lab logs worker-0 --console)" 'was finished before' "firstboot finds its stamp"
passes "down" lab down --quiet
is "$(ls -A "$top")" '' "down leaves no file"
is "$(pgrep -f -c -- "$state")" 0 "and no process"
done_testing
