#!/usr/bin/env bash
# firstboot's two processes: the one that talks to the network holds nothing of the root and may make
# few system calls; the one that writes has no socket. Inside user, mount and network namespaces of
# its own. Needs: unshare, nsenter, ip, perl, strace; dnsmasq
# for some.
set -u
cd "$(dirname "$0")/.." || exit 1
[ "${1:-}" = inside ] || exec unshare -Urmn "$0" inside
. tests/tap.sh
. tests/fake-root.sh
. tests/fake-cloud.sh
firstboot=$PWD/${BUILD:-build}/firstboot
tmp=$(mktemp -d)
R=$tmp/root
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$tmp"' EXIT
make_dmi "$tmp/gce" 9b3c2f0e-0000-4000-8000-000000000001
begin_fake_cloud
make_values "$tmp/values"
serve "$tmp/values" "$tmp/log"

# boot [STRACE...]: a first boot under strace; sets out and status, and asker and writer: their calls.
boot()
{
    make_root "$R" ${contract:+"$contract"}
    rm -f "$tmp"/trace*
    out=$(timeout 60 strace -qq -f -yy -o "$tmp/trace" "$@" "$firstboot" --root "$R" --dmi "$tmp/gce" 2>&1 </dev/null)
    status=$?
    local first
    first=$(awk '{ print $1; exit }' "$tmp/trace")
    writer=$(grep "^$first " "$tmp/trace")
    asker=$(grep -v "^$first " "$tmp/trace")
}

boot
like "$status:$out" "^0:nodebake: node worker-0 is ready: 8 files, 4 units, source gce" "a first boot"
is "$(grep -c ' socket(' <<<"$writer")" 0 "who writes has no socket"
like "$(grep -c ' socket(' <<<"$asker")" '^[1-9]' "who asks has some"
is "$(grep -E ' (open|openat|openat2|creat|renameat|mkdirat|symlinkat|unlinkat|fsync|mount|execve|fork|clone|clone3|ptrace|kill)\(' \
    <<<"$asker")" "" "and opens, writes, starts nothing else"
bound=$(sed -n '/SECCOMP_MODE_FILTER/,$p' <<<"$asker")
like "$bound" "SECCOMP_MODE_FILTER.* = 0" "it is bound by a filter"
is "$(grep -c ' socket(' <<<"$asker")" "$(grep -c ' socket(' <<<"$bound")" "before it opens a socket"
is "$(grep -n -m1 -E 'SECCOMP|close_range\(' <<<"$asker" | grep -c close_range)" 1 \
    "and after it closed what it had"
is "$(grep -c "<$R" <<<"$bound")" 0 "nothing of the root is open in it"
is "$(grep -cE ' execve\(' "$tmp/trace")" 1 "no program is run"
is "$(grep -E ' (brk|mmap)\(' "$tmp/trace" | grep -vc 'NULL, [0-9]*, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,')" 0 \
    "no memory is asked for"
is "$(grep -cE ' mmap\(' "$tmp/trace")" 1 "but for what both know of the network"

boot -e inject=prctl:error=EINVAL
like "$status:$out" "^0:nodebake: gce: this kernel has no seccomp; the process that asks is not bound
nodebake: node worker-0 is ready" "a kernel without seccomp is said, and it goes on"
boot -e inject=close_range:error=ENOSYS
like "$status:$out" "^0:.*is ready" "a kernel without close_range"
is "$(sed -n '/SECCOMP_MODE_FILTER/,$p' <<<"$asker" | grep -c "<$R")" 0 "closes all the same"

boot -e inject=getsockopt,connect:signal=SYS
like "$status:$out" "^1:nodebake: firstboot: gce: the process that asks was killed by signal 31, for a \
system call that it may not make; nothing was enabled$" "one that is killed is told"
is "$(left_over "$R")$(enabled "$R")" "" "and nothing was written"
boot -e inject=fork,clone,clone3:error=EAGAIN
like "$status:$out" "^1:nodebake: firstboot: gce: start a process that asks: .*; nothing was enabled$" \
    "a machine without a process to spare"
boot -e inject=pipe2:error=EMFILE
like "$status:$out" "^1:nodebake: firstboot: gce: make a pipe: .*; nothing was enabled$" "or without a pipe"

# One that is killed leaves the network to be taken down.
PATH=$PATH:/usr/sbin
if command -v dnsmasq >/dev/null; then
    ip addr flush dev v0
    ip link set v0 down
    there dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=far --no-ping --dhcp-authoritative \
        --dhcp-range=10.240.0.20,10.240.0.20 --dhcp-option=3,10.240.0.1 --dhcp-leasefile="$tmp/leases" \
        --log-dhcp >"$tmp/dnsmasq.log" 2>&1 &
    within 10 grep -qs 'DHCP, IP range' "$tmp/dnsmasq.log"
    network() { ip -o link show up dev v0; ip -o addr show dev v0; ip route; }
    sed 's/^deadline .*/deadline 3/' tests/golden/contract-worker-0 >"$tmp/short"
    boot -e inject=getsockopt,connect:signal=SYS
    like "$status:$out" "^1:.* was killed by signal 31" "one that has a lease is killed"
    like "$asker" 'RTM_NEWADDR' "when its address is there"
    is "$(network)" "" "the network is taken down all the same"
    is "$(grep -c ' socket(' <<<"$writer")" 0 "not by who writes"
    contract=$tmp/short
    boot -e inject=getsockopt,connect:signal=STOP
    like "$status:$out" "^1:.*wait for the process that asks: .*timed out; nothing" "one that does nothing any more"
    is "$(network)" "" "leaves no network either"
else
    diag "SKIP the network after a kill: no dnsmasq here"
fi

done_testing
