# shellcheck shell=bash
# etcd and the API server with the files of `nodebake pki`, in namespaces of the test's own. To be
# sourced after tap.sh.
#
#   test ── unshare ── the same test, pid 1, with `lo` alone: what it starts ends with it

declare -A pids=()

# enclose ARG...: the script again, in those namespaces; there, it goes on with $programs and $tmp.
enclose()
{
    if [ "${1:-}" = --enclosed ]; then
        programs=$2 tmp=$3
        trap tell_logs EXIT
        export HOME=$tmp/home PATH=$programs:$PATH:/usr/sbin:/sbin ETCDCTL_API=3
        unset TMPDIR XDG_CACHE_HOME KUBECONFIG
        mkdir "$HOME"
        cd "$tmp" || exit 1
        return
    fi
    unshare -Urnpf true 2>/dev/null || {
        echo '1..0 # SKIP this machine lets nobody make user namespaces'
        exit 0
    }
    programs=$(tests/programs) || exit 1
    tmp=$(mktemp -d) || exit 1
    trap 'kill -KILL $child 2>/dev/null; wait $child 2>/dev/null; rm -rf "$tmp"' EXIT
    trap 'exit 143' INT TERM
    unshare -Urnpf --mount-proc --kill-child bash "$0" --enclosed "$programs" "$tmp" &
    child=$!
    wait $child
    exit
}

# tell_logs: what the programs said, when the test did not go well.
tell_logs()
{
    local status=$? log
    [ $status -ne 0 ] || return 0
    for log in "$tmp"/*.log; do
        diag "--- ${log##*/}, its end:"
        diag "$(grep -vE '^I[0-9]{4} ' "$log" | tail -n 25)"
    done
    exit $status
}

# address_up ADDRESS...
address_up()
{
    local address
    ip link set lo up
    for address; do ip address add "$address/32" dev lo; done
}

# launch NAME COMMAND...: in the background, as pids[NAME]; what it says is added to NAME.log.
launch()
{
    local name=$1
    shift
    "$@" >>"$tmp/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
}

# halt SIGNAL NAME...: ends them, and waits for that.
halt()
{
    local signal=$1 name
    shift
    for name; do kill -s "$signal" "${pids[$name]}"; done 2>/dev/null
    for name; do
        wait "${pids[$name]}"
        unset "pids[$name]"
    done 2>/dev/null
}

# up NAME SECONDS WHAT COMMAND...: passes as soon as the command succeeds; when it never does, or when
# NAME ends before, so does the script.
up()
{
    local name=$1 end=$((SECONDS + $2)) what=$3 status=0
    shift 3
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -le "$end" ] && kill -0 "${pids[$name]}" 2>/dev/null || {
            status=1
            break
        }
        sleep 0.1
    done
    ok $status "$what"
    [ $status -eq 0 ] || exit 1
}

# describe PKI [NAME ADDRESS]...: the golden cluster.yaml, with these settings and further controllers.
describe()
{
    cat "$golden/cluster.yaml"
    [ $# -eq 1 ] || printf '  - {name: %s, role: controller, address: %s}\n' "${@:2}"
    echo "pki: {$1}"
}

# layout NAME: which certificates, and which CAs, are for what.
layout()
{
    server=kubernetes kubelet_client=kubernetes etcd_client=kubernetes
    etcd_server=kubernetes etcd_peer=kubernetes etcd_ca=ca
    [ "$1" = separate ] || return 0
    server=kube-apiserver kubelet_client=kube-apiserver-kubelet-client
    etcd_client=kube-apiserver-etcd-client
    etcd_server=etcd-server etcd_peer=etcd-peer etcd_ca=etcd-ca
}

# listens ADDRESS PORT
listens() { (: <"/dev/tcp/$1/$2") 2>/dev/null; }

# etcd_start PKI NAME ADDRESS MEMBERS OPTION...: a member with the flags of the document (whose
# MEMBERS are NAME=URL,...) and these.
etcd_start()
{
    local pki=$1 name=$2 address=$3 members=$4
    shift 4
    launch "$name" etcd --name "$name" --data-dir "$tmp/$name.etcd" \
        --cert-file "$pki/$etcd_server.pem" --key-file "$pki/$etcd_server-key.pem" \
        --peer-cert-file "$pki/$etcd_peer.pem" --peer-key-file "$pki/$etcd_peer-key.pem" \
        --trusted-ca-file "$pki/$etcd_ca.pem" --peer-trusted-ca-file "$pki/$etcd_ca.pem" \
        --client-cert-auth --peer-client-cert-auth \
        --initial-advertise-peer-urls "https://$address:2380" \
        --listen-peer-urls "https://$address:2380" \
        --listen-client-urls "https://$address:2379" \
        --advertise-client-urls "https://$address:2379" \
        --initial-cluster-token etcd-cluster-0 --initial-cluster "$members" "$@"
}

# refuses NAME REGEX WHAT COMMAND...: the command fails, and NAME's log says why from then on.
refuses()
{
    local log=$tmp/$1.log regex=$2 what=$3 from said=no status
    from=$(($(wc -l <"$log") + 1))
    "${@:4}" >"$tmp/refused.log" 2>&1
    status=$?
    for _ in {1..50}; do
        ! tail -n "+$from" "$log" | grep -qE "$regex" || { said=yes && break; }
        sleep 0.1
    done
    is "$((status != 0)):$said" 1:yes "$what"
}

# etcd_ask PKI ENDPOINTS ARG...: etcdctl as the API server.
etcd_ask()
{
    etcdctl --cacert "$1/$etcd_ca.pem" --cert "$1/$etcd_client.pem" --key "$1/$etcd_client-key.pem" \
        --endpoints "$2" --command-timeout 10s "${@:3}"
}
