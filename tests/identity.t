#!/usr/bin/env bash
# `identity: metadata`, from cluster.yaml to the node: images without a node's key, what `nodebake
# identity` writes and refuses, what the metadata service gives, and firstboot on the image that was
# built. Needs: curl, debugfs, faketime, ip, jq, openssl, script, unshare.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
firstboot=$PWD/${BUILD:-build}/firstboot
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$tmp"' EXIT
export HOME=$tmp/home TMPDIR=$tmp/tmp
unset XDG_CACHE_HOME
mkdir "$HOME" "$TMPDIR"
cd "$tmp" || exit 1
umask 022

# describe EDIT...: the golden cluster with that mode, edited by sed.
describe()
{
    sed -e 's/^image: .*/image: base.raw/' -e 's/^identity: .*/identity: metadata/' \
        -e 's/^metadata: .*/metadata: [gce, aws]/' -e 's/, labels: {[^}]*}//' "$@" "$golden/cluster.yaml"
    echo 'pki: {key: ecdsa-p256}'
}

at=() # at what time
# run ARG...: nodebake identity ARG...; sets status, out and err.
run()
{
    out=$("${at[@]}" "$nodebake" identity "$@" 2>err </dev/null)
    status=$?
    err=$(<err)
}

# refused NAME WHY ARG...
refused()
{
    run "${@:3}"
    like "$status:$out:$err" "^1::(nodebake: )?$2" "$1: refused"
    is "$(wc -l <<<"$err")" 1 "$1: in one line"
    is "$(find "$TMPDIR" given -type f | wc -l)" "${files:-0}" "$1: nothing is written"
}

make_artifacts .
make_system system
make_variant 4k base.raw system
describe >cluster.yaml
mkdir given

# --- the command ---

refused "no pki folder" 'pki folder .*pki: it is not there; `nodebake pki` makes it' worker-0 --output given/x
"$nodebake" pki >/dev/null 2>&1
is "$?:$(ls pki | grep -c worker)" 0:6 "workers have keys in the pki folder"
before=$(cd pki && find . -printf '%p %i %T@ %m\n' | sort)

run worker-0 --output given/gce
is "$status:$out:$err" "0::" "a node's identity is written"
is "$(stat -c %a given/gce):$(wc -l <given/gce):$(tr -d 'A-Za-z0-9+/=\n' <given/gce | wc -c)" 600:1:0 \
    "one line of base64, its owner's alone"
run worker-0 --format bundle --output given/bundle
is "$(base64 -d <given/gce | sha256sum)" "$(sha256sum <given/bundle)" "of the bundle"
is "$(sed -n '1,2p;$p' given/bundle)" "nodebake-identity 1
node worker-0
end" "which has its form"
is "$(grep -a '^file ' given/bundle | cut -d' ' -f2 | tr '\n' ' ')" "worker-0.pem worker-0-key.pem worker-0.kubeconfig " \
    "and the node's files"
"$nodebake" identity worker-0 --format gce >given/out 2>err
is "$?:$(<err)" 0: "to what is no terminal it is printed"
cmp -s given/out given/gce
ok $? "the same"
run worker-0 --format aws --output given/aws
is "$(sed 's/^\(NODE_IDENTITY=\).*/\1/' given/aws)" "NODE_NAME=worker-0
POD_CIDR=10.200.0.0/24
NODE_IDENTITY=" "as user-data"
is "$(sed -n 's/^NODE_IDENTITY=//p' given/aws)" "$(<given/gce)" "with the same line"
is "$(wc -c <given/aws | awk '{print ($1 <= 16384)}')" 1 "that fits AWS's"
describe -e 's/\[gce, aws\]/[aws]/' >aws.yaml
run worker-0 --cluster aws.yaml --output given/first
cmp -s given/first given/aws
ok $? "without --format it is that of the first source"
(umask 777 && "$nodebake" identity worker-0 --output given/masked)
is "$(stat -c %a given/masked)" 600 "whatever the umask"
chmod 644 given/masked
run worker-0 --output given/masked
is "$status:$(stat -c %a given/masked)" 0:600 "a file that is there is replaced"
is "$(cd pki && find . -printf '%p %i %T@ %m\n' | sort)" "$before" "nothing in the pki folder changed"

said=$(script -qec "'$nodebake' identity worker-0" /dev/null 2>&1 </dev/null)
is "$?:$(tr -d '\r' <<<"$said")" "2:nodebake identity: this is a secret, and standard output is a terminal; \
give --output FILE, or a pipe" "to a terminal it is not printed"
run
is "$status:$err" "2:nodebake identity: an argument is missing: NODE" "no node"
run worker-0 worker-1
is "$status" 2 "two nodes"

files=$(ls -A given | wc -l)
refused "another format" '--format azure: no such format; there are: bundle, gce, aws' worker-0 --format azure
refused "a node that is not there" "'worker-7' is no node of cluster.yaml" worker-7 --output given/x
refused "a role" "'worker' is no node of cluster.yaml" worker --output given/x
refused "a controller" 'controller-0 is a controller, which has no key of its own' controller-0 --output given/x
refused "a folder that is not there" 'create nowhere/x.*: No such file' worker-0 --output nowhere/x
describe -e 's/^identity: .*/identity: image/' >image.yaml
refused "with image" 'image.yaml: with `identity: image` the keys of worker-0 are in its image, which `nodebake build worker-0` makes' \
    worker-0 --cluster image.yaml
describe -e 's/^identity: .*/identity: bootstrap/' >bootstrap.yaml
refused "with bootstrap" 'bootstrap.yaml: with `identity: bootstrap` worker-0 makes its key itself' \
    worker-0 --cluster bootstrap.yaml
describe -e 's/^profile: .*/profile: srv-kubernetes/' >srv.yaml
refused "another profile" 'srv.yaml: profile srv-kubernetes does not lay out `identity: metadata`; take `bootstrap`' \
    worker-0 --cluster srv.yaml

# with NAME WHY COMMAND...: of a pki folder that was changed so.
with()
{
    cp -a pki pki-before
    (cd pki && "${@:3}")
    refused "$1" "$2" worker-0 --output given/x
    rm -rf pki && mv pki-before pki
}
with "no certificate" 'worker-0.pem: it is not there; `nodebake pki` issues it' rm worker-0.pem
with "no key" 'worker-0.pem is there, but not its key' rm worker-0-key.pem
with "another's key" 'worker-0-key.pem|worker-0.pem' cp worker-1-key.pem worker-0-key.pem
with "another's certificate" 'worker-0' cp worker-1.pem worker-0.pem
with "no CA" 'ca.pem' rm ca.pem
with "a key that others can read" 'worker-0-key.pem has mode 0644' chmod 644 worker-0-key.pem
with "no file of a key" 'worker-0-key.pem' truncate -s 0 worker-0-key.pem
at=(faketime -f +400d)
refused "a certificate that has ended" 'worker-0.pem: .*expired.*; `nodebake pki` issues it anew' worker-0 --output given/x
at=()
sed 's/10.240.0.20/10.240.0.99/' cluster.yaml >moved.yaml
refused "a certificate of another address" 'worker-0.pem: 10.240.0.* `nodebake pki` issues it anew' worker-0 \
    --cluster moved.yaml --output given/x
run worker-1 --format bundle --cluster moved.yaml
is "$status" 0 "what is wrong with another node's is no matter"

# A folder that is encrypted.
(umask 077 && echo 'a passphrase, long enough' >right && echo 'another one, long enough' >wrong)
cp -a pki sealed
"$nodebake" pki --pki sealed --passphrase-file right --encrypt >/dev/null 2>&1
run worker-0 --pki sealed --passphrase-file right --format bundle
is "$status:$(sha256sum <<<"$out")" "0:$(sha256sum <given/bundle)" "an encrypted folder is opened"
refused "without the passphrase" '.*passphrase' worker-0 --pki sealed --output given/x
refused "with a wrong one" '.*passphrase' worker-0 --pki sealed --passphrase-file wrong --output given/x

# A large key.
cp -a pki large
rm large/worker-0.pem
(umask 077 && openssl genrsa -out large/worker-0-key.pem 4096 2>/dev/null)
"$nodebake" pki --pki large >/dev/null 2>&1
run worker-0 --pki large --format aws --output given/large
is "$status:$err:$(wc -c <given/large | awk '{print ($1 > 7000 && $1 < 13000)}')" 0::1 \
    "RSA of 4096 bits fits, with room ($(wc -c <given/large))"

# --- images ---

"$nodebake" plan --json >plan 2>err
is "$?:$(<err):$(jq -r '[.images[].name] | tojson' plan)" '0::["controller-0","worker"]' \
    "workers have one image"
is "$(jq -r '.images[1].node' plan)" null "that is no node's"
is "$(jq -r '.images[1].entries[] | select(.secret) | .path' plan)" /var/lib/kube-proxy/kubeconfig \
    "with no secret but kube-proxy's"
"$nodebake" plan >text
like "$(<text)" "NODE_IDENTITY" "plan shows the fact"
"$nodebake" build --quiet --writer ext4 --out out >said 2>err
is "$?:$(<err):$(ls out | tr '\n' ' ')" "0::controller-0.raw worker.raw " "build makes no image a node"
# secrets NODE: lines of the node's key, and their begin as they would be in a kubeconfig.
secrets()
{
    sed -n 2p "pki/$1-key.pem"
    base64 -w0 "pki/$1-key.pem" | cut -c 60-140
}
found=0
for node in worker-0 worker-1; do
    while read -r secret; do
        ! grep -qaF -- "$secret" out/worker.raw out/controller-0.raw || found=$((found + 1))
    done < <(secrets $node)
done
is "$found" 0 "and nothing of a node's key is in the images"
grep -qaF -- "$(sed -n 2p pki/ca-key.pem)" out/controller-0.raw
ok $? "(it would be seen: the CA's is in the controllers')"
mkdir root
debugfs -R "rdump / root" "out/worker.raw?offset=$((variant_root * 512))" 2>/dev/null
is "$(ls -A root/usr/lib/nodebake/identity)" "" "identity/ is empty"
is "$(grep -E 'NODE_IDENTITY|^identity|^node' root/usr/lib/nodebake/contract)" "nodebake-contract 1
fact NODE_IDENTITY bundle
from NODE_IDENTITY gce instance/attributes/node-identity
from NODE_IDENTITY aws user-data#NODE_IDENTITY
identity 0644 0 0 @NODE_NAME@.pem /var/lib/kubelet/@NODE_NAME@.pem
identity 0600 0 0 @NODE_NAME@-key.pem /var/lib/kubelet/@NODE_NAME@-key.pem
identity 0600 0 0 @NODE_NAME@.kubeconfig /var/lib/kubelet/kubeconfig" "the contract takes it from the metadata"
"$nodebake" inspect out/worker.raw >inspected 2>err
is $? 0 "inspect finds no fault"
mkdir -p own/etc
echo 'id: @NODE_IDENTITY@' >own/etc/identity
(cat cluster.yaml && echo 'overlays: [own]') >own.yaml
"$nodebake" plan worker --cluster own.yaml >said 2>err
like "$?:$(<err)" '^1:.*own/etc/identity: line 1: nothing supplies @NODE_IDENTITY@' "a file of the user's does not get it"

# --- the metadata service ---

# As worker-0, in a network of its own.
serving()
{
    ip link set lo up && ip addr add 10.240.0.20/32 dev lo || exit 1
    "$nodebake" metadata --listen 10.240.0.20:8080 >serving 2>&1 &
    within 20 grep -qs listening serving
    local url=http://10.240.0.20:8080 token
    curl -s -H 'Metadata-Flavor: Google' "$url/computeMetadata/v1/instance/attributes/node-identity" >from-gce
    token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$url/latest/api/token")
    curl -s -H "X-aws-ec2-metadata-token: $token" "$url/latest/user-data" >from-aws
    kill %1
}
export -f serving within
export nodebake
PATH=$PATH:/usr/sbin unshare -Urn bash -c serving
is "$(<from-gce)" "$(<given/gce)" "the metadata service gives it as GCE"
is "$(<from-aws)" "$(<given/aws)" "and as AWS"
is "$(grep -c ' 200$' serving):$(grep -cF -- "$(cut -c 1-60 given/gce)" serving)" 3:0 "and does not log it"
rm -rf no-pki
"$nodebake" metadata --pki no-pki --listen 127.0.0.1:0 >said 2>&1 </dev/null
like "$?:$(<said)" '^1:.*no-pki: it is not there' "without keys it does not start"

# --- the node ---

# facts [BUNDLE]
facts()
{
    printf 'NODE_NAME=worker-0\nINTERNAL_IP=10.240.0.20\nPOD_CIDR=10.200.0.0/24\n'
    base64 -w 900 "${1:-given/bundle}" | sed 's/^/NODE_IDENTITY=/'
    echo
}
facts >facts-worker-0
node() { unshare -Ur "$firstboot" --root root --facts "$1" 2>&1; }
sed 's/^node worker-0$/node worker-1/' given/bundle >other
facts other >facts-other
like "$(node facts-other)" 'firstboot: file: NODE_IDENTITY: the identity is that of worker-1, and this machine is worker-0; nothing was enabled$' \
    "the identity of another node is refused"
like "$(node facts-worker-0)" 'node worker-0 is ready: ' "firstboot finishes the image"
cmp -s root/var/lib/kubelet/worker-0.pem pki/worker-0.pem && cmp -s root/var/lib/kubelet/worker-0-key.pem pki/worker-0-key.pem
ok $? "certificate and key are those of the pki folder"
is "$(cd root/var/lib/kubelet && stat -c '%a %n' worker-0.pem worker-0-key.pem kubeconfig | tr '\n' ' ')" \
    "644 worker-0.pem 600 worker-0-key.pem 600 kubeconfig " "with their modes"
is "$(sed -n 's/^    client-[a-z]*: //p' root/var/lib/kubelet/kubeconfig | tr '\n' ' ')" \
    "/var/lib/kubelet/worker-0.pem /var/lib/kubelet/worker-0-key.pem " "which the kubeconfig names"
is "$(sed -n 's/^    certificate-authority-data: //p' root/var/lib/kubelet/kubeconfig | base64 -d | sha256sum)" \
    "$(sha256sum <pki/ca.pem)" "with the CA's certificate"
like "$(<root/var/lib/kubelet/kubelet-config.yaml)" 'tlsPrivateKeyFile: "/var/lib/kubelet/worker-0-key.pem"' \
    "the kubelet serves with them"
is "$(grep -c bootstrap root/etc/systemd/system/kubelet.service)" 0 "and asks for no others"
done_testing
