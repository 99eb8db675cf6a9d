#!/usr/bin/env bash
# nodebake pki csr and import: a CA that lives elsewhere (OpenSSL's) signs requests; its answers are
# taken. Needs: faketime, jq, openssl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/elsewhere.sh
describe

# Requests.
run csr --out req --dry-run
is "$status:$(grep -c 'csr: would be requested with a new key: it is not there$' <<<"$out")" 0:7 \
    "csr --dry-run says what would be requested"
[ ! -e req ] && [ ! -e pki ]
ok $? "and makes nothing"
run csr --out req admni
is "$status:$out" "1:nodebake: pki folder pki: nothing in this cluster is called 'admni'; did you mean 'admin'?" \
    "a name that is none"
run csr --out req worker
like "$out" "did you mean 'worker-0'\?$" "half a name"
run csr --out req nobody
like "$out" "'nobody'; .nodebake pki show. has the names$" "a name like no other"
[ ! -e req ]
ok $? "nothing is written for them"
run csr
like "$status:$out" '^1:nodebake: --out DIR is missing' "no --out"
run csr --out req
is "$status:$(tail -n 1 <<<"$out")" \
    "0:req: 7 requests: have the CA sign them, then \`nodebake pki import FILE...\`" "all are requested"
is "$(ls req | tr '\n' ' ')" "admin.csr kube-controller-manager.csr kube-proxy.csr kube-scheduler.csr \
kubernetes.csr service-account.csr worker-0.csr " "but the CA"
is "$(find pki -name '*-key.pem' -perm 600 | wc -l):$(find pki -type f ! -name '.lock' | wc -l)" 7:7 \
    "their keys are in the folder, and nothing else"
bad=""
for csr in req/*.csr; do
    openssl req -in "$csr" -noout -verify >log 2>&1 || bad+="$csr is not signed by its key: $(<log)"
    [ "$(openssl req -in "$csr" -noout -pubkey)" = \
        "$(openssl pkey -in "pki/$(basename "$csr" .csr)-key.pem" -pubout)" ] || bad+="$csr has another key"
done
is "$bad" "" "each is signed by its key"

# says: subject and extensions of a certificate or request, without what only a certificate has.
says()
{
    sed -n '/^ *Subject: /p; /X509v3/,/^ *Signature Algorithm/p' | grep -v 'Signature Algorithm\|X509v3 extensions:' |
        sed '/Subject Key Identifier/,+1d; /Authority Key Identifier/,+1d; s/^ *//; s/ *$//'
}
"$nodebake" pki --pki own --quiet >log 2>&1
bad=""
for csr in req/*.csr; do
    name=$(basename "$csr" .csr)
    diff <(openssl req -in "$csr" -noout -text | says) <(openssl x509 -in "own/$name.pem" -noout -text | says) \
        >log || bad+="$name: $(<log)"
done
is "$bad" "" "each asks for what nodebake itself would issue"
is "$(openssl req -in req/kubernetes.csr -noout -text | says | wc -l)" 9 "which is all of it"
before=$(cd pki && sha256sum ./*-key.pem)
is "$(did csr --out req)" "$(printf 'request %s.csr\n' admin worker-0 kube-controller-manager kube-proxy \
    kube-scheduler kubernetes service-account)" "again: the same, as JSON"
is "$(cd pki && sha256sum ./*-key.pem)" "$before" "for the same keys"
cp -a pki keys
echo x >file
run csr --out file
like "$status:$out" '^1:nodebake: pki folder pki: (create )?file: ' "a folder that is none"

# The answers.
answers root
refused "no CA" "pki folder pki: ans/admin.pem: the certificate of /C=US/.*CN=admin: ca.pem is not there: import" \
    import ans/admin.pem
before=$(snapshot)
run import root.pem ans/*.pem --dry-run
is "$status:$(grep -c 'would be imported: from ' <<<"$out"):$(snapshot)" "0:8:$before" "import --dry-run"
run import root.pem ans/*.pem
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 8 files imported; \`nodebake pki\` writes the kubeconfigs" "import"
cmp pki/ca.pem root.pem && cmp pki/admin.pem ans/admin.pem
ok $? "they are there as they came"
is "$(stat -c %a pki/ca.pem pki/admin.pem pki | tr '\n' ' ')" "644 644 700 " "with their modes"
before=$(cd pki && sha256sum ./*.pem)
is "$(kinds)" " 9 write " "pki writes what is made of them"
is "$(cd pki && sha256sum ./*.pem)" "$before" "and nothing else"
run
is "$status:$out" "0:pki: nothing to do" "pki has nothing left to do without the CA's key"
run verify
is "$status:$out" "0:" "verify is silent"
run csr --out none
is "$status:$out" "0:none: nothing to do" "nothing is left to request"
[ ! -e none ]
ok $? "no folder is made for that"
run import root.pem ans/*.pem
is "$status:$out" "0:pki: nothing to do" "imported again: nothing to do"

# One is missing: its key is here, the CA's is not.
rm pki/admin.pem
refused "something to issue" 'pki folder pki: ca-key.pem is not there, and admin.pem has to be issued: .*.nodebake pki csr. writes'
is "$(did csr --out one)" "request admin.csr" "csr asks for that one"
run import ans/admin.pem
is "$("$nodebake" pki)" "pki: nothing to do" "and its answer mends it"
is "$(did csr --out one --renew-before 60d | wc -l)" 7 "--renew-before: all that end before"
is "$(did csr --out one kube-proxy worker-0)" "request worker-0.csr
request kube-proxy.csr" "what is named"
cmp -s <(openssl req -in one/kube-proxy.csr -noout -pubkey) <(openssl req -in req/kube-proxy.csr -noout -pubkey)
ok $? "for its key"
sign one/kube-proxy.csr root longer.pem -days 60
is "$(did import longer.pem) $(did --quiet)" "import kube-proxy.pem write kube-proxy.kubeconfig" "renewed"
refused "an older answer" 'pki folder pki: ans/kube-proxy.pem: .*: it ends before kube-proxy.pem, which' \
    import ans/kube-proxy.pem

# By way of an intermediate.
answers mid
for f in ans/*.pem; do cat root.pem "$f" mid.pem >all && mv all "$f"; done
restore keys
refused "a root beside what it signed" 'pki folder pki: ans/admin.pem: .*: ca.pem is not there' import ans/admin.pem
run import root.pem
is "$status:$(head -n 1 <<<"$out")" "0:pki/ca.pem: imported: from root.pem" "the root first"
run import ans/*.pem
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 7 files imported; \`nodebake pki\` writes the kubeconfigs" "then the chains"
is "$(grep -c BEGIN pki/admin.pem):$(openssl x509 -in pki/admin.pem -noout -subject | sed 's/.*, //')" \
    "2:CN = admin" "in order, without the root"
run --quiet
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 9 files issued" "pki writes the kubeconfigs"
is "$(sed -n 's/.*client-certificate-data: //p' pki/admin.kubeconfig | base64 -d)" "$(<pki/admin.pem)" \
    "with the whole chain"
is "$("$nodebake" pki && "$nodebake" pki verify)" "pki: nothing to do" "all is well"
is "$(openssl verify -x509_strict -CAfile pki/ca.pem -untrusted pki/worker-0.pem -purpose sslserver pki/worker-0.pem)" \
    "pki/worker-0.pem: OK" "openssl verifies it"
is "$("$nodebake" pki show --json | jq -c '.certificates[] | select(.name == "admin") | .chain')" \
    '["CN=mid,O=Corp"]' "show tells who stands between"
openssl s_server -accept 127.0.0.1:0 -cert pki/kubernetes.pem -cert_chain pki/kubernetes.pem \
    -key pki/kubernetes-key.pem -CAfile pki/ca.pem -Verify 3 -verify_return_error -www >server 2>&1 &
server=$!
within 10 grep -q '^ACCEPT 127' server
out=$(openssl s_client -connect "$(sed -n 's/^ACCEPT //p' server)" -cert pki/admin.pem -cert_chain pki/admin.pem \
    -key pki/admin-key.pem -CAfile pki/ca.pem -verify_ip 10.240.0.10 -verify_return_error -ign_eof 2>&1 <<<'GET / HTTP/1.0
')
kill "$server"
wait "$server" 2>/dev/null
like "$out" 'Verify return code: 0 \(ok\).*HTTP/1.0 200' "a server and a client with such chains trust each other"
like "$(faketime -f +40d "$nodebake" pki verify 2>&1)" 'admin.pem has to be issued \(it expired on' "which has an end"
cp -a pki chained
cat mid.pem ans/admin.pem >pki/admin.pem
like "$("$nodebake" pki 2>&1)" 'admin.pem: its certificate . did not issue the one before it' "a file out of order"
restore chained
sed -i '/END/q' pki/admin.pem
like "$("$nodebake" pki 2>&1)" 'admin.pem does not verify against ca.pem' "a chain with a hole"
restore chained
cat root.pem mid.pem >pki/ca.pem
like "$("$nodebake" pki 2>&1)" 'ca.pem: 2 PEM blocks; one certificate is wanted' "ca.pem holds one"
restore keys
cat mid.pem root.pem >bundle.pem
run import bundle.pem ans/admin.pem
is "$status:$(cmp pki/ca.pem mid.pem):$(grep -c BEGIN pki/admin.pem)" 0::1 \
    "of a bundle of CAs the nearest is trusted"
restore keys
refused "two roots" 'pki folder pki: root.pem: /O=Corp/CN=Root and stranger.pem: /O=Corp/CN=Stranger: both could be ca.pem' \
    import root.pem stranger.pem

# The CA's key here, its certificate from above.
rm -rf pki
run csr --quiet --out up ca
is "$status:$(ls pki):$(head -n 1 <<<"$out")" "0:ca-key.pem:up/ca.csr: requested with a new key: it is asked for" "csr ca"
like "$(openssl req -in up/ca.csr -noout -text)" $'Basic Constraints: critical\n *CA:TRUE, pathlen:0\n' \
    "asks for a CA that signs no other"
sign up/ca.csr root ca-answer.pem -days 300
cat root.pem ca-answer.pem >ca-answer-all.pem
refused "another CA" 'pki folder pki: stranger.pem: .*: it is not the certificate of ca-key.pem' import stranger.pem
run import ca-answer-all.pem
is "$status:$(cmp pki/ca.pem ca-answer.pem)" 0: "its answer is ca.pem, alone"
run --quiet
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 23 files issued" "pki issues all by it"
is "$(openssl verify -CAfile root.pem -untrusted pki/ca.pem pki/admin.pem) $("$nodebake" pki verify)" \
    "pki/admin.pem: OK " "which the root's friends trust"
run csr --out up ca
sign up/ca.csr root ca-renewed.pem -days 900
refused "a CA that is there" 'pki folder pki: ca-renewed.pem: .*: ca.pem is there already; --new-ca' import ca-renewed.pem
is "$(did import --new-ca ca-renewed.pem)" "replace ca.pem" "--new-ca"
cmp pki/ca.pem ca-renewed.pem && cmp pki/ca-old.pem ca-answer.pem && [ -e pki/ca-key.pem ]
ok $? "puts it in its place"
is "$(kinds)" " 7 write " "the same key: certificates stay good"
refused "--new-ca of nothing" 'pki folder pki: --new-ca: no file holds a CA alone' import --new-ca ans/admin.pem
run import --new-ca ca-renewed.pem
is "$status:$out" "0:pki: nothing to do" "--new-ca of the one that is there"
refused "a root that is not asked for" 'pki folder pki: stranger.pem: .*: ca.pem is there' import stranger.pem
run import --new-ca stranger.pem
is "$status:$([ -e pki/ca-key.pem ]; echo $?)" 0:1 "--new-ca with a CA elsewhere"
[ -e pki/ca-old-key.pem ] && cmp pki/ca-old.pem ca-renewed.pem
ok $? "keeps the old one's key aside"
refused "then" 'pki folder pki: ca-key.pem is not there, and admin.pem has to be issued \(ca-old.pem issued it'
refused "a CA without its key" 'pki folder pki: ca.pem is there, but not ca-key.pem: a request is made where' csr --out up ca
rm -rf req
is "$(did csr --out req | wc -l)" 7 "all are to be requested from it"
answers stranger
run import ans/*.pem
is "$status:$("$nodebake" pki --quiet | tail -n 1):$("$nodebake" pki verify)" "0:pki: 7 files issued:" "and are"

# CAs of their own.
pki='key: ecdsa-p256, layout: separate, cas: each'
describe
root etcd /CN=etcd-root
root front /CN=front-root
rm -rf pki req
run csr --out req
answers root
for f in etcd-server etcd-peer kube-apiserver-etcd-client; do sign "req/$f.csr" etcd "ans/$f.pem"; done
sign req/front-proxy-client.csr front ans/front-proxy-client.pem
refused "a CA that nobody needs" 'pki folder pki: etcd.pem: .*: which CA of the cluster it is cannot be told' import etcd.pem
run import etcd.pem front.pem root.pem ans/*.pem
is "$status:$(cmp pki/etcd-ca.pem etcd.pem; cmp pki/front-proxy-ca.pem front.pem; cmp pki/ca.pem root.pem)" 0: \
    "each CA is known by what it issued"
is "$("$nodebake" pki --quiet | tail -n 1):$("$nodebake" pki verify)" "pki: 9 files issued:" "and all is well"
sign req/etcd-peer.csr root peer.pem
refused "the wrong CA" 'pki folder pki: peer.pem: .*: it does not lead to etcd-ca.pem: ' import peer.pem
run csr --out up etcd-ca
like "$out" 'etcd-ca.pem is there, but not etcd-ca-key.pem' "a CA of etcd's elsewhere"
done_testing
