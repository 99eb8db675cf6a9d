#!/usr/bin/env bash
# nodebake pki, show, verify and rotate-encryption: what is issued, issued anew and left alone, and
# what is refused with nothing touched. Needs: faketime, jq, openssl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
grep -v '^nodes:\|^  -' "$golden/cluster.yaml" >head.yaml
cat >nodes.yaml <<'END'
nodes:
  - {name: controller-0, role: controller, address: 10.240.0.10}
  - {name: worker-0, role: worker, address: 10.240.0.20, podCIDR: 10.200.0.0/24}
END
pki='key: ecdsa-p256'

# describe: writes cluster.yaml, with what is in $pki and $more.
more=''
describe() { (cat head.yaml nodes.yaml && echo "pki: {$pki}" && echo "$more") >cluster.yaml; }

# run ARG...: nodebake pki ARG...; sets status and out (errors, too).
run()
{
    out=$("$nodebake" pki "$@" 2>&1 </dev/null)
    status=$?
}

# did ARG...: what is done, as "ACTION FILE" by lines, of what is not new.
did() { "$nodebake" pki --json "$@" 2>/dev/null | jq -r '.steps[] | .action + " " + .file'; }

snapshot() { (cd pki && find . ! -name .lock -printf '%P %m %i %T@ %s\n' | sort); }

# restore: the folder as it was issued first.
restore() { rm -rf pki && cp -a issued pki; }

# refused NAME REGEX ARG...
refused()
{
    local name=$1 regex=$2 before
    shift 2
    before=$(snapshot)
    run "$@"
    like "$status:$out" "^1:nodebake: $regex" "$name: refused"
    is "$(wc -l <<<"$out")" 1 "$name: in one line"
    is "$(snapshot)" "$before" "$name: nothing is touched"
}

describe
run --dry-run
is "$status:$(grep -vc 'would be' <<<"$out")" 0:0 "--dry-run says what would be done"
[ ! -e pki ]
ok $? "and makes nothing"
run
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 25 files issued" "all is issued"
is "$(stat -c %a pki)" 700 "the folder's mode"
is "$(find pki -type f ! -name '*.pem' ! -perm 600; find pki -name '*-key.pem' ! -perm 600)" "" \
    "keys, and what holds them, are the owner's alone"
before=$(snapshot)
run
is "$status:$out" "0:pki: nothing to do" "again: nothing"
is "$(snapshot)" "$before" "and nothing is touched"
run verify
is "$status:$out" 0: "verify is silent"
cp -a pki issued

# What changes in the cluster, and what follows from it alone.
sed -i '$a\  - {name: worker-1, role: worker, address: 10.240.0.21, podCIDR: 10.200.1.0/24}' nodes.yaml
describe
is "$(did)" "issue worker-1.pem
write worker-1.kubeconfig" "a node is added"
sed -i '$d' nodes.yaml
sed -i 's/10.240.0.20,/10.240.0.25,/' nodes.yaml
describe
run --dry-run
is "$out" "pki/worker-0.pem: would be reissued: 10.240.0.25 is not among its names
pki/worker-0.kubeconfig: would be written: its certificate is new" "a node's address changes: why"
is "$(did)" "reissue worker-0.pem
write worker-0.kubeconfig" "and what is done"
cmp -s pki/worker-0-key.pem issued/worker-0-key.pem
ok $? "for the same key"
sed -i 's/10.240.0.25,/10.240.0.20,/' nodes.yaml
restore
pki='key: ecdsa-p256, names: [k8s.example.com, 198.51.100.1]'
describe
is "$(did)" "reissue kubernetes.pem" "a name of the API servers"
like "$(openssl x509 -in pki/kubernetes.pem -noout -ext subjectAltName)" \
    'DNS:k8s.example.com, IP Address:198.51.100.1$' "is in their certificate"
pki='key: ecdsa-p256'
describe
like "$("$nodebake" pki --dry-run)" "reissued: 'k8s.example.com' is among its names, and not in" \
    "and goes again"
is "$(did)" "reissue kubernetes.pem" "with the certificate"
restore
pki='key: ecdsa-p256, subject: {unit: Platform}'
describe
is "$(did | grep -c '^reissue ')" 7 "another unit: all but the CA"
like "$(openssl x509 -in pki/admin.pem -noout -subject)" 'OU = Platform, CN = admin$' "is in the subject"
is "$("$nodebake" pki verify)" "" "and verify is content"
restore
pki='key: rsa-2048, validity: 10d'
describe
run
is "$out" "pki: nothing to do" "another kind of key, another validity: what is there stays"
rm pki/admin{,-key}.pem
run
is "$(openssl x509 -in pki/admin.pem -noout -text | grep -c 'Public-Key: (2048 bit)')" 1 \
    "what is new has that kind of key"
is "$(jq '.certificates[] | select(.name == "admin").daysLeft' < <("$nodebake" pki show --json))" 9 \
    "and that validity"
is "$(did --renew-before 20d)" "reissue admin.pem
write admin.kubeconfig
write admin-public.kubeconfig" "--renew-before: what ends sooner"
pki='key: ecdsa-p256'
describe
restore

# Time goes by.
later() { faketime -f "$1" "$nodebake" pki "${@:2}" 2>&1; }
like "$(later +360d --renew-before 720h --dry-run)" 'admin.pem: would be reissued: it ends on ' "near the end"
is "$(later +360d)" "pki: nothing to do" "which is no matter by itself"
is "$(later +380d verify | grep -c ': it expired on ')" 7 "verify tells what has expired"
like "$(later +380d --dry-run)" 'kubernetes.pem: would be reissued: it expired on ' "which is issued anew"
like "$(later +3700d)" '^nodebake: pki folder pki: ca.pem expired on .*: .nodebake pki --new-ca.' "a CA's end"
like "$(later -3d)" '^nodebake: pki folder pki: ca.pem is not valid before .*: set the clock' "a late clock"
like "$(faketime '2001-02-03' "$nodebake" pki 2>&1)" '^nodebake: the clock says 2001-02-03, which cannot' \
    "a clock that cannot be right"
like "$(faketime '2101-02-03' "$nodebake" pki 2>&1)" '^nodebake: the clock says 2101-02-03' "a clock from the future"
dated=$(sed -n 's/^RELEASED = //p' "$golden/../../Makefile")
like "$(faketime "$(date -u -d "$dated - 366 days" +%F)" "$nodebake" pki 2>&1)" '^nodebake: the clock says ' "a clock from before nodebake"
like "$(faketime "$(date -u -d "$dated - 364 days" +%F)" "$nodebake" pki 2>&1)" 'ca.pem is not valid before' "one that could be"
is "$(diff -r pki issued)" "" "nothing was touched"

# A new CA.
is "$(did --new-ca | sed 's/ .*//' | sort | uniq -c | tr -s ' \n' ' ')" " 7 reissue 1 replace 7 write " \
    "--new-ca: all is issued anew"
cmp -s pki/ca-old.pem issued/ca.pem && cmp -s pki/ca-old-key.pem issued/ca-key.pem
ok $? "the old CA is kept"
cmp -s pki/admin-key.pem issued/admin-key.pem
ok $? "and so are all keys"
is "$("$nodebake" pki verify)" "" "verify is content"
run
is "$out" "pki: nothing to do" "and nothing is left to do"
cp issued/admin.pem pki/
is "$(did | head -n 1)" "reissue admin.pem" "a certificate of the old CA is issued anew"
restore

# What does not go together.
rm pki/admin-key.pem
refused "no key" 'pki folder pki: admin.pem is there, but not its key admin-key.pem: '
restore
cp issued/kubernetes-key.pem pki/admin-key.pem
refused "another's key" 'pki folder pki: admin.pem is not the certificate of admin-key.pem: '
restore
cp issued/admin.pem pki/ca.pem && cp issued/admin-key.pem pki/ca-key.pem
refused "a CA without the CA bit" 'pki folder pki: ca.pem is not a certificate that may sign others: '
restore
"$nodebake" pki --pki other --quiet >log 2>&1
cp other/ca{,-key}.pem pki/
refused "another CA" 'pki folder pki: admin.pem does not verify against ca.pem '
restore
rm pki/ca{,-key}.pem
refused "no CA" 'pki folder pki: admin.pem is there, but neither ca.pem nor ca-key.pem: '
restore
chmod 640 pki/admin-key.pem
refused "a readable key" 'pki folder pki: admin-key.pem has mode 0640, so that others can read'
restore
chmod 604 pki/encryption-config.yaml
refused "readable secrets" 'pki folder pki: encryption-config.yaml has mode 0604, so that others can read'
restore
echo nothing >pki/bootstrap-token.yaml
refused "a token that is none" 'pki folder pki: bootstrap-token.yaml has no token '
restore
rm pki/ca-key.pem pki/admin.pem
refused "no CA key" 'pki folder pki: ca-key.pem is not there, and admin.pem has to be issued'
restore
chmod 755 pki
refused "an open folder" 'pki folder: pki has mode 0755, so that others can enter it: '
restore
if [ "$(id -u)" -eq 0 ]; then
    chown 65534 pki/admin.pem
    refused "a foreign file" 'pki folder pki: admin.pem belongs to uid 65534, not to you'
    restore
fi

# verify: all faults at once.
rm pki/kube-proxy.kubeconfig
chmod 644 pki/kube-scheduler-key.pem
cp issued/kube-scheduler.pem pki/admin.pem
sed -i 's/203.0.113.10/203.0.113.99/' pki/worker-0.kubeconfig
sed -i 's/client-key-data: .*/client-key-data: AAAA/' pki/bootstrap.kubeconfig pki/admin-public.kubeconfig
sed -i 's/token-secret: "./token-secret: "#/' pki/bootstrap-token.yaml
before=$(snapshot)
run verify
is "$status:$(sed 's/; \(remove\|put\) .*//' <<<"$out" | sort)" "1:admin-public.kubeconfig: its certificate is not admin.pem
admin-public.kubeconfig: its key: not a PEM text
admin.kubeconfig: its certificate is not admin.pem
admin.pem is not the certificate of admin-key.pem: put back the one of the two that was replaced
bootstrap-token.yaml has no token as nodebake writes it: remove the file to have a new one made
kube-proxy.kubeconfig: it is not there
kube-scheduler-key.pem has mode 0644, so that others can read or write it: chmod 0600 kube-scheduler-key.pem
nodebake: pki: 8 faults
worker-0.kubeconfig: its server is https://203.0.113.99:6443; cluster.yaml gives https://203.0.113.10:6443" "verify tells all faults, a line each"
is "$("$nodebake" pki verify --json 2>/dev/null | jq '.faults | length')" 8 "also as JSON"
is "$(snapshot)" "$before" "and touches nothing"
restore

# A kubeconfig of another hand that means the same.
jq -n --rawfile ca pki/ca.pem --rawfile cert pki/worker-0.pem --rawfile key pki/worker-0-key.pem '
    {kind: "Config", "current-context": "b", users: [{name: "me", user: {
        "client-certificate-data": ($cert | @base64), "client-key-data": ($key | @base64)}}],
    contexts: [{name: "a", context: {cluster: "other", user: "me"}}, {name: "b", context: {cluster: "c", user: "me"}}],
    clusters: [{name: "other", cluster: {server: "https://127.0.0.1:1"}}, {name: "c", cluster: {
        server: "https://203.0.113.10:6443", "certificate-authority-data": ($ca | @base64)}}]}' >by-hand
cat by-hand >pki/worker-0.kubeconfig
run verify
is "$status:$out" 0: "verify takes a kubeconfig by what it means"
is "$(did)" "" "and pki leaves it"
cmp -s by-hand pki/worker-0.kubeconfig
ok $? "byte for byte"
sed 's/"current-context": "b"/"current-context": "a"/' by-hand >pki/worker-0.kubeconfig
run verify
is "$status:$out" "1:worker-0.kubeconfig: its server is https://127.0.0.1:1; cluster.yaml gives https://203.0.113.10:6443
worker-0.kubeconfig: it has no CA
nodebake: pki: 2 faults" "its other context is told"
sed 's/"users"/"usrs"/' by-hand >pki/worker-0.kubeconfig
run verify
is "$status:$out" "1:worker-0.kubeconfig:4: unknown key 'usrs'; did you mean 'users'?
nodebake: pki: 1 fault" "and what cannot be read, with its line"
is "$(did)" "write worker-0.kubeconfig" "pki writes it anew"
restore

# An address as a DNS name, by another tool.
openssl req -new -key pki/worker-0-key.pem -subj '/O=system:nodes/CN=system:node:worker-0' -out w.csr
printf '%s\n' 'subjectAltName=DNS:worker-0,DNS:10.240.0.20' 'extendedKeyUsage=serverAuth,clientAuth' \
    keyUsage=digitalSignature >w.ext
openssl x509 -req -in w.csr -CA pki/ca.pem -CAkey pki/ca-key.pem -days 30 -extfile w.ext -out pki/worker-0.pem 2>/dev/null
like "$("$nodebake" pki --dry-run)" 'it has 10.240.0.20 as a DNS name, not as an address' "an address as a DNS name"
sed -i 's/DNS:10/IP:10/' w.ext
openssl x509 -req -in w.csr -CA pki/ca.pem -CAkey pki/ca-key.pem -days 30 -extfile w.ext -out pki/worker-0.pem 2>/dev/null
is "$(did)" "write worker-0.kubeconfig" "a certificate of another tool that fits is taken as it is"
restore

# The encryption configuration.
secret() { sed -n "/name: $1\$/{n;s/.*secret: //p}" pki/encryption-config.yaml; }
is "$(sed 's/secret: .*/secret: …/' pki/encryption-config.yaml)" "kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
  - resources:
      - secrets
    providers:
      - aescbc:
          keys:
            - name: key1
              secret: …
      - identity: {}" "the encryption configuration"
is "$(secret key1 | base64 -d | wc -c)" 32 "its key has 32 bytes"
first=$(secret key1)
run rotate-encryption --dry-run
is "$status:$out:$(diff -r pki issued)" "0:pki/encryption-config.yaml: key2 would be first:" "rotate --dry-run"
run rotate-encryption
is "$status:$out" "0:pki/encryption-config.yaml: key2 is first" "rotate"
run rotate-encryption
is "$(sed -n 's/.*name: //p' pki/encryption-config.yaml | tr '\n' ' ')" "key3 key2 key1 " "the newest is first"
is "$(secret key1)" "$first" "the oldest stays"
[ "$(secret key2)" != "$first" ] && [ "$(secret key3)" != "$(secret key2)" ]
ok $? "each is another"
is "$(stat -c %a pki/encryption-config.yaml)" 600 "for the owner alone"
run
is "$out" "pki: nothing to do" "pki leaves it alone"
sed -i 's/secret: ./secret: #/' pki/encryption-config.yaml
before=$(snapshot)
run rotate-encryption
is "$status:$(grep -c "${first:1}" <<<"$out"):$(snapshot)" "1:0:$before" "one that is broken is not touched, and not shown"
restore
sed -i 's/^kubernetes: .*/kubernetes: 1.12.10/' head.yaml
describe
is "$(did)" "write encryption-config.yaml" "an old Kubernetes"
is "$(head -n 2 pki/encryption-config.yaml | tr '\n' ' ')$(secret key1)" "kind: EncryptionConfig apiVersion: v1 $first" \
    "takes the old form, with the same key"
restore

# The token, as its two files have it.
id=$(sed -n 's/^  token-id: "\(.*\)"/\1/p' pki/bootstrap-token.yaml)
token=$id.$(sed -n 's/^  token-secret: "\(.*\)"/\1/p' pki/bootstrap-token.yaml)
like "$token" '^[a-z0-9]{6}\.[a-z0-9]{16}$' "a bootstrap token"
is "$(sed -n 's/^    token: //p' pki/bootstrap.kubeconfig)" "\"$token\"" "is in the kubeconfig"
is "$(sed -n 's/^  name: //p' pki/bootstrap-token.yaml)" "bootstrap-token-$id" "and names the Secret"

# The table.
run show
is "$(wc -l <<<"$out")" 12 "show has a line for each, a title, and files besides"
like "$out" $'\n''kubernetes +364 +CN=kubernetes,.* CN=Kubernetes,OU=CA,.* kubernetes.pem,kubernetes-key.pem +10.32.0.1,' \
    "with days, subject, issuer, files and names"
is "$("$nodebake" pki show --json | jq -r '.certificates[] | select(.name == "worker-0") |
    [.subject, .files, .sans] | flatten | join(" ")')" \
    "CN=system:node:worker-0,OU=Kubernetes The Hard Way,O=system:nodes,L=Portland,ST=Oregon,C=US worker-0.pem worker-0-key.pem worker-0.kubeconfig worker-0 10.240.0.20" \
    "show --json"
is "$("$nodebake" pki show --pki nowhere 2>&1)" \
    "nodebake: pki folder nowhere: it is not there; \`nodebake pki\` makes it" "show of nothing"
[ ! -e nowhere ]
ok $? "makes nothing"
for f in pki/*-key.pem; do sed -n 2p "$f"; done >keys
is "$(wc -l <keys):$({ "$nodebake" pki && "$nodebake" pki show && "$nodebake" pki verify; } 2>&1 | grep -cFf keys)" \
    8:0 "no key is shown"
done_testing
