#!/usr/bin/env bash
# `nodebake pki` killed before each rename, fsync and removal: the next run completes, no key is lost
# or left readable, no certificate lies without its key. Needs: strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
(cat "$golden/cluster.yaml" && echo 'pki: {key: ecdsa-p256, layout: separate, cas: each}') >cluster.yaml
sed 's/^publicAddress: .*/publicAddress: 203.0.113.99/' cluster.yaml >moved.yaml

# sound: what the cut run left goes together; says what does not.
sound()
{
    local cert stem
    for cert in $(cd pki && echo *.pem); do
        stem=${cert%.pem}
        [[ $stem != *-key && $stem != '*' ]] || continue
        [ -e "pki/$stem-key.pem" ] || [[ $stem == *-old ]] || echo "$cert has no key"
        openssl x509 -in "pki/$cert" -noout 2>/dev/null || echo "$cert is half written"
    done
    find pki -perm /077 ! -name '*.pem' ! -name '*.pem.nodebake-tmp' ! -name .lock
    find pki -name '*-key.pem*' -perm /077
}

# cut NAME CALL FROM FILE ARG...: from a copy of the folder FROM (or none), with the cluster file,
# killed each time that CALL is made.
cut()
{
    local name=$1 call=$2 from=$3 file=$4 n bad="" status
    shift 4
    for ((n = 1; n < 400; n += step)); do
        rm -rf pki
        [ "$from" = none ] || cp -a "$from" pki
        { strace -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
            "$nodebake" pki --quiet --cluster "$file" "$@" >log 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status -ne 0 ] || break # it was not made so often
        bad+=$(sound)
        "$nodebake" pki --quiet --cluster "$file" >log 2>&1 || bad+="$n: $(<log)"
        "$nodebake" pki verify --cluster "$file" >log 2>&1 || bad+="$n: $(<log)"
        "$nodebake" pki --quiet --cluster "$file" >log 2>&1
        [ "$(<log)" = 'pki: nothing to do' ] || bad+="$n, again: $(<log)"
        [ -z "$(find pki -name '*nodebake-tmp*' -o -name '*-new*')" ] || bad+="$n: $(ls pki)"
        kept "$from" || bad+="$n: a key was lost"
    done
    is "$bad" "" "$name: $call"
    is "$((n > 2 && n < 400))" 1 "$name: it is done before the ${n}th $call"
}

# kept FROM: keys that were there are there still, perhaps as the old CA's.
kept()
{
    local key
    [ "$1" != none ] || return 0
    for key in "$1"/*-key.pem; do
        cmp -s "$key" "pki/${key##*/}" || cmp -s "$key" "pki/$(basename "$key" -key.pem)-old-key.pem" ||
            return 1
    done
}

# steps N: every Nth point, unless all are wanted.
steps() { [ -n "${FULL:-}" ] && step=1 || step=$1; }
"$nodebake" pki --quiet --pki whole >log 2>&1
is "$?" 0 "the reference"
steps 4
cut "from nothing" renameat none cluster.yaml
steps 16
cut "from nothing" fsync none cluster.yaml
steps 1
cut "a new address" renameat whole moved.yaml
steps 1
cut "a new CA" renameat whole cluster.yaml --new-ca
steps 2
cut "a new CA" unlinkat whole cluster.yaml --new-ca
done_testing
