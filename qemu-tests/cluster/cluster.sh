# shellcheck shell=bash
# What the scenarios of one lab share. They run in the order of their names, in the lab of NB_LAB (its
# folder) with the images of NB_IMAGES of the nodes NB_NODES; qemu-tests/in-lab makes both.

. "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
. "$here/../tests/tap.sh"
build=$(realpath -- "${BUILD:-$here/../build}")
[[ -n ${NB_LAB:-} && -n ${NB_IMAGES:-} ]] || die "NB_LAB and NB_IMAGES are not set: make check-cluster, or qemu-tests/in-lab"
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT

lab() { "$build/nodebake" lab "$1" --cluster "$NB_IMAGES/cluster.yaml" --state "$NB_LAB" "${@:2}"; }
# shellcheck disable=SC2086 # words
up() { lab up ${NB_NODES:-} --out "$NB_IMAGES" --timeout 20m; }
# on NODE SCRIPT
on() { lab exec "$1" -- bash -c "$2"; }
kube() { lab kubectl -- "$@"; }
# state_of NODE
state_of() { lab status --json | jq -r --arg name "$1" '.nodes[] | select(.name == $name).state'; }
etcdctl="ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.pem \
    --cert=/etc/etcd/kubernetes.pem --key=/etc/etcd/kubernetes-key.pem --dial-timeout=60s --command-timeout=60s"
# etcd NODE WORDS
etcd() { on "$1" "$etcdctl $2"; }

# passes NAME COMMAND…: a test that passes when the command succeeds; shows what it printed when not.
passes() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok "$status" "$name"
    [[ $status -eq 0 ]] || diag "status $status: $*"$'\n'"$output"
}

# becomes NAME SECONDS WANTED COMMAND…: a test that passes once the command succeeds and prints what is
# wanted.
becomes() {
    local name=$1 end=$((SECONDS + $2)) wanted="status 0: $3" status got
    shift 3
    while true; do
        status=0
        got=$("$@" 2>"$tmp/errors") || status=$?
        got="status $status: $got"
        [[ $got != "$wanted" && $SECONDS -lt $end ]] || break
        sleep 1
    done
    is "$got" "$wanted" "$name"
    [[ $got == "$wanted" ]] || diag "$(<"$tmp/errors")"
}

# silent NAME NODE SCRIPT: a test that passes when each part of the script succeeds on the node and
# nothing is printed. That the node cannot be asked is no silence.
silent() {
    local status=0 output
    output=$(on "$2" "set -o pipefail; $3" 2>&1) || status=$?
    is "status $status: $output" "status 0: " "$1"
}

# https NODE ADDRESS PORT PATH: the status line that somebody without a certificate gets, from a node.
https() {
    on "$1" "printf 'GET $4 HTTP/1.0\r\n\r\n' | timeout 30 openssl s_client -quiet -connect $2:$3 2>/dev/null |
        head -n 1 | tr -d '\r'"
}

# http NODE ADDRESS PORT HOST PATH: the whole answer, asked for from a node.
http() {
    on "$1" "exec 3<>/dev/tcp/$2/$3 && printf 'GET $5 HTTP/1.0\r\nHost: $4\r\n\r\n' >&3 && timeout 30 cat <&3 | tr -d '\r'"
}

# versions: of what is given to the cluster once and nobody else writes to, as controllers do to nodes
# and service accounts.
versions() {
    kube get -o json clusterrole/system:kube-apiserver-to-kubelet clusterrole/system:coredns \
        clusterrolebinding/system:kube-apiserver clusterrolebinding/system:coredns |
        jq -r '.items[] | .kind + " " + .metadata.resourceVersion'
    kube -n kube-system get -o json configmap/coredns service/kube-dns |
        jq -r '.items[] | .kind + " " + .metadata.resourceVersion'
    kube -n kube-system get deployment coredns -o 'jsonpath={.metadata.generation}'
}

# installed NODE: every file that its contract installs, in one line.
installed() {
    on "$1" "sed -n 's/^template [^ ]* [^ ]* [^ ]* //p; s/^identity [^ ]* [^ ]* [^ ]* [^ ]* //p' \
        /usr/lib/nodebake/contract | sed s/@NODE_NAME@/$1/" | tr '\n' ' '
}

# written NODE: everything of firstboot's, with the times of its last change.
written() {
    on "$1" "find $(installed "$1") /var/lib/nodebake /usr/lib/nodebake \
        /etc/systemd/system /etc/systemd/system-preset -type f,l -printf '%p %i %m %u %s %C@ %T@ %l\n' | sort"
}
