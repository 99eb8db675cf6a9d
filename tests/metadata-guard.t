#!/usr/bin/env bash
# The rule that keeps pods from the metadata service, with a real packet filter: a node, a pod behind
# its bridge and the service, each in a network namespace. Nothing leaves them. Needs: unshare,
# nsenter, ip, iptables, socat, perl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin
guard=$PWD/overlays/metadata-guard/usr/lib/nodebake/guard-metadata

if [ "${1:-}" != --inside ]; then
    for tool in unshare nsenter ip iptables socat; do
        command -v $tool >/dev/null || {
            echo "1..0 # SKIP needs $tool"
            exit 0
        }
    done
    unshare -Urnpf --mount-proc --kill-child sh -c 'iptables -w -t mangle -L' >/dev/null 2>&1 || {
        echo '1..0 # SKIP this machine lets nobody make user namespaces with packet filters'
        exit 0
    }
    exec unshare -Urnmpf --mount-proc --kill-child bash "$0" --inside
fi

# namespace: a new one; sets pid.
namespace()
{
    unshare -n sleep 300 &
    pid=$!
    within 10 sh -c "[ \"\$(readlink /proc/$pid/ns/net)\" != \"\$(readlink /proc/$$/ns/net)\" ]"
    nsenter -t $pid -n ip link set lo up
}

mount -t tmpfs tmpfs /run && cd /run || exit 1 # iptables' lock, and what is written here
namespace && pod=$pid
namespace && outside=$pid
ip link set lo up
ip link add cni0 type bridge
ip addr add 10.200.0.1/24 dev cni0
ip link set cni0 up
ip link add pod type veth peer name eth0 netns $pod
ip link set pod master cni0 up
nsenter -t $pod -n ip addr add 10.200.0.2/24 dev eth0
nsenter -t $pod -n ip link set eth0 up
nsenter -t $pod -n ip route add default via 10.200.0.1
ip link add eth0 type veth peer name eth0 netns $outside
ip addr add 10.240.0.20/24 dev eth0
ip link set eth0 up
ip route add default via 10.240.0.1
nsenter -t $outside -n ip addr add 10.240.0.1/24 dev eth0
nsenter -t $outside -n ip addr add 169.254.169.254/32 dev eth0
nsenter -t $outside -n ip link set eth0 up
echo 1 >/proc/sys/net/ipv4/ip_forward
iptables -w -t nat -A POSTROUTING -s 10.200.0.0/24 ! -d 10.200.0.0/24 -j MASQUERADE
# A service, as kube-proxy would have it, whose endpoint is the metadata service.
iptables -w -t nat -A PREROUTING -d 10.32.0.99 -p tcp --dport 80 -j DNAT --to-destination 169.254.169.254:80
# What another program may put before all others.
iptables -w -I FORWARD -j ACCEPT
nsenter -t $outside -n socat TCP4-LISTEN:80,fork,reuseaddr EXEC:'echo secret' 2>/dev/null &

# reach [pod] ADDRESS [PORT]: what is said there; "" within a second if nothing.
reach()
{
    local in=()
    [ "$1" != pod ] || { in=(nsenter -t $pod -n) && shift; }
    "${in[@]}" socat -T1 -t1 - "TCP4:$1:${2:-80},connect-timeout=1" </dev/null 2>/dev/null
}
# udp PID PORT: what the namespace of that process is told there, within three seconds.
for port in 53 54; do
    nsenter -t $outside -n perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp",
        LocalAddr => "169.254.169.254", LocalPort => shift); $s->send("name") while defined $s->recv($q, 9)' $port &
done
udp() {
    nsenter -t "$1" -n perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp",
        PeerAddr => "169.254.169.254", PeerPort => shift); vec($r, fileno $s, 1) = 1;
        for (1 .. 3) { $s->send("q"); if (select $x = $r, undef, undef, 1) { $s->recv($a, 9) and last } } print $a' "$2" 2>/dev/null
}
nsenter -t $outside -n socat TCP4-LISTEN:53,fork,reuseaddr EXEC:'echo name' 2>/dev/null &
rules() { iptables -w -t mangle -S FORWARD | grep -c -- '-d 169.254.169.254/32 -j NODEBAKE-METADATA'; }

within 10 sh -c 'socat -T1 - TCP4:169.254.169.254:80,connect-timeout=1 </dev/null 2>/dev/null | grep -q secret'
is "$(reach pod 169.254.169.254)" secret "without the rule a pod reads secrets"
is "$(reach pod 10.32.0.99)" secret "also through a service"
is "$(udp $pod 54)" name "and any other port"

"$guard" 2>err
is "$?:$(<err)" 0: "the rule is set"
is "$(reach pod 169.254.169.254)" "" "with it a pod does not"
is "$(reach pod 10.32.0.99)" "" "nor through a service"
is "$(udp $pod 54)" "" "nor any other port"
is "$(udp $pod 53):$(reach pod 169.254.169.254 53)" name:name "but names, which that address gives on Compute Engine"
is "$(reach 169.254.169.254)" secret "the node itself does"
is "$(reach pod 10.240.0.1)" secret "a pod reaches all else"
"$guard" && "$guard"
is "$?:$(rules)" 0:1 "set again, it is there once"
iptables -w -F FORWARD && iptables -w -I FORWARD -j ACCEPT
is "$(reach pod 169.254.169.254)" "" "who sets the filter table anew does not take it away"
done_testing
