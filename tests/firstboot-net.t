#!/bin/bash
# firstboot's network, as it ships, against a real DHCP server: each case in a user and network
# namespace of its own, with the server at the other end of a veth pair in a second one.
# Nothing leaves these namespaces. Needs: unshare, nsenter, ip, dnsmasq, busybox.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh # within
build=${BUILD:-build}
net_try=$PWD/$build/tests/net-try
metadata_try=$PWD/$build/tests/metadata-try

# --- inside the namespaces -------------------------------------------------------------------

check() { # check DESCRIPTION COMMAND...: a test; what went on is shown when it fails
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok - $case: $what"
    else
        echo "not ok - $case: $what"
        { echo "failed: $*"; cat out; ip -br addr; ip route; cat ./*.log; } 2>&1 | sed 's/^/# /'
    fi
}

state() { # everything that firstboot could have changed
    ip -br link | sed 's/@[^ ]*//' && ip -br addr && ip route show table all && ip -6 route
}

wire() { # wire NAME: the interface NAME here, its other end NAME-far in the server's namespace
    ip link add "$1" type veth peer name "$1-far"
    ip link set "$1-far" netns "$server"
}

there() { # there COMMAND...: in the server's namespace
    nsenter -t "$server" -n "$@"
}

plug() { # plug NAME: the other end comes up
    there ip link set "$1-far" up
}

is_up() { ip -br link show dev "$1" | grep -q ' UP '; }

raise() { # raise NAME: somebody has set it up; IPv6 would go on changing things by itself
    echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"
    ip link set "$1" up
    within 10 is_up "$1"
}

dhcp() { # dhcp NAME OPTION...: a DHCP server at the other end of NAME, which gives 10.240.0.20
    local name=$1
    shift
    there ip addr add 10.240.0.1/24 dev "$name-far"
    there ip addr add 169.254.169.254/32 dev "$name-far"
    there dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface="$name-far" --no-ping \
        --dhcp-authoritative --dhcp-range=10.240.0.20,10.240.0.20 --dhcp-leasefile="$PWD/leases" \
        --log-dhcp "$@" >dnsmasq.log 2>&1 &
    local tries=0
    until grep -qs 'DHCP, IP range' dnsmasq.log; do
        sleep 0.02
        ((++tries < 100)) || break
    done
}

metadata() { # the metadata service beside it
    there "$metadata_try" 169.254.169.254:80 worker-0 10.240.0.20 10.200.0.0/24 2>metadata.log &
    within 10 grep -qs listening metadata.log
}

try() { # try MILLISECONDS PATH...: runs net-try to where it holds the network up
    mkfifo hold
    before=$(state)
    started=$(date +%s%3N)
    "$net_try" "$@" <hold >out 2>&1 &
    tried=$!
    exec 3>hold
    until grep -qE '^(ready|no |gce|aws|add |open |list )' out; do
        sleep 0.01
        kill -0 $tried 2>/dev/null || break
    done
    took=$(($(date +%s%3N) - started))
}

let_go() { # net_down
    exec 3>&-
    wait $tried
    status=$?
    after=$(state)
}

reaches_metadata() {
    check 'the metadata service answers' grep -qx 'instance/name: worker-0' out
    check 'and knows who asks' grep -qx 'instance/attributes/pod-cidr: 10.200.0.0/24' out
}

leaves_no_trace() {
    check 'net_down says so' grep -qx down out
    check 'nothing is left behind' test "$before" = "$after"
}

has_address() {
    ip -4 -o addr show dev "$1" | grep -q " $2 "
}

paths=(instance/name instance/attributes/pod-cidr)

case_router() {
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'has the address' has_address v0 10.240.0.20/24
    check 'that ends with the lease' sh -c 'ip addr show dev v0 | grep -qE "valid_lft 3[56]..sec"'
    check 'has a default route' sh -c 'ip route | grep -q "^default via 10.240.0.1 dev v0"'
    check 'in under two seconds and a half' test "$took" -lt 2500
    let_go
    check 'net-try ends well' test "$status" = 0
    leaves_no_trace
}

case_aws() { # the same service as AWS's: with a token
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata
    try 5000 meta-data/tags/instance/{Name,pod-cidr,none} meta-data/local-ipv4
    check 'the name is there' grep -qx 'meta-data/tags/instance/Name: worker-0' out
    check 'the pod CIDR, too' grep -qx 'meta-data/tags/instance/pod-cidr: 10.200.0.0/24' out
    check 'what is not there is absent' grep -qx 'meta-data/tags/instance/none: (absent)' out
    check 'the address is that of the lease' grep -qx 'meta-data/local-ipv4: 10.240.0.20' out
    check 'one token is enough' sh -c 'grep -c "PUT /latest/api/token 200" metadata.log | grep -qx 1'
    let_go
    leaves_no_trace
}

case_no_router() {
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3 && metadata
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'has a route on the link' sh -c 'ip route | grep -q "^169.254.169.254 dev v0 .*scope link"'
    check 'and no default route' sh -c '! ip route | grep -q ^default'
    let_go
    leaves_no_trace
}

case_slash32() { # as on GCE: no network on the link, the router outside it
    wire v0 && plug v0
    dhcp v0 --dhcp-option-force=1,255.255.255.255 --dhcp-option=3,10.240.0.1 && metadata
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'has the address alone' has_address v0 10.240.0.20/32
    check 'has a default route' sh -c 'ip route | grep -q "^default via 10.240.0.1 dev v0.*onlink"'
    let_go
    leaves_no_trace
}

case_classless() { # option 121 goes before option 3
    wire v0 && plug v0
    dhcp v0 --dhcp-option=3,10.240.0.99 \
        --dhcp-option-force=121,10.9.0.0/16,10.240.0.98,0.0.0.0/0,10.240.0.97,169.254.169.254/32,10.240.0.1
    metadata
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'takes the most specific route' \
        sh -c 'ip route | grep -q "^169.254.169.254 via 10.240.0.1 dev v0"'
    let_go
    leaves_no_trace
}

case_two_nics() { # the first has a link and no server
    wire v0 && plug v0 && wire v1 && plug v1 && dhcp v1 --dhcp-option=3,10.240.0.1 && metadata
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'the one with a server has the address' has_address v1 10.240.0.20/24
    check 'the other one has none' sh -c '! ip -4 -o addr show dev v0 | grep -q inet'
    check 'does not wait for the other one' test "$took" -lt 2500
    let_go
    leaves_no_trace
}

case_two_leases() { # the first gives a lease, and nothing is behind it
    wire v0 && plug v0 && wire v1 && plug v1 && dhcp v1 --dhcp-option=3,10.240.0.1 --bind-interfaces && metadata
    there ip addr add 10.7.0.1/24 dev v0-far
    there dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=v0-far --bind-interfaces \
        --no-ping --dhcp-authoritative --dhcp-range=10.7.0.20,10.7.0.20 --dhcp-option=3,10.7.0.99 \
        --dhcp-leasefile="$PWD/leases-v0" >dnsmasq-v0.log 2>&1 &
    within 10 grep -qs 'DHCP, IP range' dnsmasq-v0.log
    there ip link set v1-far down
    (within 20 grep -qs 'DHCPACK' dnsmasq-v0.log && plug v1) & # so that the first one has it first
    try 15000 "${paths[@]}"
    reaches_metadata
    check 'had a lease on the first' grep -q DHCPACK dnsmasq-v0.log
    check 'the one that leads there has the address' has_address v1 10.240.0.20/24
    check 'the other one has none' sh -c '! ip -4 -o addr show dev v0 | grep -q inet'
    check 'one default route' sh -c 'ip route | grep -c ^default | grep -qx 1'
    let_go
    check 'nothing is left behind' sh -c 'ip -4 -o addr | grep -qv " lo " || test -z "$(ip route)"'
}

case_two_leases_in_vain() { # both give leases, and nobody is behind either
    wire v0 && plug v0 && wire v1 && dhcp v0 --dhcp-option=3,10.240.0.99
    there ip addr del 169.254.169.254/32 dev v0-far
    try 3000 "${paths[@]}"
    check 'says what was missing' grep -qE \
        '^no network after [0-9]+ ms: v[01]: .*no metadata service behind it' out
    check 'ends with the deadline' test "$took" -ge 2900 -a "$took" -lt 6000
    let_go
    leaves_no_trace
}

case_late_link() {
    wire v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata
    (sleep 0.5 && plug v0) &
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'waited for the link' test "$took" -ge 400 -a "$took" -lt 2500
    let_go
    check 'nothing is left behind' test "$before" = "$after"
}

case_late_interface() {
    (sleep 0.5 && wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata) &
    try 5000 "${paths[@]}"
    reaches_metadata
    let_go
    check 'the link is down again' sh -c 'ip -br link show v0 | grep -q DOWN'
    check 'without addresses and routes' sh -c '! ip addr show v0 | grep inet; test -z "$(ip route)"'
}

case_late_server() {
    wire v0 && plug v0
    (sleep 0.7 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata) &
    try 5000 "${paths[@]}"
    reaches_metadata
    let_go
    leaves_no_trace
}

case_manager_afterwards() { # a client with an identifier of its own is given the same lease
    wire v0 && plug v0
    dhcp v0 --dhcp-option=3,10.240.0.1 --dhcp-range=10.240.0.21,10.240.0.220
    try 5000
    given=$(ip -4 -o addr show dev v0 | awk '{ print $4 }')
    check 'has an address' test -n "$given"
    let_go
    leaves_no_trace
    ip link set v0 up
    printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip" >bound\n' >script && chmod +x script
    busybox udhcpc -i v0 -n -q -t 10 -T 1 -C -x 0x3d:ff11223344 -s "$PWD/script" >udhcpc.log 2>&1
    check 'the lease is kept for it' test "$(cat bound)/24" = "$given"
}

case_up_already() {
    wire v0 && plug v0 && dhcp v0 && metadata
    ip addr add 10.240.0.20/24 dev v0
    raise v0
    ip route add default via 10.240.0.1
    try 5000 "${paths[@]}"
    reaches_metadata
    check 'asks no DHCP server' sh -c '! grep -q DHCPDISCOVER dnsmasq.log'
    let_go
    leaves_no_trace
}

case_link_up_already() {
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata
    raise v0
    try 5000 "${paths[@]}"
    reaches_metadata
    let_go
    leaves_no_trace
}

case_address_already() { # an address that leads nowhere; the lease comes beside it
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1 && metadata
    ip addr add 192.168.7.7/24 dev v0
    raise v0
    try 5000 "${paths[@]}"
    reaches_metadata
    let_go
    leaves_no_trace
}

case_no_server() {
    wire v0 && plug v0 && wire v1
    try 800 "${paths[@]}"
    check 'says what was missing on each' \
        grep -qE '^no network after [0-9]+ ms: v[01]: .*; v[01]: ' out
    check 'a lease on one' grep -q 'v0: no DHCP lease' out
    check 'a link on the other' grep -q 'v1: no link' out
    check 'ends with the deadline' test "$took" -ge 750 -a "$took" -lt 2500
    let_go
    check 'net-try fails' test "$status" = 1
    leaves_no_trace
}

case_no_interface() {
    try 300 "${paths[@]}"
    check 'says so' grep -qE '^no network after [0-9]+ ms: there is no Ethernet interface$' out
    let_go
    leaves_no_trace
}

case_bad_server() {
    wire v0 && plug v0 && dhcp v0 --dhcp-option-force=1,255.0.255.0
    try 800 "${paths[@]}"
    check 'says what was wrong with the answer' grep -q 'v0: no DHCP lease (bad option 1 (mask))' out
    let_go
    leaves_no_trace
}

case_no_metadata() {
    wire v0 && plug v0 && dhcp v0 --dhcp-option=3,10.240.0.1
    try 1500 "${paths[@]}"
    check 'says who refuses' \
        grep -qE '^gce: instance/name: connect to 169.254.169.254:80: Connection refused \(gave' out
    let_go
    leaves_no_trace
}

if [ "${1:-}" = --case ]; then
    case=$2
    cd "$3" || exit 1
    ip link set lo up
    unshare -n sleep 60 &
    server=$!
    until [ "$(readlink /proc/$server/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do
        sleep 0.01
    done
    there ip link set lo up
    "case_$case"
    echo "# the end of $case"
    exit 0 # its PID namespace ends, and with it every program of the case
fi

# --- outside ---------------------------------------------------------------------------------

for tool in unshare nsenter ip dnsmasq busybox; do
    command -v $tool >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || {
        echo "1..0 # SKIP needs $tool"
        exit 0
    }
done
PATH=$PATH:/usr/sbin:/sbin
unshare -Urnpf true 2>/dev/null || {
    echo '1..0 # SKIP this machine lets nobody make user namespaces'
    exit 0
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cases=${*:-$(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$0")}
for name in $cases; do
    mkdir "$scratch/$name"
    unshare -Urnpf --mount-proc --kill-child bash "$PWD/tests/firstboot-net.t" --case "$name" \
        "$scratch/$name" >"$scratch/$name.tap" 2>&1 &
    (($(jobs -rp | wc -l) < 4)) || wait -n
done
wait
for name in $cases; do
    cat "$scratch/$name.tap"
    grep -qx "# the end of $name" "$scratch/$name.tap" ||
        echo "not ok - $name: ran to its end" | tee -a "$scratch/$name.tap"
done
count=$(cat "$scratch"/*.tap | grep -cE '^(not )?ok ')
echo "1..$count"
