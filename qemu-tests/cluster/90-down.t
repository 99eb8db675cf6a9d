#!/bin/bash
# The lab goes down and leaves nothing.
set -euo pipefail
. "$(dirname "$0")/cluster.sh"

port=$(sed -n 's/^ *server: .*://p' "$NB_LAB/kubeconfig")
# Machines take their time to shut down, which the whole matrix waits for.
[[ -n ${FULL:-} ]] || now=--now
passes "down ${now:-}" lab down --quiet ${now:+"$now"}
is "$(ls -A "$(dirname "$NB_LAB")")" '' "leaves no file"
is "$(pgrep -f -c -- "$NB_LAB/" || true)" 0 "no process"
is "$(curl -s --max-time 5 "https://127.0.0.1:$port" || echo $?)" 7 "and nobody at the port"
done_testing
