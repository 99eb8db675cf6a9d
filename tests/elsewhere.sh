# A CA that lives elsewhere: OpenSSL's, and a small cluster that asks it for certificates. Source it
# after tap.sh; it goes to a folder of its own, with root.pem, stranger.pem (roots), mid.pem (below
# root) and their keys NAME.key.
# shellcheck shell=bash
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
pki='key: ecdsa-p256'

# describe: writes cluster.yaml, with what is in $pki.
describe()
{
    grep -v '^nodes:\|^  -' "$golden/cluster.yaml" >cluster.yaml
    cat >>cluster.yaml <<END
nodes:
  - {name: controller-0, role: controller, address: 10.240.0.10}
  - {name: worker-0, role: worker, address: 10.240.0.20, podCIDR: 10.200.0.0/24}
pki: {$pki}
END
}

# run ARG...: nodebake pki ARG...; sets status and out (errors, too).
run()
{
    out=$("$nodebake" pki "$@" 2>&1 </dev/null)
    status=$?
}

# did ARG...: what is done, as "ACTION FILE" by lines.
did()
{
    if [[ ${1:-} == csr || ${1:-} == import ]]; then
        "$nodebake" pki "$1" --json "${@:2}"
    else
        "$nodebake" pki --json "$@"
    fi 2>/dev/null | jq -r '.steps[] | .action + " " + .file'
}

# kinds: what `nodebake pki` does, counted.
kinds() { did | sed 's/ .*//' | sort | uniq -c | tr -s ' \n' ' '; }

snapshot() { (cd pki && find . ! -name .lock -printf '%P %m %i %T@ %s\n' | sort); }

# restore FOLDER: pki as it is in FOLDER.
restore() { rm -rf pki && cp -a "$1" pki; }

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

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# root NAME SUBJECT: a CA of its own, NAME.pem and NAME.key.
root()
{
    new_key "$1.key"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 3650 -out "$1.pem" \
        -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

# sign CSR CA OUT [OPTION]...: what the CA answers to a request.
sign()
{
    openssl x509 -req -in "$1" -CA "$2.pem" -CAkey "$2.key" -days 30 -copy_extensions copyall \
        -out "$3" "${@:4}" 2>/dev/null || echo "openssl did not sign $1"
}

# below NAME CA EXTENSIONS: an intermediate CA.
below()
{
    new_key "$1.key"
    openssl req -new -key "$1.key" -subj "/O=Corp/CN=$1" -out "$1.csr" 2>/dev/null
    printf '%s\n' "$3" >"$1.ext"
    sign "$1.csr" "$2" "$1.pem" -extfile "$1.ext"
}
ca_bits=$'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'

# answers CA: signs all of req/ into ans/.
answers()
{
    rm -rf ans
    mkdir ans
    for csr in req/*.csr; do
        sign "$csr" "$1" "ans/$(basename "$csr" .csr).pem"
    done
}

root root /O=Corp/CN=Root
root stranger /O=Corp/CN=Stranger
below mid root "$ca_bits"
