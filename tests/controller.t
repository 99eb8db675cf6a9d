#!/usr/bin/env bash
# What controllers run of nodebake's own: the wait for the clock, and what gives the cluster what it
# has to have once. timedatectl and kubectl are stand-ins.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
tools=$PWD/overlays/common-controller/usr/lib/nodebake
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
mkdir bin cluster
export PATH=$tmp/bin:$PATH

# ---- the clock ----

# timedatectl says what the files NTP and NTPSynchronized hold, a line an answer.
cat >bin/timedatectl <<'STANDIN'
#!/bin/sh
for word in "$@"; do
    case $word in --property=*) name=${word#*=} ;; esac
done
head -n 1 "$name" 2>/dev/null
[ "$(wc -l <"$name")" -le 1 ] || sed -i 1d "$name"
STANDIN
chmod +x bin/timedatectl

# clock SECONDS: sets out and took.
clock()
{
    local begin=$SECONDS
    out=$(NODEBAKE_CLOCK_WAIT=$1 "$tools/clock" 2>&1)
    status=$?
    took=$((SECONDS - begin))
}
echo no >NTP
echo no >NTPSynchronized
clock 60
is "$status:$out:$((took < 10))" 0::1 "a system that nothing keeps the time of is not waited for"
echo yes >NTP
printf 'no\nno\nyes\n' >NTPSynchronized
clock 60
is "$status:$out:$((took >= 2 && took < 30))" 0::1 "a clock that is set late is waited for"
echo no >NTPSynchronized
clock 2
is "$status:$out" "0:nodebake: clock: no time server has set it yet; going on" "but not for ever"

# ---- the cluster ----

# kubectl notes what it is asked, and answers from files: `ready` has the number of refusals before
# it is ready, `nodes` the nodes; `fails` a word of a command that fails.
cat >bin/kubectl <<'STANDIN'
#!/bin/sh
[ "$1 $2 $3 $4" = "--kubeconfig config --cache-dir /var/cache/nodebake/kubectl" ] || exit 9
shift 4
case $* in
"get --raw /readyz")
    left=$(cat ready)
    [ "$left" -eq 0 ] || { echo $((left - 1)) >ready; exit 1; }
    ;;
"get nodes -o go-template="*) cat nodes ;;
*) echo "$*" >>asked ;;
esac
case $* in *"$(cat fails)"*) exit 1 ;; esac
STANDIN
chmod +x bin/kubectl
echo x >cluster/a.yaml
echo x >cluster/b.yaml
printf 'worker-0 10.200.0.0/24\nworker-1 10.200.1.0/24\n' >cluster/pod-networks
echo worker= >cluster/node-roles
echo nothing >fails

# give: sets status, out, and asked.
give()
{
    : >asked
    out=$(NODEBAKE_CLUSTER=cluster NODEBAKE_KUBECONFIG=config NODEBAKE_PAUSE=0 \
        timeout 60 "$tools/cluster-give" once 2>&1)
    status=$?
    asked=$(<asked)
}
apply='apply --server-side --force-conflicts --field-manager=nodebake --validate=false -f cluster'
echo 3 >ready
: >nodes
give
is "$status:$out" "0:nodebake: cluster: waiting for the API server
nodebake: cluster: access to kubelets and DNS are there" "it waits for the API server"
is "$asked" "$apply/a.yaml
$apply/b.yaml" "and applies each file, server-side"

printf '%s\n' 'worker-0 - "-" a=b,' 'worker-1 10.200.1.0/24 "10.240.0.21" ' \
    'worker-2 - "-" a=b,node-role.kubernetes.io/worker=,' 'worker-10 - "-" ' >nodes
give
is "$status:$(sed '/^apply/d' asked)" '0:patch node worker-0 --type=merge -p {"spec":{"podCIDR":"10.200.0.0/24","podCIDRs":["10.200.0.0/24"]}}
label node worker-0 --overwrite node-role.kubernetes.io/worker=
label node worker-1 --overwrite node-role.kubernetes.io/worker=
label node worker-10 --overwrite node-role.kubernetes.io/worker=' "new nodes get what they lack"

printf '%s\n' 'worker-0 10.200.0.0/24 "-" node-role.kubernetes.io/worker=,' \
    'worker-1 10.200.1.0/24 "-" node-role.kubernetes.io/worker=,' >nodes
give
is "$status:$(sed '/^apply/d' asked)" 0: "others nothing"

printf 'node=true\nADDRESS=true\n' >cluster/node-roles
printf '%s\n' 'i-1 - "10.0.0.7" node-role.kubernetes.io/node=true,' 'i-2 - "-" x=y,' \
    'i-3 - "control-plane" node-role.kubernetes.io/node=true,' \
    'i-4 - "10.0.0.8\ni-1 - --all" node-role.kubernetes.io/node=true,' >nodes
give
is "$status:$(sed '/^apply/d' asked)" '0:label node i-1 --overwrite node-role.kubernetes.io/10.0.0.7=true
label node i-2 --overwrite node-role.kubernetes.io/node=true
label node i-4 --overwrite node-role.kubernetes.io/node=true' "roles by address, once the node has one that is an address"
echo worker= >cluster/node-roles

mkdir cluster/manifests
touch cluster/manifests/00-x.yaml cluster/manifests/01-y.json
: >nodes
give
is "$status:$asked" "0:$apply/a.yaml
$apply/b.yaml
$apply/manifests/00-x.yaml
$apply/manifests/01-y.json" "the user's manifests come last"
echo 00-x >fails
echo 'i-2 - "-" ' >nodes
give
is "$status:$(sed '/^apply.*[ab].yaml/d' asked)" "0:$apply/manifests/00-x.yaml
$apply/manifests/01-y.json
label node i-2 --overwrite node-role.kubernetes.io/worker=" "one that fails keeps nobody else waiting"

echo a.yaml >fails
give
is "$status:$out:$asked" "1::$apply/a.yaml" "what cannot be applied ends it; systemd starts it again"
done_testing
