#!/usr/bin/env bash
# A real API server, and what asks it, with the files of `nodebake pki`: who may do what, who is
# refused, how secrets lie in etcd, and what goes on after each kind of renewal. Needs: curl,
# faketime, ip, jq, openssl, unshare, and what tests/programs unpacks.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/consumers.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
enclose "$@"

url=https://127.0.0.1:6443
etcd=https://10.240.0.10:2379
unknown='x509: certificate signed by unknown authority'

# as FILE ARG...: kubectl with pki/FILE.kubeconfig, or with a file elsewhere, at this API server.
as()
{
    local file=$1.kubeconfig
    [[ $1 == */* ]] || file=pki/$file
    kubectl --kubeconfig "$file" --server $url --request-timeout 20s "${@:2}" 2>&1
}

# may FILE VERB RESOURCE...: what the API server says to `auth can-i`, in one word a resource.
may()
{
    local resource
    for resource in "${@:3}"; do as "$1" auth can-i "$2" "$resource" -A | grep -xE 'yes|no'; done | paste -sd ' '
}

etcd_up()
{
    etcd_start pki controller-0 10.240.0.10 controller-0=https://10.240.0.10:2380
    up controller-0 60 "etcd serves" etcd_ask pki $etcd endpoint health
}

plugins=NamespaceLifecycle,NodeRestriction,LimitRanger,ServiceAccount,DefaultStorageClass,ResourceQuota
# serve OPTION...: the API server, with the document's flags and these.
serve()
{
    launch apiserver kube-apiserver --advertise-address=10.240.0.10 --allow-privileged=true \
        --apiserver-count=3 --audit-log-maxage=30 --audit-log-maxbackup=3 --audit-log-maxsize=100 \
        --audit-log-path="$tmp/audit" --authorization-mode=Node,RBAC --bind-address=0.0.0.0 \
        --client-ca-file=pki/ca.pem \
        --enable-admission-plugins=$plugins \
        --etcd-cafile="pki/$etcd_ca.pem" --etcd-certfile="pki/$etcd_client.pem" \
        --etcd-keyfile="pki/$etcd_client-key.pem" --etcd-servers=$etcd --event-ttl=1h \
        --encryption-provider-config=pki/encryption-config.yaml \
        --kubelet-certificate-authority=pki/ca.pem \
        --kubelet-client-certificate="pki/$kubelet_client.pem" \
        --kubelet-client-key="pki/$kubelet_client-key.pem" --runtime-config=api/all=true \
        --service-account-key-file=pki/service-account.pem \
        --service-account-signing-key-file=pki/service-account-key.pem \
        --service-account-issuer=https://203.0.113.10:6443 \
        --service-cluster-ip-range=10.32.0.0/24 --service-node-port-range=30000-32767 \
        --tls-cert-file="pki/$server.pem" --tls-private-key-file="pki/$server-key.pem" --v=2 \
        --enable-bootstrap-token-auth "$@"
    up apiserver 120 "the API server serves" as admin get --raw /readyz
}

# issue NAME COMMAND...
issue()
{
    "${@:2}" >issue.log 2>&1
    ok $? "$1: issued"
}

# Certificates that have expired, and their renewal by the same CA.
describe 'validity: 10d' >cluster.yaml
issue "all, a month ago" faketime -f -30d "$nodebake" pki
mkdir expired && cp pki/*.kubeconfig expired/
describe 'validity: 8760h' >cluster.yaml
issue "all, anew" "$nodebake" pki
issue "those of another CA" "$nodebake" pki --pki foreign
layout shared
address_up 10.240.0.10 10.240.0.20
etcd_up
serve

# --- names ---

# name_of HOST: openssl's word on whether the certificate is one for that name or address.
name_of()
{
    local option=-verify_hostname
    [[ $1 =~ ^[0-9.]+$ ]] && option=-verify_ip
    openssl s_client -connect 127.0.0.1:6443 -CAfile pki/ca.pem $option "$1" </dev/null 2>&1 |
        sed -n 's/^Verification error: //p; s/^Verification: //p' | head -n 1
}
for name in kubernetes{,.default{,.svc{,.cluster{,.local}}}} kubernetes.svc.cluster.local localhost controller-0 \
    10.32.0.1 10.240.0.10 203.0.113.10 127.0.0.1; do
    is "$(name_of $name)" OK "the API server is $name"
done
for name in worker-0 kubernetes.example.com 10.32.0.2; do
    like "$(name_of $name)" mismatch "and not $name"
done

# --- who is refused ---

like "$(curl -sS --cacert pki/ca.pem $url/api/v1/secrets)" \
    '"secrets is forbidden: User ..system:anonymous' "no certificate"
is "$(curl -sS --cacert pki/ca.pem -H 'Authorization: Bearer abcdef.0123456789abcdef' -w '%{http_code}' -o body \
    $url/api/v1/secrets)" 401 "a token that is none"
refuses apiserver "$unknown" "a certificate of another CA" \
    as foreign/admin --certificate-authority pki/ca.pem get nodes
like "$(<refused.log)" 'You must be logged in' "is nobody"
like "$(as foreign/admin get nodes)" "$unknown" "and who trusts another CA does not talk to the API server"
refuses apiserver 'x509: certificate has expired' "an expired certificate" as expired/admin get nodes
like "$(<refused.log)" 'You must be logged in' "is nobody, too"

# --- admin ---

is "$(as admin auth can-i '*' '*' -A)" yes "admin may do everything"
is "$(as admin create namespace mine)" "namespace/mine created" "admin makes a namespace"
is "$(kubectl --kubeconfig pki/admin.kubeconfig get namespace mine -o name)" namespace/mine \
    "admin.kubeconfig leads there by itself"
is "$(as admin-public get namespace mine -o name)" namespace/mine "admin-public.kubeconfig's user is the same"

# --- what controllers may do, and one of them ---

is "$(may kube-controller-manager list pods nodes namespaces secrets)" \
    "yes yes yes yes" "the controller manager sees all"
is "$(may kube-controller-manager create secrets serviceaccounts pods nodes)" "yes yes no no" "makes what it needs"
like "$(as kube-controller-manager delete namespace mine --wait=false)" \
    'User "system:kube-controller-manager" cannot delete resource "namespaces"' "and no more"
is "$(may kube-scheduler list pods nodes services)" "yes yes yes" "the scheduler sees pods and nodes"
like "$(as kube-scheduler get secrets)" 'User "system:kube-scheduler" cannot list resource "secrets"' "and no more"
like "$(as kube-proxy get services -A)" 'default +kubernetes +ClusterIP +10.32.0.1' "kube-proxy sees services"
is "$(may kube-proxy list nodes endpoints pods)" "yes yes no" "and endpoints"
like "$(as kube-proxy get secrets)" 'User "system:kube-proxy" cannot list resource "secrets"' "and no more"

# Its kubeconfig leads to the API server by itself. It signs tokens, and certificates.
launch controllers kube-controller-manager --bind-address=127.0.0.1 --cluster-cidr=10.200.0.0/16 \
    --cluster-name=kubernetes --cluster-signing-cert-file=pki/ca.pem --cluster-signing-key-file=pki/ca-key.pem \
    --kubeconfig=pki/kube-controller-manager.kubeconfig --leader-elect=true --root-ca-file=pki/ca.pem \
    --service-account-private-key-file=pki/service-account-key.pem --service-cluster-ip-range=10.32.0.0/24 \
    --use-service-account-credentials=true --v=2 --cert-dir="$tmp/controllers" \
    --controllers=csrapproving,csrsigning,root-ca-cert-publisher,serviceaccount,serviceaccount-token
service_token() { as admin get secrets -o json | jq -er '.items[].data.token // empty'; }
up controllers 60 "the controller manager makes tokens" service_token
published() { [ "$(as admin get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}')" = "$(<pki/ca.pem)" ]; }
up controllers 20 "and publishes the CA" published

# --- tokens of service accounts ---

# signed TOKEN: whether service-account.pem's key signed it.
signed()
{
    local IFS=. pad
    read -r head body mark <<<"$1"
    openssl x509 -in pki/service-account.pem -noout -pubkey >service-account.pub
    pad=$(printf '%*s' $(((4 - ${#mark} % 4) % 4)) '' | tr ' ' =)
    tr -- -_ +/ <<<"$mark$pad" | base64 -d >mark
    printf '%s.%s' "$head" "$body" |
        openssl dgst -sha256 -verify service-account.pub -signature mark
}

# bearer TOKEN URL-PATH
bearer() { curl -sS --cacert pki/ca.pem -H "Authorization: Bearer $1" "$url$2"; }
token=$(service_token | base64 -d)
is "$(signed "$token")" "Verified OK" "a token of the controller manager is signed by service-account-key.pem"
known() { bearer "$token" /api/v1/secrets | grep -q 'User ..system:serviceaccount:default:default'; }
up apiserver 20 "and accepted" known
jq -n '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {expirationSeconds: 3600}}' >request
token=$(as admin create --raw /api/v1/namespaces/default/serviceaccounts/default/token -f request |
    jq -r .status.token)
is "$(signed "$token")" "Verified OK" "a token of the API server, too"
like "$(bearer "$token" /api/v1/secrets)" 'User ..system:serviceaccount:default:default' "and accepted"
like "$(bearer "${token%???}AAA" /api/v1/secrets)" '"code": 401' "but not with another signature"

# --- bootstrap ---

is "$(as bootstrap get nodes | tail -n 1)" "error: You must be logged in to the server (Unauthorized)" \
    "the bootstrap token is unknown at first"
like "$(as admin apply -f pki/bootstrap-token.yaml)" '^secret/bootstrap-token-[a-z0-9]{6} created$' \
    "bootstrap-token.yaml"
id=$(sed -n 's/^  token-id: "\(.*\)"/\1/p' pki/bootstrap-token.yaml)
known() { as bootstrap get nodes | grep -q "User \"system:bootstrap:$id\" cannot list resource \"nodes\""; }
up apiserver 20 "makes it known" known
is "$(may bootstrap create certificatesigningrequests)" no "it may do nothing"
as admin create clusterrolebinding workers-ask --clusterrole=system:node-bootstrapper \
    --group=system:bootstrappers:worker >bind.log
as admin create clusterrolebinding workers-get --group=system:bootstrappers:worker \
    --clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient >>bind.log
asks() { [ "$(may bootstrap create certificatesigningrequests)" = yes ]; }
up apiserver 20 "but what its group is given" asks
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout new-key.pem -out new.csr \
    -subj '/O=system:nodes/CN=system:node:worker-2' 2>>bind.log
as bootstrap create --validate=false -f - <<YAML >>bind.log
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: worker-2}
spec:
  signerName: kubernetes.io/kube-apiserver-client-kubelet
  usages: [digital signature, key encipherment, client auth]
  request: $(base64 -w 0 new.csr)
YAML
new_certificate() { as admin get csr worker-2 -o 'jsonpath={.status.certificate}' | base64 -d | grep .; }
up controllers 30 "a new worker asks for its certificate" new_certificate
new_certificate >new.pem
is "$(openssl verify -CAfile pki/ca.pem -purpose sslclient new.pem 2>&1)" "new.pem: OK" "which ca-key.pem signs"
like "$(curl -sS --cacert pki/ca.pem --cert new.pem --key new-key.pem $url/api/v1/secrets)" \
    'User ..system:node:worker-2.. cannot list' "and the API server knows"
halt TERM controllers

# --- nodes ---

# node NAME ADDRESS: as its kubelet registers it.
node()
{
    jq -n --arg name "$1" --arg address "$2" '{apiVersion: "v1", kind: "Node", metadata: {name: $name},
        status: {addresses: [{type: "InternalIP", address: $address}],
            daemonEndpoints: {kubeletEndpoint: {Port: 10250}}}}'
}

# pod NAME NODE SECRET
pod()
{
    jq -n --arg name "$1" --arg node "$2" --arg secret "$3" '{apiVersion: "v1", kind: "Pod",
        metadata: {name: $name}, spec: {nodeName: $node, automountServiceAccountToken: false,
            containers: [{name: "c", image: "none"}],
            volumes: [{name: "s", secret: {secretName: $secret}}]}}'
}

# secret NAME TEXT
secret() { as admin create secret generic "$1" --from-literal=text="$2"; }
# text FILE NAME: what a secret says, asked as FILE.
text() { as "$1" get secret "$2" -o 'jsonpath={.data.text}' | base64 -d 2>/dev/null; }

is "$(node worker-0 10.240.0.20 | as worker-0 create --validate=false -f -)" "node/worker-0 created" \
    "worker-0 registers itself"
like "$(node worker-1 10.240.0.21 | as worker-0 create --validate=false -f -)" \
    'node "worker-0" is not allowed to modify node "worker-1"' "but not worker-1"
is "$(node worker-1 10.240.0.21 | as worker-1 create --validate=false -f -)" "node/worker-1 created" \
    "that does worker-1"
like "$(as worker-0 label node worker-1 mine=1)" 'node "worker-0" is not allowed to modify node "worker-1"' \
    "worker-0 does not change it either"
secret a plain-text-a >bind.log
secret b plain-text-b >>bind.log
for name in a b; do
    pod $name worker-$([ $name = a ] && echo 0 || echo 1) $name | as admin create --validate=false -f - >>bind.log
done
text_is() { [ "$(text "$1" "$2")" = "$3" ]; }
up apiserver 20 "worker-0 reads the secret of its pod" text_is worker-0 a plain-text-a
up apiserver 20 "worker-1 that of its own" text_is worker-1 b plain-text-b
for name in 0:b 1:a; do
    like "$(as worker-${name%:*} get secret "${name#*:}")" \
        "secrets \"${name#*:}\" is forbidden: User \"system:node:worker-${name%:*}\" cannot get" \
        "worker-${name%:*} does not read ${name#*:}"
done
pod d '' a | as admin create --validate=false -f - >>bind.log
jq -n '{apiVersion: "v1", kind: "Binding", metadata: {name: "d"}, target: {kind: "Node", name: "worker-1"}}' >request
like "$(as worker-1 create --raw /api/v1/namespaces/default/pods/d/binding -f request)" \
    'cannot create resource "pods/binding"' "worker-1 takes no pod"
as kube-scheduler create --raw /api/v1/namespaces/default/pods/d/binding -f request >>bind.log
is "$(as admin get pod d -o 'jsonpath={.spec.nodeName}')" worker-1 "the scheduler gives it one"
up apiserver 20 "and then it reads that pod's secret" text_is worker-1 a plain-text-a
like "$(as worker-0 get secrets)" 'User "system:node:worker-0" cannot list resource "secrets"' \
    "worker-0 lists no secrets"
like "$(as worker-0 create namespace other)" 'User "system:node:worker-0" cannot create resource "namespaces"' \
    "worker-0 makes no namespaces"

# kubelet WORKER: instead of worker-0's kubelet, a server with that worker's certificate, which tells
# what certificate it was shown; a pod's log is then that, or why the API server did not go on.
kubelet()
{
    launch kubelet openssl s_server -accept 10.240.0.20:10250 -cert "pki/$1.pem" -key "pki/$1-key.pem" \
        -CAfile pki/ca.pem -Verify 2 -verify_return_error -www
    within 10 listens 10.240.0.20 10250
    as admin logs a | sed -n '/^-----BEGIN/,/^-----END/p; /^Error/p'
    halt KILL kubelet
}
is "$(kubelet worker-0)" "$(<"pki/$kubelet_client.pem")" \
    "the API server knows a kubelet, and shows it its own certificate"
like "$(kubelet worker-1)" 'certificate is valid for 10.240.0.21, not 10.240.0.20' \
    "one with another's certificate it does not"

# --- secrets in etcd ---

# stored NAME [KIND]: the head of a secret in etcd, and how many lines there have its text.
stored()
{
    etcd_ask pki $etcd get --print-value-only "/registry/${2:-secrets}/default/$1" >value
    echo "$(head -c 23 value | tr -cd '[:print:]') $(grep -ac -e plain-text -e "$(printf plain-tex | base64)" value)"
}
as admin create configmap a --from-literal=text=plain-text-a >bind.log
like "$(stored a configmaps)" '^k8s.* 1$' "what is no secret can be read in etcd"
is "$(stored a)" "k8s:enc:aescbc:v1:key1: 0" "a secret is encrypted in etcd"
issue "rotate-encryption" "$nodebake" pki rotate-encryption
halt TERM apiserver
serve
is "$(text admin a)" plain-text-a "after rotate-encryption the old secret can be read"
secret c plain-text-c >bind.log
is "$(stored c)" "k8s:enc:aescbc:v1:key2: 0" "a new one has the new key"
is "$(stored a)" "k8s:enc:aescbc:v1:key1: 0" "the old one still the old"
as admin get secrets -A -o json | as admin replace -f - >bind.log
is "$(stored a)" "k8s:enc:aescbc:v1:key2: 0" "until it is replaced"
is "$(etcd_ask pki $etcd get --prefix /registry/secrets/ | grep -ac k8s:enc:aescbc:v1:key1:)" 0 "as all are"
up apiserver 20 "and then can be read, also by a worker" text_is worker-0 a plain-text-a

# --- a new CA, and a certificate for each ---

mkdir old && cp pki/*.kubeconfig pki/*.pem old/
describe 'layout: separate, cas: each, key: ecdsa-p256' >cluster.yaml
issue "--new-ca, in the separate layout" "$nodebake" pki --new-ca
is "$("$nodebake" pki verify 2>&1)" "" "verify is content"
halt TERM apiserver
halt TERM controller-0
layout separate
etcd_up
serve --requestheader-client-ca-file=pki/front-proxy-ca.pem --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file=pki/front-proxy-client.pem --proxy-client-key-file=pki/front-proxy-client-key.pem
is "$(as admin auth can-i '*' '*' -A)" yes "admin of the new CA may do everything"
up apiserver 20 "worker-0 of the new CA reads its secret" text_is worker-0 a plain-text-a
like "$(as worker-0 get secret b)" 'User "system:node:worker-0" cannot get' "and no other"
like "$(as old/admin get nodes)" "$unknown" "the old admin does not know the API server"
refuses apiserver "$unknown" "nor is it known" as old/admin --certificate-authority pki/ca.pem get nodes
like "$(bearer "$token" /api/v1/secrets)" 'User ..system:serviceaccount:default:default' \
    "a service account's token stays good"
is "$(name_of kubernetes.default.svc.cluster.local)" OK "the API server has its names"
is "$(kubelet worker-0)" "$(<"pki/$kubelet_client.pem")" "and one for kubelets"

# proxied CERT USER: who that is to the API server, for a client that says it asks for USER.
proxied()
{
    curl -sS --cacert pki/ca.pem --cert "$1.pem" --key "$1-key.pem" ${2:+-H "X-Remote-User: $2"} \
        $url/api/v1/namespaces/kube-system/secrets | jq -r '.message // "served"' |
        sed -n '/^Unauthorized$/p; /^served$/p; s/.* User "\([^"]*\)" cannot.*/\1/p'
}
is "$(proxied pki/front-proxy-client jane)" jane "the front proxy asks for others"
is "$(proxied pki/front-proxy-client '')" Unauthorized "and is nobody itself"
is "$(proxied pki/kube-scheduler jane)" system:kube-scheduler "others do not ask for others"
is "$(proxied old/kubernetes jane)" Unauthorized "least of all those of the old CA"
halt TERM apiserver
halt KILL controller-0
done_testing
