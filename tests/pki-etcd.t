#!/usr/bin/env bash
# Three members of a real etcd with the certificates of `nodebake pki`, in both layouts: they find
# each other, serve whom they should, and refuse all others. Needs: curl, ip, jq, openssl, unshare,
# and what tests/programs unpacks.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/consumers.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
enclose "$@"

address_up 10.240.0.1{0,1,2,3}
members=controller-0=https://10.240.0.10:2380,controller-1=https://10.240.0.11:2380
members+=,controller-2=https://10.240.0.12:2380
endpoints=https://10.240.0.10:2379,https://10.240.0.11:2379,https://10.240.0.12:2379

# issue FOLDER CLUSTER
issue()
{
    "$nodebake" pki --quiet --pki "$1" --cluster "$2" >issue.log 2>&1
    ok $? "$1 by $2: issued"
}

# asks URL CERT CA [OPTION...]: what is answered to a client with that certificate (none: ''), or why
# nothing is.
asks()
{
    curl -sS --fail --http1.1 --max-time 10 --cacert "$3" ${2:+--cert "$2.pem" --key "$2-key.pem"} \
        "${@:4}" "$1" 2>&1
}
unverified='failed to verify client certificate: x509: certificate signed by unknown authority'

# has_joined NAME: a member that has told its name to the others.
has_joined() { etcd_ask "$pki" "$endpoints" member list | grep -q ", started, $1, "; }

# check LAYOUT PKI-SETTINGS
check()
{
    local pki=$1 n name
    layout "$1"
    describe "$2" controller-1 10.240.0.11 controller-2 10.240.0.12 >three.yaml
    describe "$2" controller-1 10.240.0.11 controller-2 10.240.0.12 controller-3 10.240.0.13 >four.yaml
    rm -rf foreign four ./*.etcd ./*.log
    issue "$pki" three.yaml
    cp -a "$pki" four
    issue four four.yaml
    issue foreign four.yaml

    for n in 0 1 2; do etcd_start "$pki" controller-$n 10.240.0.1$n "$members"; done
    up controller-0 60 "$1: all are well" etcd_ask "$pki" "$endpoints" endpoint health
    for n in 0 1 2; do up controller-$n 20 "$1: controller-$n is a member" has_joined controller-$n; done
    is "$(etcd_ask "$pki" "$endpoints" endpoint status -w json | jq '[.[].Status.leader] | unique | length')" 1 \
        "$1: with one leader"
    is "$(etcd_ask "$pki" https://10.240.0.10:2379 put a-key a-value 2>&1)" OK "$1: a client writes"
    is "$(etcd_ask "$pki" https://10.240.0.12:2379 get --print-value-only a-key 2>&1)" a-value \
        "$1: and reads at another member"

    served "$1"
    refused "$1"
    fourth "$1"
    halt KILL controller-{0,1,2,3}
}

# served LAYOUT: whoever should be, by each name.
served()
{
    local n
    for n in 0 1 2; do
        for name in controller-$n 10.240.0.1$n; do
            like "$(asks "https://$name:2379/health" "$pki/$etcd_client" "$pki/$etcd_ca.pem" \
                --resolve "controller-$n:2379:10.240.0.1$n")" '"health":"true"' "$1: $name serves clients"
        done
    done
    like "$(asks https://elsewhere:2379/health "$pki/$etcd_client" "$pki/$etcd_ca.pem" \
        --resolve elsewhere:2379:10.240.0.10)" 'no alternative certificate subject name matches' \
        "$1: another name is not its own"
    like "$(asks https://10.240.0.10:2380/version "$pki/$etcd_peer" "$pki/$etcd_ca.pem")" etcdcluster \
        "$1: peers are served"
}

refused()
{
    local at ca=$pki/$etcd_ca.pem own
    for at in 2379/health 2380/version; do
        refuses controller-0 "didn't provide a certificate" "$1: no certificate: refused at $at" \
            asks "https://10.240.0.10:$at" '' "$ca"
        refuses controller-0 "$unverified" "$1: a certificate of another CA: refused at $at" \
            asks "https://10.240.0.10:$at" "foreign/$etcd_peer" "$ca"
        refuses controller-0 'does not look like a TLS handshake' "$1: plain HTTP: refused at $at" \
            asks "http://10.240.0.10:$at" '' "$ca"
        [ "$1" = separate ] || continue
        for name in admin kube-apiserver{,-kubelet-client} worker-0 front-proxy-client; do
            refuses controller-0 "$unverified" "$1: $name: refused at $at" \
                asks "https://10.240.0.10:$at" "$pki/$name" "$ca"
        done
    done
    [ "$1" = separate ] || {
        like "$(asks https://10.240.0.10:2379/health "$pki/worker-0" "$ca")" '"health":"true"' \
            "$1: a worker is a client of etcd, since it has a certificate of the same CA"
        refuses controller-0 'does not match any of DNSNames' "$1: but no peer, at another address" \
            asks https://10.240.0.10:2380/version "$pki/worker-0" "$ca"
    }
    own=(--endpoints https://10.240.0.10:2379 --dial-timeout 1s --command-timeout 2s)
    refuses controller-0 "$unverified" "$1: etcdctl with a certificate of another CA" \
        etcdctl "${own[@]}" --cacert "$ca" --cert "foreign/$etcd_client.pem" \
        --key "foreign/$etcd_client-key.pem" put a-key other
    is "$(etcd_ask "$pki" "$endpoints" get --print-value-only a-key 2>&1)" a-value "$1: writes nothing"
    refuses controller-0 'remote error: tls: bad certificate' "$1: who trusts another CA does not talk to it" \
        etcdctl "${own[@]}" --cacert "foreign/$etcd_ca.pem" --cert "$pki/$etcd_client.pem" \
        --key "$pki/$etcd_client-key.pem" get a-key
}

# gives_up: fails, as the fourth member does, with the files in mixed/.
gives_up()
{
    etcd_start mixed controller-3 10.240.0.13 "$all" --initial-cluster-state existing
    for _ in {1..300}; do
        kill -0 "${pids[controller-3]}" 2>/dev/null || return 1
        sleep 0.1
    done
    halt KILL controller-3
}

# fourth LAYOUT: a further member gets in with a certificate of the CA, and not with another.
fourth()
{
    local all=$members,controller-3=https://10.240.0.13:2380 added=0 end=$((SECONDS + 30))
    # Members want to have been together for some seconds.
    until etcd_ask "$pki" "$endpoints" member add controller-3 --peer-urls https://10.240.0.13:2380; do
        [ "$SECONDS" -le $end ] || { added=1 && break; }
        sleep 0.5
    done >add.log 2>&1
    ok $added "$1: a fourth member is expected"
    mkdir mixed && cp four/*.pem mixed/ && cp foreign/"$etcd_peer"{,-key}.pem mixed/
    refuses controller-0 "$unverified" "$1: with a peer certificate of another CA it gives up" \
        gives_up
    grep -q 'cannot fetch cluster info from peer urls' controller-3.log
    ok $? "$1: since no peer talks to it"
    has_joined controller-3
    is "$?" 1 "$1: so it is no member"
    rm -rf mixed controller-3.etcd
    etcd_start four controller-3 10.240.0.13 "$all" --initial-cluster-state existing
    up controller-3 60 "$1: with one of the CA it gets in" has_joined controller-3
    up controller-3 60 "$1: and is well" etcd_ask four https://10.240.0.13:2379 endpoint health
    is "$(etcd_ask four https://10.240.0.13:2379 get --print-value-only a-key 2>&1)" a-value \
        "$1: and has what was written"
}

check shared 'key: rsa-2048'
check separate 'layout: separate, cas: each, key: ecdsa-p256'
done_testing
