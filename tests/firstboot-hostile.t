#!/bin/bash
# firstboot, as it ships, against a metadata service that behaves as each line of hostile/answers
# says: first boots of a small root, each with its outcome. A first boot that ends without one leaves
# the root as it was, but for the word whose it is. Nothing leaves the namespaces. Needs: unshare, nsenter,
# ip, python3.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh # within
build=${BUILD:-build}
firstboot=$PWD/$build/firstboot
serve=$PWD/tests/hostile/serve
table=$PWD/tests/hostile/answers
shards=6
short=1 long=30 # seconds that first boot has where it should go on asking, and elsewhere

# --- inside the namespaces -------------------------------------------------------------------

there() { # there COMMAND...: in the server's namespace
    nsenter -t "$server" -n "$@"
}

connect() { # a wire, as if somebody had brought the network up before
    unshare -n sleep 600 &
    server=$!
    within 10 sh -c "[ \"\$(readlink /proc/$server/ns/net)\" != \"\$(readlink /proc/$$/ns/net)\" ]"
    ip link set lo up
    ip link add v0 type veth peer name far
    ip link set far netns "$server"
    there ip link set lo up
    there ip addr add 10.240.0.1/24 dev far
    there ip addr add 169.254.169.254/32 dev far
    there ip link set far up
    ip addr add 10.240.0.20/24 dev v0
    ip link set v0 up
    ip route add default via 10.240.0.1
}

firmware() { # firmware PLATFORM FIELD=VALUE...
    mkdir -p "dmi-$1"
    local field
    for field in "${@:2}"; do
        printf '%s\n' "${field#*=}" >"dmi-$1/${field%%=*}"
    done
}

make_root() { # make_root DEADLINE PLATFORM
    mkdir -p root/usr/lib/nodebake/templates/etc root/etc/systemd/system root/var/lib
    cat >root/usr/lib/nodebake/contract <<CONTRACT
nodebake-contract 1
cluster hostile
role worker
user ops
deadline $1
on-failure continue
$([ "$2" != aws-v1 ] || echo imds v1)
source gce product_uuid
source aws board_asset_tag,product_uuid
fact NODE_NAME label
from NODE_NAME gce instance/name
from NODE_NAME aws meta-data/tags/instance/Name
from NODE_NAME aws user-data#NODE_NAME
fact INTERNAL_IP ipv4
from INTERNAL_IP gce instance/network-interfaces/0/ip
from INTERNAL_IP aws meta-data/local-ipv4
fact POD_CIDR cidr
from POD_CIDR gce instance/attributes/pod-cidr
from POD_CIDR aws meta-data/tags/instance/pod-cidr
from POD_CIDR aws user-data#POD_CIDR
fact DOMAIN name
from DOMAIN gce instance/hostname
from DOMAIN aws meta-data/local-hostname
fact ZONE token
from ZONE gce instance/zone
from ZONE aws meta-data/placement/availability-zone
fact BUNDLE bundle
from BUNDLE gce instance/attributes/node-identity
from BUNDLE aws meta-data/bundle
from BUNDLE aws user-data#BUNDLE
fact SSH_KEYS sshkeys
from SSH_KEYS gce instance/attributes/ssh-keys
from SSH_KEYS gce project/attributes/ssh-keys
from SSH_KEYS aws meta-data/public-keys/0/openssh-key
identity 0600 0 0 @NODE_NAME@.pem /etc/@NODE_NAME@.pem
template 0644 0 0 /etc/node
unit node.service multi-user.target /etc/systemd/system/node.service
CONTRACT
    echo '@NODE_NAME@ @INTERNAL_IP@ @POD_CIDR@ @DOMAIN@ @SSH_KEYS@.' \
        >root/usr/lib/nodebake/templates/etc/node
    echo '[Service]' >root/etc/systemd/system/node.service
}

shape() { (cd root && find . ! -path './var/lib/nodebake*' -printf '%y %m %p %l\n' | sort && cat etc/node 2>/dev/null); }

# word PLATFORM: is all that firstboot left whose root this is?
word() {
    [ "$(cd root/var/lib/nodebake && echo *)" = stamp-before ] &&
        [ "$(sed 's/^identity [a-z_]*:..*/identity X/' root/var/lib/nodebake/stamp-before)" = "nodebake-stamp 1
source ${1%-v1}
identity X
node -" ]
}

# outcome PLATFORM: what came of a first boot that took $took ms, in the words of the table.
outcome() {
    if [ "$status" = 0 ]; then
        if [ "$(<root/etc/node)" = "worker-0 10.240.0.20 10.200.0.0/24 worker-0.example ." ] &&
            [ "$(<root/etc/worker-0.pem)" = S3CR3T ]; then
            echo ready
        else
            echo "ready with other values"
        fi
    elif [ "$status" != 1 ] || [ "$(wc -l <said)" != 1 ] || LC_ALL=C grep -q '[^ -~]' said; then
        echo "strange"
    elif grep -q S3CR3T said; then
        echo "tells a secret"
    elif ! grep -q 'nothing was enabled$' said || [ "$(shape)" != "$before" ] || ! word "$1"; then
        echo "changes"
    elif grep -q '(gave up after ' said; then
        [ "$took" -ge $((short * 1000 - 50)) ] && echo again || echo "again, too early"
    else
        echo stop
    fi
}

play() { # play NUMBER PLATFORM SCRIPT OUTCOME
    local what text started took status before
    what=${4%% *} text=${4#"$what"}
    rm -rf root
    make_root "$([ "$what" = again ] && echo $short || echo $long)" "$2"
    before=$(shape)
    echo "${2%-v1} $3" >case.new && mv case.new case
    started=$(date +%s%3N)
    timeout 60 "$firstboot" --root root --dmi "dmi-${2%-v1}" >said 2>&1
    status=$?
    took=$(($(date +%s%3N) - started))
    if [ "$(outcome "$2")" = "$what" ] && grep -qF -- "${text# }" said; then
        echo "ok - line $1: $2 ${3:-well}: $what"
    else
        echo "not ok - line $1: $2 $3: $4"
        echo "# $(outcome "$2"): status $status after $took ms: $(tr -c ' -~\n' '?' <said)"
    fi
}

if [ "${1:-}" = --shard ]; then
    cd "$3" || exit 1
    connect
    firmware gce 'product_name=Google Compute Engine' sys_vendor=Google product_uuid=9b3c2f0e
    firmware aws 'sys_vendor=Amazon EC2' board_asset_tag=i-0123456789abcdef0 product_uuid=ec2f0e
    echo gce >case
    there "$serve" "$PWD/case" >serving 2>serve.log &
    within 20 grep -q listening serving
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        case $line in '' | '#'*) continue ;; esac
        ((number % shards == $2)) || continue
        platform=${line%% |*} outcome=${line##*| } script=${line#*| }
        script=${script%| *}
        play "$number" "$platform" "${script% }" "$outcome"
    done <"$table"
    sed 's/^/# /' serve.log
    echo "# the end of $2"
    exit 0
fi

# --- outside ---------------------------------------------------------------------------------

PATH=$PATH:/usr/sbin:/sbin
for tool in unshare nsenter ip python3; do
    command -v $tool >/dev/null || {
        echo "1..0 # SKIP needs $tool"
        exit 0
    }
done
unshare -Urnpf true 2>/dev/null || {
    echo '1..0 # SKIP this machine lets nobody make user namespaces'
    exit 0
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
for ((i = 0; i < shards; i++)); do
    mkdir "$scratch/$i"
    unshare -Urnpf --mount-proc --kill-child bash "$PWD/tests/firstboot-hostile.t" --shard $i \
        "$scratch/$i" >"$scratch/$i.tap" 2>&1 &
done
wait
for ((i = 0; i < shards; i++)); do
    cat "$scratch/$i.tap"
    grep -qx "# the end of $i" "$scratch/$i.tap" ||
        echo "not ok - shard $i ran to its end" | tee -a "$scratch/$i.tap"
done
lines=$(grep -cE '^(gce|aws|aws-v1) ' "$table")
[ "$lines" -ge 60 ] && echo "ok - the table has $lines lines" || echo "not ok - the table has only $lines lines"
count=$(cat "$scratch"/*.tap | grep -cE '^(not )?ok ')
is=$((count == lines))
echo "$([ $is = 1 ] || echo "not ")ok - each was played"
echo "1..$((count + 2))"
