#!/bin/bash
# Whatever ends the private network, nothing that was started in it stays, and no folder.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"
need unshare setpriv ip flock pgrep

log=$(mktemp)
trap 'rm -f "$log"' EXIT
mark=$((SRANDOM + 1000000))

# start: a network in which two processes sleep, one of them in a session of its own. What a shell
# starts in the background would ignore SIGINT.
start() {
    # shellcheck disable=SC2016 # for the shell inside
    env --default-signal=INT,HUP "$here/net" bash -c 'echo "$NB_RUN"; setsid sleep "$1" & sleep "$1"' _ "$mark" >"$log" &
    net=$!
    while [[ $(pgrep -fxc "sleep $mark") -lt 2 ]]; do sleep 0.1; done
    run=$(head -n 1 "$log")
}

# gone FOLDER: nothing runs any more, and the folder is not there.
gone() {
    local try
    for ((try = 0; try < 50; try++)); do
        pgrep -fx "sleep $mark" >/dev/null || break
        sleep 0.1
    done
    ! pgrep -fx "sleep $mark" && [[ ! -e $1 ]]
}

for signal in TERM INT HUP; do
    start
    kill -s "$signal" "$net"
    status=0
    wait "$net" || status=$?
    status=0
    gone "$run" || status=1
    ok $status "SIG$signal leaves nothing"
done

start
killed=$run
kill -KILL "$net"
wait "$net" 2>/dev/null || true
status=0
gone /nonexistent || status=1
ok $status "SIGKILL leaves no process"
status=0
"$here/net" true || status=1
[[ ! -e $killed ]] || status=1
ok $status "the next run removes the folder that SIGKILL left"

status=0
"$here/net" bash -c 'exit 7' || status=$?
is "$status" 7 "the exit status of the command is handed on"
done_testing
