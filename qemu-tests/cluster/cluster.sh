# shellcheck shell=bash
# A cluster in a lab, for the scenarios of this folder. To be sourced with `nodes` set, the machines
# that boot: makes archives and images, and starts them; they are gone at the end.

. "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/../tests/tap.sh"
build=$(realpath -- "${BUILD:-$here/../build}")
nodebake=$build/nodebake
need qemu-system-x86_64 haproxy dnsmasq jq curl

archives=$("$here/make-archives")
# cluster.yaml.in ends with its nodes: more of them come first.
NB_ADDS="${cluster_nodes:-}
containerImages: [$archives/pause.tar, $archives/httpd.tar, $archives/coredns.tar]"
export NB_ADDS
images=$("$here/images" "${nodes[@]}")
tmp=$(mktemp -d)
logs=$build/qemu-logs/$(basename "$0" .t)

lab() { "$nodebake" lab "$1" --cluster "$images/cluster.yaml" --state "$tmp/lab" "${@:2}"; }
# on NODE SCRIPT
on() { lab exec "$1" -- bash -c "$2"; }
kube() { lab kubectl -- "$@"; }

cluster_end() {
    local status=$? node
    if [[ $status -ne 0 || $tap_failed -ne 0 ]]; then
        mkdir -p "$logs"
        for node in "${nodes[@]}"; do lab logs "$node" >"$logs/$node.log" 2>&1 || true; done
        say "logs: $logs"
    fi
    lab down --now >/dev/null 2>&1 || true
    rm -rf -- "$tmp"
}
trap cluster_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# passes NAME COMMAND…: a test that passes when the command succeeds; shows what it printed when not.
passes() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok "$status" "$name"
    [[ $status -eq 0 ]] || diag "status $status: $*"$'\n'"$output"
}

# becomes NAME SECONDS WANTED COMMAND…: a test that passes once the command prints what is wanted.
becomes() {
    local name=$1 end=$((SECONDS + $2)) wanted=$3 got
    shift 3
    while got=$("$@" 2>&1) || true; do
        [[ $got != "$wanted" && $SECONDS -lt $end ]] || break
        sleep 1
    done
    is "$got" "$wanted" "$name"
}

# phase NAME: what happens now, and how long what was before took.
phase() {
    [[ -z ${phase_name:-} ]] || diag "$phase_name: $((SECONDS - phase_start)) s"
    phase_name=$1 phase_start=$SECONDS
}
