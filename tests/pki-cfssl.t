#!/usr/bin/env bash
# The certificates of the shared layout beside those that cfssl makes of the JSON in Kubernetes The
# Hard Way: subject, key usage, extended key usage, constraints, names; and what OpenSSL thinks of
# them. Needs: cfssl, jq, openssl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# The names that the document's list lacks.
more_names='DNS:kubernetes.default.svc.cluster.local
DNS:localhost'
address() { sed -nE "s/.*name: $1, .*address: ([0-9.]+).*/\1/p" cluster.yaml; }
public=$(sed -n 's/^publicAddress: //p' "$golden/cluster.yaml")
cp "$golden/cluster.yaml" cluster.yaml
controllers=$(sed -nE 's/.*name: ([a-z0-9-]+), role: controller,.*/\1/p' cluster.yaml)
workers=$(sed -nE 's/.*name: ([a-z0-9-]+), role: worker,.*/\1/p' cluster.yaml)

"$nodebake" pki --quiet >log 2>&1
is "$?" 0 "nodebake issues all"

mkdir cfssl
cat >cfssl/ca-config.json <<'END'
{"signing": {"default": {"expiry": "8760h"}, "profiles": {"kubernetes": {
  "usages": ["signing", "key encipherment", "server auth", "client auth"], "expiry": "8760h"}}}}
END

# csr CN O OU
csr()
{
    jq -n --arg cn "$1" --arg o "$2" --arg ou "$3" '{CN: $cn, key: {algo: "rsa", size: 2048},
        names: [{C: "US", L: "Portland", O: $o, OU: $ou, ST: "Oregon"}]}'
}

# issue STEM CN O [HOSTNAMES]
issue()
{
    csr "$2" "$3" "Kubernetes The Hard Way" >"cfssl/$1-csr.json"
    (cd cfssl && cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json \
        ${4:+-hostname="$4"} -profile=kubernetes "$1-csr.json" 2>>log | cfssljson -bare "$1")
}

csr Kubernetes Kubernetes CA >cfssl/ca-csr.json
(cd cfssl && cfssl gencert -initca ca-csr.json 2>log | cfssljson -bare ca)
issue admin admin system:masters
for worker in $workers; do
    issue "$worker" "system:node:$worker" system:nodes "$worker,$(address "$worker")"
done
issue kube-controller-manager system:kube-controller-manager system:kube-controller-manager
issue kube-proxy system:kube-proxy system:node-proxier
issue kube-scheduler system:kube-scheduler system:kube-scheduler
addresses=$(for c in $controllers; do address "$c"; done | paste -sd ,)
issue kubernetes kubernetes Kubernetes "10.32.0.1,$addresses,$public,127.0.0.1,kubernetes,\
kubernetes.default,kubernetes.default.svc,kubernetes.default.svc.cluster,kubernetes.svc.cluster.local"
issue service-account service-accounts Kubernetes

is "$(cd pki && printf '%s\n' *.pem | grep -v -e -key)" \
    "$(cd cfssl && printf '%s\n' *.pem | grep -v -e -key)" "both have the same certificates"

# extension FILE NAME: whether it is critical, and what it holds.
extension() { openssl x509 -in "$1" -noout -ext "$2" 2>/dev/null | sed 's/, /\n/g; s/^ *//' | sort; }
subject() { openssl x509 -in "$1" -noout -subject -nameopt sep_multiline,sname | sed 's/^ *//' | sort; }

for file in cfssl/*.pem; do
    stem=$(basename "$file" .pem)
    [[ $stem != *-key ]] || continue
    ours=pki/$stem.pem
    is "$(subject "$ours")" "$(subject "$file")" "$stem: the subject"
    is "$(extension "$ours" keyUsage)" "$(extension "$file" keyUsage)" "$stem: key usage"
    is "$(extension "$ours" extendedKeyUsage)" "$(extension "$file" extendedKeyUsage)" \
        "$stem: extended key usage"
    is "$(extension "$ours" basicConstraints)" \
        "$(extension "$file" basicConstraints | sed '/^pathlen/d')" "$stem: basic constraints"
    wanted=$(extension "$file" subjectAltName)
    [ "$stem" != kubernetes ] || wanted=$(sort <<<"$wanted
$more_names
$(printf 'DNS:%s\n' $controllers)")
    is "$(extension "$ours" subjectAltName)" "$wanted" "$stem: names"
    [ "$stem" != ca ] || continue
    for purpose in sslclient sslserver; do
        openssl verify -x509_strict -purpose $purpose -CAfile pki/ca.pem "$ours" >log 2>&1
        is "$?:$(<log)" "0:$ours: OK" "$stem: openssl verify -purpose $purpose"
    done
done

# The separate layout has only the usages that each needs.
cat >>cluster.yaml <<'END'
pki: {layout: separate, cas: each, key: ecdsa-p256}
END
"$nodebake" pki --quiet --pki separate >log 2>&1
is "$?" 0 "the separate layout"
while read -r stem ca client server; do
    for purpose in sslclient sslserver; do
        openssl verify -x509_strict -purpose $purpose -CAfile "separate/$ca.pem" "separate/$stem.pem" >log 2>&1
        result=$?
        [ $purpose = sslclient ] && wanted=$client || wanted=$server
        is "$([ $result -eq 0 ] && echo yes || echo no)" "$wanted" "$stem by $ca: $purpose"
    done
done <<'END'
admin ca yes no
kube-proxy ca yes no
kube-apiserver ca no yes
kube-apiserver-kubelet-client ca yes no
etcd-server etcd-ca yes yes
etcd-peer etcd-ca yes yes
kube-apiserver-etcd-client etcd-ca yes no
front-proxy-client front-proxy-ca yes no
service-account ca yes no
END
openssl verify -CAfile separate/ca.pem separate/etcd-server.pem >log 2>&1
is "$?" 2 "etcd's certificate is none of ca.pem"
done_testing
