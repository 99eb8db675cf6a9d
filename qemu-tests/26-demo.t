#!/bin/bash
# qemu-tests/demo with a stand-in for nodebake: what it refuses, how it ends, and that nothing is left.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"

top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
export BUILD=$top/build TMPDIR=$top/tmp CALLS=$top/calls
unset NB_COMPONENTS NB_BASE NB_ADDS
mkdir -p "$BUILD" "$TMPDIR"
touch "$BUILD/firstboot"
# It makes and removes the lab's folder; UP is the exit status of `lab up`, READY is worker-1's.
cat >"$BUILD/nodebake" <<'STAND_IN'
#!/bin/bash
echo "$*" >>"$CALLS"
call="$1 $2" all="$*"
until [[ $# -lt 2 || $1 == --state ]]; do shift; done
case $call in
'lab up') mkdir "$2" && touch "$2/kubeconfig" && sleep "${SLEEP:-0}" & wait $! && exit "${UP:-0}" ;;
'lab down') rm -r "$2" ;;
'lab kubectl')
    case $all in
    *jsonpath*) printf 'worker-0 True\nworker-1 %s\n' "${READY:-True}" ;;
    *'-o wide') echo 'the nodes' ;;
    *--raw*) echo 'hello from a stand-in' ;;
    esac
    ;;
esac
STAND_IN
chmod +x "$BUILD/nodebake"

# demo OPTION…: its status, and what it says, in a line each.
demo() {
    local status=0
    "$here/demo" "$@" >"$top/said" 2>"$top/errors" || status=$?
    echo "$status"
}
# left: the folders of demo, and what it called last.
left() { find "$TMPDIR" -mindepth 1 && tail -n 1 "$CALLS" | cut -d ' ' -f 1-3; }
lines() { grep -c . "$top/errors"; }

mkdir "$top/empty" "$top/other"
is "$(demo --check --components "$top/empty") $(lines)" "1 1" "a folder without release.yaml is refused, in one line"
like "$(<"$top/errors")" "^demo: $top/empty: no release.yaml" "that names it"
echo 'version: 1' >"$top/other/release.yaml"
is "$(demo --check --components "$top/other") $(lines)" "1 1" "and a release without a version"
is "$(demo --chek)" 2 "and an option that is none"
printf 'kubernetes: 1.21.0 # mine\nsandboxImage: example/pause:1\n' >"$top/other/release.yaml"
is "$(demo --check --components "$top/other")" 0 "a release of one's own"

is "$(demo)" 0 "a cluster that is ready"
like "$(<"$top/said")" $'^\nthe nodes\n.*it answers: hello.*components +[0-9]+ s\nbase image +[0-9]+ s\nimages +[0-9]+ s\nboot until ready +[0-9]+ s\n' \
    "is shown, with the times"
like "$(<"$top/errors")" "Kubernetes [0-9.]+, built from Debian's packages" "and which release it has"
is "$(left)" "lab down --now" "nothing is left"
is "$(READY=False demo)" 1 "a node that is not Ready"
is "$(left)" "lab down --now" "nothing is left of that, too"
is "$(UP=1 demo)" 1 "a lab that does not come up"
is "$(left)" "lab down --now" "nothing is left of that, too"

# Signals: a shell's background jobs ignore SIGINT, and so would demo.
for signal in INT TERM HUP; do
    rm -f "$CALLS"
    status=0
    SLEEP=60 timeout --signal="$signal" --kill-after=20 5 "$here/demo" >/dev/null 2>&1 || status=$?
    is "$status $(left)" "124 lab down --now" "SIG$signal while it boots: nothing is left"
done

is "$(demo --components "$top/other" --keep)" 0 "--keep"
like "$(<"$top/errors")" "Kubernetes 1.21.0, of $top/other" "of a release of one's own"
like "$(<"$top/said")" "lab down --state $BUILD/demo" "says how to end it"
is "$(left) $(ls -d "$BUILD/demo")" "lab kubectl --state $BUILD/demo" "and leaves it up"
is "$(demo --keep)" 1 "a second one is refused"
is "$(ls -d "$BUILD/demo")" "$BUILD/demo" "and the first stays"
done_testing
