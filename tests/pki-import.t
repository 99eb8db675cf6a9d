#!/usr/bin/env bash
# nodebake pki import: what is refused, one by one, with nothing touched; and killed at any moment, it
# leaves whole files, and the same import completes. Needs: faketime, openssl, strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/elsewhere.sh
describe
run csr --quiet --out req
cp -a pki keys
answers root
run import root.pem ans/*.pem
rm pki/admin.pem pki/worker-0.pem
cp req/admin.csr admin.csr
cp req/worker-0.csr worker.csr
cp ans/worker-0.pem good.pem

# flawed NAME REGEX FILE...: refused, and so is the good one beside it.
flawed() { refused "$1" "$2" import good.pem "${@:3}"; }

# early OUT CSR OPTION...: as the root signed it two months ago.
early()
{
    faketime -f -60d openssl x509 -req -in "$2" -CA root.pem -CAkey root.key -days 30 -out "$1" \
        "${@:3}" 2>/dev/null
}

# The certificate itself, and who signed it.
{
    echo -----BEGIN CERTIFICATE-----
    openssl x509 -in ans/admin.pem -outform der | sed 's/system:masters/system:mastery/' | base64 -w 64
    echo -----END CERTIFICATE-----
} >bad.pem
flawed "tampered with" "pki folder pki: bad.pem: .*: for admin: its one organization is not 'system:masters'" bad.pem
{
    echo -----BEGIN CERTIFICATE-----
    openssl x509 -in ans/admin.pem -outform der | sed 's/Oregon/Oregan/' | base64 -w 64
    echo -----END CERTIFICATE-----
} >bad.pem
flawed "tampered with where nothing else looks" 'pki folder pki: bad.pem: .*: it does not lead to ca.pem: certificate signature failure' bad.pem
sed '2s/./!/' ans/admin.pem >bad.pem
flawed "damaged" 'bad.pem: not a certificate in PEM form' bad.pem
new_key other.key
openssl req -new -key other.key -subj /O=system:masters/CN=admin -out other.csr 2>/dev/null
sign other.csr root bad.pem -extfile <(echo extendedKeyUsage=clientAuth)
flawed "another's key" 'pki folder pki: bad.pem: .*: no key in the folder is its key: .nodebake pki csr. makes' bad.pem
sign admin.csr stranger bad.pem
flawed "a stranger's signature" 'pki folder pki: bad.pem: .*: it does not lead to ca.pem: unable to get' bad.pem
early bad.pem admin.csr -copy_extensions copyall
flawed "expired" 'bad.pem: the certificate of .*CN=admin: it expired on ' bad.pem
faketime -f +10d openssl x509 -req -in admin.csr -CA root.pem -CAkey root.key -days 30 -copy_extensions copyall \
    -out bad.pem 2>/dev/null
flawed "not yet valid" 'bad.pem: the certificate of .*CN=admin: it is not valid before ' bad.pem
sign admin.csr mid leaf.pem -sha1
cat leaf.pem mid.pem >bad.pem
flawed "SHA-1" 'pki folder pki: bad.pem: .*: it does not lead to ca.pem: .*(weak|MD too)' bad.pem

# Those between.
sign admin.csr mid leaf.pem
flawed "a missing intermediate" 'pki folder pki: leaf.pem: .*: it does not lead to ca.pem: unable to get' leaf.pem
below plain root keyUsage=critical,digitalSignature
sign admin.csr plain leaf.pem
cat leaf.pem plain.pem >bad.pem
flawed "an intermediate without the CA bit" \
    'bad.pem: the certificate of /O=Corp/CN=plain signed that of .*CN=admin, and may not: a CA.s has CA:TRUE and keyCertSign' bad.pem
below mute root $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign'
sign admin.csr mute leaf.pem
cat leaf.pem mute.pem >bad.pem
flawed "one without keyCertSign" \
    'bad.pem: the certificate of /O=Corp/CN=mute signed that of .*CN=admin, and may not' bad.pem
below served root "$ca_bits"$'\nextendedKeyUsage=serverAuth'
sign admin.csr served leaf.pem
cat leaf.pem served.pem >bad.pem
flawed "one for servers only" 'pki folder pki: bad.pem: .*: it does not lead to ca.pem: .*purpose.*CN=served' bad.pem
below short root $'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign'
below shorter short "$ca_bits"
sign admin.csr shorter leaf.pem
cat leaf.pem shorter.pem short.pem >bad.pem
flawed "a path too long" 'pki folder pki: bad.pem: .*: it does not lead to ca.pem: path length' bad.pem
below gone root "$ca_bits"
early gone.pem gone.csr -extfile gone.ext
sign admin.csr gone leaf.pem
cat gone.pem leaf.pem >bad.pem
flawed "an intermediate that expired" 'bad.pem: the certificate of /O=Corp/CN=gone: it expired on ' bad.pem
openssl genrsa -out weak.key 1024 2>/dev/null
openssl req -new -key weak.key -subj /CN=weak -out weak.csr 2>/dev/null
sign weak.csr root weak.pem -extfile <(echo "$ca_bits")
sign admin.csr weak leaf.pem
cat leaf.pem weak.pem >bad.pem
flawed "a weak one" 'bad.pem: the certificate of /CN=weak: its key of 1024 bits is too weak' bad.pem

# A certificate as the CA would have it.
# changed SUBJECT EXTENSION...: an answer to the worker's request with these.
changed()
{
    openssl x509 -req -in worker.csr -CA root.pem -CAkey root.key -days 30 -subj "$1" \
        -extfile <(printf '%s\n' "${@:2}") -out bad.pem 2>/dev/null
}
subject=/O=system:nodes/CN=system:node:worker-0
usages=(keyUsage=digitalSignature extendedKeyUsage=serverAuth,clientAuth)
sans=subjectAltName=DNS:worker-0,IP:10.240.0.20
changed $subject "${usages[@]}" subjectAltName=DNS:worker-0
refused "an address is missing" 'pki folder pki: bad.pem: .*: for worker-0: 10.240.0.20 is not among its names' import bad.pem
changed $subject "${usages[@]}" subjectAltName=DNS:worker-0,IP:10.240.9.20
refused "another cluster's" 'pki folder pki: bad.pem: .*: for worker-0: 10.240.0.20 is not among its names' import bad.pem
changed $subject keyUsage=digitalSignature extendedKeyUsage=serverAuth $sans
refused "for servers only" 'pki folder pki: bad.pem: .*: for worker-0: it is not a client.s certificate' import bad.pem
changed /O=system:nodes/CN=system:node:worker-1 "${usages[@]}" $sans
refused "another common name" "pki folder pki: bad.pem: .*: its common name is not 'system:node:worker-0'" import bad.pem
changed /O=system:nodes/O=system:masters/CN=system:node:worker-0 "${usages[@]}" $sans
refused "one group more" "pki folder pki: bad.pem: .*: its one organization is not 'system:nodes'" import bad.pem
changed $subject basicConstraints=critical,CA:TRUE keyUsage=keyCertSign,digitalSignature $sans
refused "a CA instead" 'pki folder pki: bad.pem: .*: it is a CA.s, and worker-0-key.pem is no CA.s key' import bad.pem
changed /C=DE/O=system:nodes/OU=Corp/CN=system:node:worker-0 "${usages[@]}" $sans
is "$(did import bad.pem --dry-run)" "import worker-0.pem" "parts of the name that mean nothing are the CA's affair"

# Files that do not go together.
sign admin.csr root twin.pem
flawed "two for one" 'pki folder pki: twin.pem: .*: ans/admin.pem is for admin, too' ans/admin.pem twin.pem
flawed "twice" 'good.pem: the certificate of .* is in good.pem already' good.pem
flawed "a CA that nothing needs" 'pki folder pki: stranger.pem: .*: ca.pem is there already; --new-ca' stranger.pem
cat ans/admin.pem stranger.pem >bad.pem
flawed "one between that nothing needs" 'pki folder pki: bad.pem: .*CN=Stranger: nothing that is imported needs it' bad.pem
cat ans/admin.pem pki/admin-key.pem >bad.pem
flawed "a key in the file" "bad.pem: holds a block 'PRIVATE KEY'; it must hold certificates only" bad.pem
flawed "the request itself" "req/admin.csr: holds a block 'CERTIFICATE REQUEST'" req/admin.csr
head -c 3000 /dev/urandom >bad.pem
flawed "garbage" 'bad.pem: (not a PEM text|holds no certificate)' bad.pem
openssl x509 -in ans/admin.pem -outform der -out bad.pem
flawed "DER" 'bad.pem: (not a PEM text|holds no certificate)' bad.pem
: >bad.pem
flawed "an empty file" 'bad.pem: (not a PEM text|holds no certificate)' bad.pem
head -n 5 ans/admin.pem >bad.pem
flawed "half a file" 'bad.pem: a certificate has no end' bad.pem
truncate -s 3M bad.pem
flawed "a huge file" 'bad.pem: .*1048576' bad.pem
for ((i = 0; i < 1000; i++)); do cat root.pem; done >bad.pem
flawed "1000 certificates in a file" 'bad.pem: holds more than 100 certificates' bad.pem
flawed "no such file" 'nowhere.pem: No such file' nowhere.pem
flawed "a folder" 'ans' ans
run import
is "$status:$out" "2:nodebake pki import: an argument is missing: FILE..." "no file"
chmod 644 pki/admin-key.pem
flawed "a key that others can read" 'pki folder pki: ans/admin.pem: .*: no key in the folder' ans/admin.pem
chmod 600 pki/admin-key.pem
is "$(did import good.pem ans/admin.pem)" "import admin.pem
import worker-0.pem" "what is good beside them is taken at last"
is "$(kinds)" " 9 write " "and all is there"

# whole FROM: what the cut run left goes together; says what does not.
whole()
{
    local cert
    for cert in pki/*.pem; do
        [[ $cert != *-key.pem ]] || continue
        openssl x509 -in "$cert" -noout 2>/dev/null || echo "$cert is half written"
        [[ $1 == mine || $cert == pki/ca.pem ]] ||
            openssl verify -CAfile pki/ca.pem -untrusted "$cert" "$cert" >/dev/null 2>&1 || echo "$cert is no good"
    done
    find pki -name '*-key.pem*' -perm /077
    ls "$1"/*-key.pem | while read -r key; do
        cmp -s "$key" "pki/${key##*/}" || cmp -s "$key" pki/ca-old-key.pem || echo "$key was lost"
    done
}

# cut NAME CALL FROM ARG...: from a copy of the folder FROM, killed each time that CALL is made.
cut()
{
    local name=$1 call=$2 from=$3 n bad="" status
    shift 3
    for ((n = 1; n < 200; n++)); do
        restore "$from"
        { strace -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
            "$nodebake" pki import "$@" >log 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status -ne 0 ] || break # it was not made so often
        bad+=$(whole "$from")
        "$nodebake" pki import "$@" >log 2>&1 || bad+="$n: $(<log)"
        "$nodebake" pki --quiet >log 2>&1 || bad+="$n, pki: $(<log)"
        "$nodebake" pki verify >log 2>&1 || bad+="$n, verify: $(<log)"
        [ -z "$(find pki -name '*nodebake-tmp*' -o -name '*-new*')" ] || bad+="$n: $(ls pki)"
    done
    is "$bad" "" "$name: $call"
    is "$((n > 1 && n < 200))" 1 "$name: it is done before the ${n}th $call"
}
answers mid
for f in ans/*.pem; do cat mid.pem >>"$f"; done
cut "import" renameat keys root.pem ans/*.pem
cut "import" fsync keys root.pem ans/*.pem
restore keys
run --quiet
cp -a pki mine
rm -rf req
run csr --quiet --out req admin worker-0 kube-{controller-manager,proxy,scheduler} kubernetes service-account
answers stranger
cut "a new CA" renameat mine --new-ca stranger.pem ans/*.pem
cut "a new CA" unlinkat mine --new-ca stranger.pem ans/*.pem
# Requests: each that is there is of the key that is there, and no key is made twice.
bad=""
for ((n = 1; n < 40; n++)); do
    rm -rf pki req
    { strace -qq -o trace -e trace=renameat -e inject=renameat:signal=KILL:when=$n \
        "$nodebake" pki csr --quiet --out req >log 2>&1 </dev/null; } 2>/dev/null && break
    for f in req/*.csr; do
        [ ! -e "$f" ] || cmp -s <(openssl req -in "$f" -noout -verify -pubkey 2>/dev/null) \
            <(openssl pkey -in "pki/$(basename "$f" .csr)-key.pem" -pubout) || bad+="$n: $f "
    done
    before=$(cd pki && sha256sum ./*-key.pem 2>/dev/null)
    "$nodebake" pki csr --quiet --out req >log 2>&1 || bad+="$n: $(<log) "
    [ -z "$before" ] || (cd pki && sha256sum --quiet -c - <<<"$before" >/dev/null 2>&1) || bad+="$n: another key "
    [ "$(find req -name '*.csr' | wc -l):$(find req pki -name '*nodebake-tmp')" = 7: ] || bad+="$n: $(ls req pki) "
done
is "$bad:$n" ":15" "requests go with their keys"
restore mine
for f in pki/*-key.pem; do sed -n 2p "$f"; done >secrets
run csr --out up admin
echo "$out" >log
run import ans/*.pem
is "$(wc -l <secrets):$(echo "$out" | cat - log up/* req/* | grep -cFf secrets)" 8:0 "no key is shown"
done_testing
