# A metadata service that only this script reaches, for the scripts that test firstboot: source it
# inside user, mount and network namespaces (unshare -Urmn), after tap.sh.

# begin_fake_cloud: the network is up (v0, 10.240.0.20), and nobody answers at 169.254.169.254 yet. Its
# other end (far) is in a second network namespace; there() runs a command in it, and whoever sources
# this ends $server at its end.
begin_fake_cloud()
{
    ip link set lo up
    unshare -n sleep 600 >/dev/null 2>&1 &
    server=$!
    within 10 is_apart
    ip link add v0 type veth peer name far netns $server
    there ip addr add 10.240.0.1/24 dev far
    there ip addr add 169.254.169.254/32 dev far
    there ip link set far up
    ip addr add 10.240.0.20/24 dev v0
    ip link set v0 up
    ip route add default via 10.240.0.1
}

is_apart()
{
    [ "$(readlink /proc/$server/ns/net)" != "$(readlink /proc/self/ns/net)" ]
}

there()
{
    nsenter -t $server -n "$@"
}

# serve DIR LOG: GCE's service, with the values of a folder (instance/name and so on).
serve()
{
    nsenter -t $server -n tests/serve-values 169.254.169.254:80 "$1" 2>"$2" >/dev/null &
    within 10 grep -qs listening "$2"
}

# make_values DIR: what GCE tells worker-0.
make_values()
{
    mkdir -p "$1/instance/attributes" "$1/instance/network-interfaces/0" "$1/project/attributes"
    printf worker-0 >"$1/instance/name"
    printf 4711 >"$1/instance/id"
    printf 10.240.0.20 >"$1/instance/network-interfaces/0/ip"
    printf 10.200.0.0/24 >"$1/instance/attributes/pod-cidr"
}
