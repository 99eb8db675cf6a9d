#!/usr/bin/env bash
# Nodes that ask for their certificates, at a real API server: the token, the objects that the
# controllers give the cluster, and the approver of serving certificates. Needs: faketime, ip, jq,
# openssl, unshare, and what tests/programs unpacks.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/consumers.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
overlays=$PWD/overlays
enclose "$@"

url=https://127.0.0.1:6443
etcd=https://10.240.0.10:2379
as()
{
    local file=$1.kubeconfig
    [[ $1 == */* ]] || file=pki/$file
    kubectl --kubeconfig "$file" --server $url --request-timeout 20s "${@:2}" 2>&1
}

# --- the token's end ---

sed -e 's/^identity: .*/identity: bootstrap/' -e 's/, labels: {[^}]*}//' "$golden/cluster.yaml" >cluster.yaml
faketime -f -40d "$nodebake" pki >issue.log 2>&1
is "$?:$(ls pki | grep -c worker)" 0:0 "keys, none of a worker"
like "$(<pki/bootstrap-token.yaml)" 'expiration: "20..-' "the token has an end"
mkdir old && cp pki/bootstrap* old/
like "$("$nodebake" pki verify 2>&1)" 'bootstrap-token.yaml: it has expired' "verify says so once it has come"
like "$("$nodebake" pki 2>&1)" 'bootstrap-token.yaml.*expired' "and there is another one"
is "$("$nodebake" pki verify 2>&1)" "" "which is good"
cmp -s pki/bootstrap.kubeconfig old/bootstrap.kubeconfig
is $? 1 "and in the kubeconfig"
is "$("$nodebake" pki --dry-run 2>&1 | grep -c bootstrap)" 0 "it stays"
is "$("$nodebake" pki --dry-run --renew-before 60d 2>&1 | grep -c bootstrap)" 0 \
    "also where all is renewed earlier than a new one lasts"
is "$(faketime -f +19d "$nodebake" pki --dry-run --renew-before 60d 2>&1 | grep -c bootstrap)" 0 \
    "for two thirds of its time"
like "$(faketime -f +21d "$nodebake" pki --dry-run --renew-before 60d 2>&1)" 'bootstrap-token.yaml.*it ends soon' \
    "until it ends soon"
is "$(faketime -f +21d "$nodebake" pki --dry-run --renew-before 7d 2>&1 | grep -c bootstrap)" 0 \
    "by --renew-before"
is "$(stat -c %a pki/bootstrap-token.yaml pki/bootstrap.kubeconfig | paste -sd ' ')" "600 600" "both are their owner's"

# --- the cluster ---

layout shared
address_up 10.240.0.10
etcd_start pki controller-0 10.240.0.10 controller-0=https://10.240.0.10:2380
up controller-0 60 "etcd serves" etcd_ask pki $etcd endpoint health
launch apiserver kube-apiserver --advertise-address=10.240.0.10 --authorization-mode=Node,RBAC \
    --client-ca-file=pki/ca.pem --enable-admission-plugins=NodeRestriction --enable-bootstrap-token-auth=true \
    --etcd-cafile=pki/ca.pem --etcd-certfile=pki/kubernetes.pem --etcd-keyfile=pki/kubernetes-key.pem \
    --etcd-servers=$etcd --service-account-key-file=pki/service-account.pem \
    --service-account-signing-key-file=pki/service-account-key.pem \
    --service-account-issuer=https://203.0.113.10:6443 --service-cluster-ip-range=10.32.0.0/24 \
    --tls-cert-file=pki/kubernetes.pem --tls-private-key-file=pki/kubernetes-key.pem
up apiserver 120 "the API server serves" as admin get --raw /readyz
launch controllers kube-controller-manager --cluster-signing-cert-file=pki/ca.pem \
    --cluster-signing-key-file=pki/ca-key.pem --kubeconfig=pki/kube-controller-manager.kubeconfig \
    --leader-elect=false --use-service-account-credentials=true --cert-dir="$tmp/controllers" \
    --service-account-private-key-file=pki/service-account-key.pem \
    --controllers=csrapproving,csrsigning

mkdir cluster
cp "$overlays/bootstrap-controller/usr/lib/nodebake/cluster/"*.yaml pki/bootstrap-token.yaml cluster/
: >cluster/pod-networks
echo worker= >cluster/node-roles
give() { NODEBAKE_CLUSTER=cluster NODEBAKE_KUBECONFIG=pki/admin.kubeconfig sh "$overlays/common-controller/usr/lib/nodebake/cluster-give" once; }
versions() { as admin get secrets,clusterrolebindings -A -o json | jq -c '.items[].metadata | [.name, .resourceVersion] | select(.[0] | test("^nodebake|^bootstrap"))'; }
give >give.log 2>&1
is "$?:$(versions | wc -l)" 0:4 "the controllers give token and bindings"
before=$(versions)
give >give.log 2>&1
is "$?:$(versions)" "0:$before" "what is there stays as it is"

asks() { as bootstrap auth can-i create certificatesigningrequests | grep -qx yes; }
up apiserver 20 "who has the token may ask" asks
is "$(as bootstrap auth can-i get nodes | tail -n 1)" no "and nothing else"
as admin apply -f old/bootstrap-token.yaml >give.log
sleep 2
is "$(as old/bootstrap get nodes | tail -n 1)" "error: You must be logged in to the server (Unauthorized)" \
    "an expired token is refused, though the cluster has it"

mkdir -p node/pki
sed 's|@BOOTSTRAP_KUBECONFIG@|/token|; s|@KUBELET_CERTS@|/pki|' \
    "$overlays/bootstrap-worker/usr/lib/nodebake/bootstrap-watch" >watch
# watched TOKEN: what the journal and the console get while its kubelet has no certificate.
watched()
{
    sed "s|server: .*|server: $url|" "$1/bootstrap.kubeconfig" >node/token
    : >console
    NODEBAKE_PAUSE=0 NODEBAKE_ROOT=node NODEBAKE_CONSOLE=console sh watch once 2>&1
    cat console
}
refused="the bootstrap token is refused: it has ended, or the cluster does not have it"
is "$(watched old)" "$refused"$'\n'"nodebake: kubelet: $refused" "its node says so on the console"
is "$(watched pki)" "" "one whose token is good says nothing"
like "$(url=https://127.0.0.1:1; watched pki)" 'nodebake: kubelet: no certificate yet: .*refused' \
    "where no API server is, it says that"
touch node/pki/kubelet-client-current.pem
is "$(watched old)" "" "nor does one that has its certificate say a thing"

# --- certificates ---

# request KEY SUBJECT SANS: KEY-key.pem and a request in KEY.csr.
request()
{
    local san=()
    [ -z "$3" ] || san=(-addext "$3")
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1-key.pem" -out "$1.csr" \
        -subj "$2" "${san[@]}" 2>>request.log
}

# ask WHO NAME SIGNER USAGES: asks with NAME.csr.
ask()
{
    jq -n --arg name "$2" --arg signer "kubernetes.io/$3" --arg request "$(base64 -w 0 "$2.csr")" --arg usages "$4" \
        '{apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: {name: $name},
            spec: {signerName: $signer, request: $request, usages: ($usages | split(","))}}' >"$2.json"
    as "$1" create --validate=false -f "$2.json" >>request.log
}
certificate()
{
    as admin get csr "$1" -o 'jsonpath={.status.certificate}' | base64 -d 2>/dev/null | grep -a . >"$1.pem" &&
        openssl x509 -noout -in "$1.pem" 2>/dev/null
}

mkdir nodes
# join NODE: it gets its client certificate with the token.
join()
{
    request "$1" "/O=system:nodes/CN=system:node:$1" ''
    ask bootstrap "$1" kube-apiserver-client-kubelet 'digital signature,key encipherment,client auth'
    up controllers 30 "$1 gets its certificate, approved by the controller manager" certificate "$1"
    cat >"nodes/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: x, cluster: {server: $url, certificate-authority: $PWD/pki/ca.pem}}]
users: [{name: x, user: {client-certificate: $PWD/$1.pem, client-key: $PWD/$1-key.pem}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
current-context: x
YAML
}
# register NODE ADDRESS...: its Node object, as its kubelet writes it.
register()
{
    jq -n '{apiVersion: "v1", kind: "Node", metadata: {name: $ARGS.positional[0]},
        status: {addresses: ($ARGS.positional[1:] | map({type: "InternalIP", address: .}))}}' \
        --args "$@" >node.json
    as "nodes/$1" create --validate=false -f node.json >>request.log
}
join i-1
join i-2
join kubernetes

mkdir approver
printf '%s\n' kubernetes localhost controller-0 10.240.0.10 203.0.113.10 >approver/reserved
echo 10.240.0.0/24 >approver/network
approve()
{
    NODEBAKE_APPROVER=approver NODEBAKE_KUBECONFIG=pki/admin.kubeconfig \
        sh "$overlays/bootstrap-controller/usr/lib/nodebake/approve" once 2>&1
}
serving='digital signature,key encipherment,server auth'

request early '/O=system:nodes/CN=system:node:i-1' 'subjectAltName=DNS:i-1,IP:10.240.0.31'
ask nodes/i-1 early kubelet-serving "$serving"
is "$(approve)" "nodebake: approver: early: waits: the node has no address 10.240.0.31" "who is no node yet waits"
register i-1 10.240.0.31 10.240.0.10 192.0.2.1
register i-2 10.240.0.32
register kubernetes 10.240.0.33
is "$(approve)" "nodebake: approver: early: approved" "until it is one"
up controllers 30 "and gets its serving certificate" certificate early
is "$(openssl verify -CAfile pki/ca.pem -purpose sslserver -verify_ip 10.240.0.31 early.pem 2>&1)" "early.pem: OK" "for its address"
is "$(approve)" "" "what is decided stays so"

# denied WHAT NODE SUBJECT SANS USAGES WHY
n=0
denied()
{
    local name=bad-$((++n))
    request $name "$3" "$4"
    ask "$2" $name kubelet-serving "$5"
    is "$(approve)" "nodebake: approver: $name: denied: $6" "$1"
}
mine=/O=system:nodes/CN=system:node:i-1
denied "another node's name" nodes/i-1 /O=system:nodes/CN=system:node:i-2 subjectAltName=DNS:i-2 "$serving" \
    "its subject is not the node's"
denied "a name of another" nodes/i-1 $mine subjectAltName=DNS:i-1,DNS:i-2 "$serving" "i-2 is not the node's name"
denied "the address of another node" nodes/i-1 $mine subjectAltName=IP:10.240.0.32 "$serving" \
    "10.240.0.32 is an address of another node"
denied "the API servers' address, which its Node object has" nodes/i-1 $mine subjectAltName=IP:10.240.0.10 "$serving" \
    "10.240.0.10 is a name or address of the API servers"
denied "an address that is none of the network's" nodes/i-1 $mine subjectAltName=IP:192.0.2.1 "$serving" \
    "192.0.2.1 is outside the nodes' network"
denied "a name of the API servers" nodes/kubernetes /O=system:nodes/CN=system:node:kubernetes \
    subjectAltName=DNS:kubernetes "$serving" "kubernetes is a name or address of the API servers"
denied "another usage" nodes/i-1 $mine subjectAltName=DNS:i-1 "$serving,client auth" "the usage 'client_auth' is not for serving"
denied "no usage for serving" nodes/i-1 $mine subjectAltName=DNS:i-1 'digital signature' "it is not for serving"
denied "no name at all" nodes/i-1 $mine '' "$serving" "it has neither name nor address"
denied "another group" nodes/i-1 /O=system:nodes/O=system:masters/CN=system:node:i-1 subjectAltName=DNS:i-1 "$serving" \
    "its subject is not the node's"
denied "a mail address" nodes/i-1 $mine subjectAltName=DNS:i-1,email:a@b "$serving" \
    "'other email:a@b' is neither a host name nor an IPv4 address"
denied "another extension" nodes/i-1 $mine basicConstraints=CA:TRUE "$serving" "it asks for more than names"
# DNS:i-1 and a line end, which hides DNS:kubernetes from whoever reads one line.
denied "a name behind a line end" nodes/i-1 $mine 2.5.29.17=DER:30:12:82:04:69:2d:31:0a:82:0a:6b:75:62:65:72:6e:65:74:65:73 \
    "$serving" "it asks for more than names"

# Two blocks: openssl takes lines in pieces of 254 bytes, and begins at the first of them; Go begins at a
# line's start, which is the second.
request good $mine subjectAltName=DNS:i-1
request evil $mine subjectAltName=DNS:kubernetes.default.svc,IP:203.0.113.10
{ printf 'x%.0s' {1..254} && cat good.csr evil.csr; } >two-blocks.csr
ask nodes/i-1 two-blocks kubelet-serving "$serving"
is "$(approve)" "nodebake: approver: two-blocks: denied: it can be read in two ways" "two requests in one"

# Two attributes with extensions. openssl shows the first; Go does not take that one, whose length is
# longer than DER allows, and takes the second.
openssl pkey -in good-key.pem -pubout -outform DER -out good.public
perl -e '
    sub der { my ($tag, $value) = (shift, join "", @_); my $n = length $value;
              chr($tag) . ($n < 128 ? chr $n : $n < 256 ? "\x81" . chr $n : "\x82" . pack "n", $n) . $value }
    sub name { der 0x31, der 0x30, der(6, "\x55\x04" . chr $_[0]), der 12, $_[1] }
    sub names { my $set = der 0x31, der 0x30, der 0x30, der(6, "\x55\x1d\x11"), der 4, der 0x30, der 0x82, $_[0];
                der 0x30, der(6, pack "H*", "2a864886f70d01090e"), $_[1] ? $set =~ s/^./\x31\x81/sr : $set }
    local $/; my $public = <STDIN>;
    print der 0x30, der(2, "\0"), der(0x30, name(10, "system:nodes"), name(3, "system:node:i-1")), $public,
        der 0xa0, names("i-1", 1), names("kubernetes.default.svc");' <good.public >twice.info
openssl dgst -sha256 -sign good-key.pem -out twice.signature twice.info
perl -e 'local $/; my ($info, $signature) = map { open my $f, "<", $_ or die; <$f> } @ARGV;
    my $body = $info . pack("H*", "300a06082a8648ce3d040302") . "\x03" . chr(1 + length $signature) . "\0" . $signature;
    print "\x30\x82" . pack("n", length $body) . $body' twice.info twice.signature |
    openssl req -inform DER -out twice.csr
like "$(openssl req -in twice.csr -noout -verify -text 2>&1)" 'verify OK.*DNS:i-1' "openssl is content with names twice"
ask nodes/i-1 twice kubelet-serving "$serving"
is "$(approve)" "nodebake: approver: twice: denied: it can be read in two ways" "names twice"

# Requests that are called as an option of kubectl, or as another one.
for odd in -w --all 'x early' '*'; do
    jq --arg name "$odd" '.metadata.name = $name' bad-1.json >odd.json
    as nodes/i-1 create --validate=false -f odd.json >>request.log 2>&1
done
is "$(as admin get csr -o name | grep -cE '/(-w|--all|x early|\*)$')" 4 "odd names are there"
is "$(as admin get csr -o json | jq -r '.items[] | select(.metadata.name | test("^(-w|--all|x early|[*])$")) | .status.conditions' | sort -u)" \
    null "and nobody has decided about them"
is "$(NODEBAKE_APPROVER=approver NODEBAKE_KUBECONFIG=pki/admin.kubeconfig timeout 60 sh "$overlays/bootstrap-controller/usr/lib/nodebake/approve" once 2>&1)" "" "the approver leaves them alone"
as admin get csr -o name | sed -n 's|.*/||; /^-w$/p; /^--all$/p; /^x early$/p; /^\*$/p' | while read -r odd; do
    as admin delete csr -- "$odd" >>request.log
done
denied "the bootstrap token" bootstrap $mine subjectAltName=DNS:i-1 "$serving" "it is not a node that asks"
denied "the administrator" admin $mine subjectAltName=DNS:i-1 "$serving" "it is not a node that asks"
is "$(as admin get csr -o json | jq '[.items[] | select(.metadata.name | test("^bad")) | select(.status.certificate)] | length')" 0 \
    "none of them has a certificate"

# A node may renew its own client certificate, not another's.
request renewed $mine ''
ask nodes/i-1 renewed kube-apiserver-client-kubelet 'digital signature,key encipherment,client auth'
up controllers 30 "i-1 renews its certificate" certificate renewed
request stolen /O=system:nodes/CN=system:node:i-2 ''
ask nodes/i-1 stolen kube-apiserver-client-kubelet 'digital signature,key encipherment,client auth'
approve >/dev/null
sleep 3
certificate stolen
is $? 1 "and does not get that of i-2"
halt TERM controllers apiserver
halt KILL controller-0
done_testing
