#!/usr/bin/env bash
# A pki folder encrypted with a passphrase: what lies there, who opens it, what is refused, how it is
# turned on, off and changed, also when killed, and that images are the same. Needs: jq, openssl,
# strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home TMPDIR=$tmp/tmp
unset XDG_CACHE_HOME
mkdir "$HOME" "$TMPDIR"
cd "$tmp" || exit 1
umask 022
(grep -v '^image: ' "$golden/cluster.yaml" && echo 'image: base.raw' && echo 'pki: {key: ecdsa-p256}') >cluster.yaml

passphrase='horse Pferd 42 ünd'
pass() { (umask 077 && printf '%s\n' "$2" >"$1"); }
pass right "$passphrase"
pass next 'another one, quite long'
pass wrong 'horse Pferd 43'
with=(--passphrase-file right)

# run ARG...: nodebake pki ARG...; sets status and out (errors, too).
run()
{
    out=$("$nodebake" pki "$@" 2>&1 </dev/null)
    status=$?
}

snapshot() { (cd "${1:-pki}" && find . ! -name .lock -printf '%P %m %i %T@ %s\n' | sort); }
content() { (cd "$1" && sha256sum -- *); }

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
    grep -q 'horse\|Pferd' <<<"$out"
    is $? 1 "$name: no passphrase is shown"
}

# secrets FOLDER: words of its secrets, a line each; the folder is plain.
secrets()
{
    sed -sn 2p "$1"/*-key.pem
    sed -n 's/.*client-key-data: //p' "$1"/*.kubeconfig | cut -c 121-200
    sed -n 's/^    token: //p' "$1"/*.kubeconfig
    sed -n 's/.*secret: //p' "$1/encryption-config.yaml"
    sed -n 's/.*token-secret: *//p' "$1/bootstrap-token.yaml" | tr -d '"'
    echo "$passphrase"
}

# Issued with a passphrase.
run "${with[@]}"
is "$status:$(tail -n 1 <<<"$out")" "0:pki: 28 files issued" "all is issued"
is "$(find pki -name '*.kubeconfig' -o -name '*.yaml')" "" "no secret lies plain beside the keys"
is "$(grep -L 'BEGIN ENCRYPTED PRIVATE KEY' pki/*-key.pem)" "" "all keys are encrypted"
is "$(find pki -type f ! -name '*.pem' ! -perm 600; find pki -name '*-key.pem' ! -perm 600)" "" \
    "with the modes that they have anyway"
cp -a pki sealed
cp -a pki opened
run --pki opened "${with[@]}" --decrypt
is "$status:$(head -n 1 <<<"$out")" "0:opened: 19 files decrypted" "--decrypt"
secrets opened >words
[ "$(sort -u words | wc -l)" -ge 18 ]
ok $? "there are words to look for"
grep -rFlf words opened >/dev/null
ok $? "which are in the decrypted folder"
is "$(grep -rFlf words sealed)" "" "and nowhere in the encrypted one"
is "$(grep -rFlf words "$HOME" "$TMPDIR")" "" "nor in files elsewhere"
is "$(content opened | grep -v '\.cms$' | grep -c .)" 28 "nothing else is in it"

# openssl opens each file.
bad=""
for f in sealed/*-key.pem; do
    openssl pkey -in "$f" -passin file:right 2>&1 | cmp -s - "opened/${f##*/}" || bad+=" $f"
done
is "$bad" "" "openssl pkey opens each key"
bad=""
for f in sealed/*.cms; do
    plain=opened/$(basename "$f" .cms)
    openssl cms -decrypt -binary -pwri_password "$passphrase" -inform PEM -in "$f" 2>&1 |
        cmp -s - "$plain" || bad+=" $f"
done
is "$bad" "" "openssl cms opens each of the others"
openssl pkey -in sealed/ca-key.pem -noout -text_pub -passin file:wrong >/dev/null 2>&1
is $? 1 "not with another passphrase"
like "$(openssl asn1parse -in sealed/ca-key.pem)" 'PBES2.*PBKDF2.*:0927C0.*hmacWithSHA256.*aes-256-cbc' \
    "PBES2, PBKDF2 of 600000 rounds, HMAC-SHA-256, AES-256"
like "$(openssl cms -cmsout -print -noout -inform PEM -in sealed/admin.kubeconfig.cms)" \
    'PBKDF2.*:0927C0.*hmacWithSHA256.*id-alg-PWRI-KEK.*aes-256-cbc' "and the same for the others"

# Commands.
before=$(snapshot)
run "${with[@]}"
is "$status:$out" "0:pki: nothing to do" "again: nothing to do"
run verify "${with[@]}"
is "$status:$out" "0:" "verify"
run show "${with[@]}"
like "$out" 'worker-0.pem,worker-0-key.pem,worker-0.kubeconfig.cms' "show names the files that are there"
is "$(snapshot)" "$before" "nothing is touched by these"
run --passphrase-fd 3 3<right
is "$status:$out" "0:pki: nothing to do" "--passphrase-fd"
run verify --passphrase-fd 3 3< <(cat right && cat words)
is "$status:$out" "0:" "... of a pipe"
out=$(printf '%s' "$passphrase" | "$nodebake" pki verify --passphrase-fd 0 2>&1)
is "$?:$out" "0:" "... standard input"
run rotate-encryption "${with[@]}"
is "$status:$out" "0:pki/encryption-config.yaml: key2 is first" "rotate-encryption"
like "$(openssl cms -decrypt -pwri_password "$passphrase" -inform PEM -in pki/encryption-config.yaml.cms)" \
    'name: key2.*name: key1' "which is encrypted again"
rm pki/worker-0{-key.pem,.pem}
run "${with[@]}" --json --quiet
is "$(jq -r '.steps[].file' <<<"$out")" "worker-0.pem
worker-0.kubeconfig.cms" "what is missing is issued, encrypted"
cp -a pki/ca-key.pem ca-key
run "${with[@]}" --new-ca
is "$status" 0 "--new-ca"
cmp -s ca-key pki/ca-old-key.pem || openssl pkey -in pki/ca-old-key.pem -passin file:right | cmp -s - opened/ca-key.pem
ok $? "the old CA's key stays"
is "$(grep -L 'BEGIN ENCRYPTED' pki/*-key.pem)$(find pki -name '*.kubeconfig' -o -name '*.yaml')" "" "all is encrypted"
run verify "${with[@]}"
is "$status:$out" "0:" "and all is well"

# What is refused.
restore() { rm -rf pki && cp -a "$1" pki; }
restore sealed
refused "a wrong passphrase" 'pki folder pki: admin-key.pem: the passphrase does not open it$' --passphrase-file wrong
refused "no passphrase" 'pki folder pki: .* is encrypted: give --passphrase-file or --passphrase-fd$'
refused "no passphrase to verify" 'pki folder pki: .* is encrypted: give' verify
refused "no passphrase to show" 'pki folder pki: .* is encrypted: give' show
refused "no passphrase to rotate" 'pki folder pki: .* is encrypted: give' rotate-encryption
refused "a wrong one to decrypt" 'pki folder pki: admin-key.pem: the passphrase does not open it$' \
    --passphrase-file wrong --decrypt
refused "a wrong one to change" 'pki folder pki: admin-key.pem: the passphrase does not open it$' \
    --passphrase-file wrong --new-passphrase-file next
: >empty
chmod 600 empty
refused "an empty file" '--passphrase-file: empty: its first line has 0 bytes; a passphrase has at least 8$' --passphrase-file empty
pass short 'horse 4'
refused "a short one" '--passphrase-file: short: its first line has 7 bytes' --passphrase-file short
pass long "$(printf 'horse%.0s' {1..300})"
refused "a long one" '--passphrase-file: long: its first line is longer than 1022 bytes$' --passphrase-file long
pass bell $'horse\a Pferd'
refused "a control character" '--passphrase-file: bell: its first line holds a control character$' --passphrase-file bell
cp right open
chmod 644 open
refused "a file open to others" '--passphrase-file: open: mode 0644, so that others can read or write it: make it 0600$' \
    --passphrase-file open
ln -s right link
refused "a link" '--passphrase-file: link: a link; name the file itself$' --passphrase-file link
refused "no such file" '--passphrase-file: none: No such file or directory$' --passphrase-file none
refused "a closed descriptor" '--passphrase-fd: descriptor 77: Bad file descriptor$' --passphrase-fd 77
refused "no number" "--passphrase-fd: '-1' is not the number of a descriptor\$" --passphrase-fd -1
refused "both" '--passphrase-file and --passphrase-fd exclude each other$' "${with[@]}" --passphrase-fd 0
refused "--encrypt and --decrypt" '--encrypt and --decrypt exclude each other$' "${with[@]}" --encrypt --decrypt
refused "--encrypt alone" '--encrypt needs --passphrase-file or --passphrase-fd$' --encrypt
sed -i 's/^\(.\{30\}\)./\1_/;4q' pki/worker-1.kubeconfig.cms
refused "a damaged file" 'pki folder pki: worker-1.kubeconfig.cms: not a CMS text in PEM form' "${with[@]}"
restore opened
refused "a plain folder" 'pki folder pki: .* is not encrypted: `nodebake pki --encrypt` does that' "${with[@]}"
refused "a plain folder to change" 'pki folder pki: .* is not encrypted: `nodebake pki --encrypt` does that' \
    "${with[@]}" --new-passphrase-file next
cp -a sealed/admin.kubeconfig.cms pki
refused "half of it" 'pki folder pki: .* is encrypted and .* is not: `nodebake pki --encrypt`, or --decrypt, completes it' \
    "${with[@]}"

# Conversions, and each killed before renames, removals and syncs: the same command completes it.
restore opened
run "${with[@]}" --encrypt --dry-run
is "$status:$out" "0:pki: 19 files would be encrypted" "--encrypt --dry-run"
is "$(content pki)" "$(content opened)" "touches nothing"
run "${with[@]}" --encrypt
is "$status:$out" "0:pki: 19 files encrypted
pki: nothing to do" "--encrypt"
is "$(grep -rFlf words pki)" "" "leaves nothing plain"
run "${with[@]}" --new-passphrase-file next
is "$status:$out" "0:pki: 19 files encrypted with the new passphrase
pki: nothing to do" "--new-passphrase-file"
run verify --passphrase-file next
is "$status:$out" "0:" "the new passphrase is right"
refused "the old one" 'pki folder pki: admin-key.pem: the passphrase does not open it$' "${with[@]}"
run --passphrase-file next --decrypt
is "$(content pki)" "$(content opened)" "--decrypt: the same bytes as ever"
run
is "$status:$out" "0:pki: nothing to do" "and nothing to do"

# killed NAME CALL STEP FROM PASSPHRASE OPTION...: PASSPHRASE opens it in the end ("": it is plain then).
killed()
{
    local name=$1 call=$2 step=$3 from=$4 after=(${5:+--passphrase-file "$5"}) n bad="" status
    shift 5
    [ -z "${FULL:-}" ] || step=1
    for ((n = 1; n < 200; n += step)); do
        restore "$from"
        { strace -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
            "$nodebake" pki --quiet "$@" >log 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status -ne 0 ] || break # it was not made so often
        "$nodebake" pki --quiet "$@" >log 2>&1 || bad+="$n: $(<log)"
        [ -z "$(find pki -name '*nodebake-tmp*')" ] || bad+="$n: $(ls pki)"
        [ "${#after[@]}" -eq 0 ] || ! grep -rqFf words pki || bad+="$n: something is plain"
        "$nodebake" pki verify "${after[@]}" >log 2>&1 || bad+="$n: $(<log)"
        [ "${#after[@]}" -eq 0 ] || "$nodebake" pki --quiet "${after[@]}" --decrypt >log 2>&1
        [ "$(content pki)" = "$(content opened)" ] || bad+="$n: something was lost"
    done
    is "$bad" "" "$name: killed at $call"
    is "$((n > 2 && n < 200))" 1 "$name: it is done before the ${n}th $call"
}
killed "--encrypt" renameat 8 opened right "${with[@]}" --encrypt
killed "--encrypt" unlinkat 5 opened right "${with[@]}" --encrypt
killed "--encrypt" fsync 27 opened right "${with[@]}" --encrypt
killed "--decrypt" renameat 9 sealed "" "${with[@]}" --decrypt
killed "--decrypt" unlinkat 5 sealed "" "${with[@]}" --decrypt
killed "a change" renameat 9 sealed next "${with[@]}" --new-passphrase-file next
restore opened
{ strace -qq -o trace -e trace=renameat -e inject=renameat:signal=KILL:when=6 \
    "$nodebake" pki --quiet "${with[@]}" --encrypt >log 2>&1; } 2>/dev/null
refused "a cut conversion with a passphrase" 'pki folder pki: .* is encrypted and .* is not' "${with[@]}"
refused "a cut conversion without one" 'pki folder pki: .* is encrypted: give'
run "${with[@]}" --decrypt
is "$(content pki)" "$(content opened)" "it can go back, too"

# A CA's key that openssl encrypted.
mkdir -m 700 own
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass file:right -out own/ca-key.pem 2>/dev/null ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass file:right -out own/ca-key.pem
chmod 600 own/ca-key.pem
openssl req -x509 -new -key own/ca-key.pem -passin file:right -subj /CN=Own -days 3000 -out own/ca.pem \
    -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
cp own/ca-key.pem own-ca-key
run --pki own "${with[@]}"
is "$status" 0 "a CA of one's own, whose key openssl encrypted"
cmp own-ca-key own/ca-key.pem
ok $? "it stays as it is"

# Builds.
make_artifacts "$tmp"
make_system system
make_variant 4k base.raw system
build()
{
    out=$("$nodebake" build --quiet worker-0 worker-1 "$@" --format raw --format qcow2 2>&1 </dev/null)
    status=$?
}
sums() { (cd "$1" && sha256sum -- *); }
build --pki opened --out plain
is "$status" 0 "a build with a plain folder"
rm -r "$HOME/.cache"
restore sealed
build "${with[@]}" --out encrypted
is "$status" 0 "a build with an encrypted folder"
is "$(sums encrypted)" "$(sums plain)" "makes the same bytes"
is "$(grep -rFlf words pki "$HOME" "$TMPDIR" encrypted/.nodebake.json)" "" "no secret is on the host but in images"
grep -qFf words encrypted/worker-0.raw
ok $? "where they are"
build "${with[@]}" --out encrypted
is "$out" "encrypted/worker-0.raw is up to date
encrypted/worker-0.qcow2 is up to date
encrypted/worker-1.raw is up to date
encrypted/worker-1.qcow2 is up to date" "again: up to date"
build --out encrypted
like "$status:$out" '^1:nodebake: certificates: pki folder pki: .* is encrypted: give --passphrase-file' "a build without the passphrase"
build --out encrypted --passphrase-file wrong
like "$status:$out" '^1:nodebake: certificates: pki folder pki: .*: the passphrase does not open it' "or with a wrong one"
run "${with[@]}" --new-passphrase-file next
build --passphrase-file next --out encrypted
is "$status:$(grep -c 'is up to date' <<<"$out")" 0:4 "another passphrase: up to date"
run --passphrase-file next --decrypt
build --out encrypted
is "$status:$(grep -c 'is up to date' <<<"$out")" 0:4 "a plain folder now: up to date"
run "${with[@]}" --encrypt
rm pki/worker-0{.pem,-key.pem}
build "${with[@]}" --out encrypted
like "$out" 'worker-1.raw is up to date.*wrote encrypted/worker-0.raw' "a new certificate: its node alone is made"
"$nodebake" build --quiet worker-0 worker-1 "${with[@]}" --out fresh >/dev/null 2>&1
is "$(cd fresh && sha256sum worker-0.raw)" "$(cd encrypted && sha256sum worker-0.raw)" "as from scratch"

# Where it goes while all this runs.
rm -rf traced
strace -f -qq -s 4096 -v -o trace -e trace=execve,openat "$nodebake" build --quiet worker-0 "${with[@]}" \
    --out traced --format raw --format qcow2 >log 2>&1
is "$?" 0 "a traced build"
[ "$(grep -c 'execve(' trace)" -gt 1 ]
ok $? "runs other programs"
is "$(grep -c 'horse Pferd' trace)" 0 "none gets the passphrase, as argument or in its environment"
is "$(grep 'O_CREAT' trace | grep -v 'ENOENT\|EEXIST' | grep -o '"[^"]*"' | grep -v '/dev/null\|^"/proc\|\.lock"' |
    grep -v "^\"\(\./\)\?traced/\|^\"\.worker[^/]*\.nodebake-tmp\|^\"\.nodebake\|^\"$HOME/.cache/nodebake/")" "" \
    "files are made for images and in the cache only"

# A CA that lives elsewhere, for keys that are encrypted from the beginning.
openssl req -x509 -newkey rsa:2048 -nodes -days 100 -subj '/O=Elsewhere/CN=Root' \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout root-key.pem -out root.pem 2>/dev/null
far=(--pki far "${with[@]}")
run import root.pem "${far[@]}"
is "$status" 0 "the CA of a new folder is imported"
run csr --out requests "${far[@]}"
is "$status:$(grep -L 'BEGIN ENCRYPTED PRIVATE KEY' far/*-key.pem)" 0: "csr makes keys, all of them encrypted"
run csr --out others --pki far admin
like "$status:$out" '^1:.*is encrypted: give --passphrase-file' "csr needs the passphrase then"
[ ! -e others/admin.csr ]
ok $? "and writes no request without it"
for request in requests/*.csr; do
    openssl x509 -req -in "$request" -CA root.pem -CAkey root-key.pem -days 50 -copy_extensions copyall \
        -out "answer-$(basename "$request" .csr).pem" 2>/dev/null
done
run import answer-*.pem --pki far
like "$status:$out:$(ls far/*.pem | grep -vc key)" '^1:.*is encrypted: .*:1$' "so does import, which leaves all as it is"
run import answer-*.pem "${far[@]}"
is "$status" 0 "with it the answers are imported"
run "${far[@]}"
is "$status" 0 "pki does the rest"
run verify "${far[@]}"
is "$status:$out" 0: "and all is well"
is "$(grep -l 'BEGIN.* PRIVATE KEY' far/* | xargs grep -L ENCRYPTED)" "" "no key lies plain"
done_testing
