#!/usr/bin/env bash
# firstboot on folders, with facts from a file: what it writes, what it refuses, and that it never
# leaves the root. Needs: strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/fake-root.sh
begin_fake_root

# run CMD...: sets out (standard output and error) and status.
run()
{
    out=$("$@" 2>&1 </dev/null)
    status=$?
}

finish()
{
    run "$firstboot" --root "$R" --facts "$tmp/facts"
}

# refused REGEX NAME: the last run failed with one line that fits, and nothing came of it.
refused()
{
    local at=0
    [ "$status" -eq 1 ] && [[ "$out" =~ ^nodebake:\ firstboot:\ $1\;\ nothing\ was\ enabled$ ]] &&
        [ "$(wc -l <<<"$out")" -eq 1 ] && [ -z "$(enabled "$R")" ] &&
        [ ! -e "$R/var/lib/nodebake/stamp" ] && [ -z "$(left_over "$R")" ] || at=1
    ok $at "$2"
    [ $at -eq 0 ] || diag "status $status: $out
enabled: $(enabled "$R")
left over: $(left_over "$R")"
}

meta()
{
    stat -c '%a %u:%g' "$R$1"
}

# --- a first run ---

make_root "$R"
run "$firstboot" --root "$R" --facts "$tmp/facts" --dry-run
before=$(state "$R")
is "$status:$(grep -c '^nodebake: would write /' <<<"$out")" 0:8 "--dry-run names the files"
like "$out" "would enable kubelet.service for multi-user.target" "and the units"
like "$out" "/var/lib/kubelet/worker-0-key.pem: mode 0600, owner 0:0, 18 bytes" "and details"
is "$(state "$R")" "$before" "and writes nothing"

finish
is "$status" 0 "a first run succeeds"
like "$out" '^nodebake: node worker-0 is ready: 8 files, 4 units, source file, [0-9]+ ms$' \
    "and says so in one line"
is "$(<"$R/etc/hostname")" worker-0 "the host name"
is "$(<"$R/etc/hosts")" "127.0.0.1 localhost
10.240.0.20 worker-0" "the hosts file"
is "$(<"$R/etc/cni/net.d/10-bridge.conf")" '{
  "name": "bridge",
  "subnet": "10.200.0.0/24"
}' "the bridge"
is "$(<"$R/var/lib/kubelet/kubelet-config.yaml")" 'podCIDR: "10.200.0.0/24"
user: a@b @ c' "the kubelet's configuration"
for f in worker-0.pem worker-0-key.pem; do
    cmp -s "$R/usr/lib/nodebake/identity/$f" "$R/var/lib/kubelet/$f"
    ok $? "$f is copied as it is"
done
cmp -s "$R/usr/lib/nodebake/identity/worker-0.kubeconfig" "$R/var/lib/kubelet/kubeconfig"
ok $? "the kubeconfig is copied as it is"
is "$(meta /var/lib/kubelet/worker-0.pem)" "644 0:0" "mode of the certificate"
is "$(meta /var/lib/kubelet/worker-0-key.pem)" "600 0:0" "mode of the key"
is "$(meta /var/lib/kubelet/kubeconfig)" "600 0:0" "mode of the kubeconfig"
is "$(meta /etc/hostname)" "644 0:0" "mode of a template"
is "$(meta /etc/cni/net.d)" "755 0:0" "mode of a new directory"
for unit in containerd kubelet kube-proxy; do
    is "$(readlink "$R/etc/systemd/system/multi-user.target.wants/$unit.service")" \
        "/etc/systemd/system/$unit.service" "$unit is linked"
done
is "$(<"$R/etc/systemd/system-preset/00-nodebake.preset")" "enable kubelet.service" "the preset"
is "$(<"$R/var/lib/nodebake/stamp")" "nodebake-stamp 1
source file
identity file:worker-0
node worker-0
file /var/lib/kubelet/worker-0.pem
file /var/lib/kubelet/worker-0-key.pem
file /var/lib/kubelet/kubeconfig" "the stamp"
is "$(meta /var/lib/nodebake/stamp)" "644 0:0" "mode of the stamp"
is "$(left_over "$R")" "" "no temporary file is left"
content "$R" >"$tmp/reference"

# --- a second run ---

before=$(state "$R")
run strace -f -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts"
is "$status:$out" "0:nodebake: node worker-0 was finished before, by source file; nothing to do" \
    "a second run has nothing to do"
is "$(state "$R")" "$before" "no file changes, not even its times"
is "$(grep -E 'O_WRONLY|O_RDWR|O_CREAT' "$tmp/trace")" "" "nothing is opened to be written"
is "$(grep -E '^[0-9]+ +(rename|mkdir|link|symlink|unlink|chmod|fchmod|chown|fchown|fsync|mount|socket)' \
    "$tmp/trace")" "" "nothing is renamed, linked, synced, mounted, and nobody is asked"
echo "nodebake-stamp 1" >"$R/var/lib/nodebake/stamp"
finish
like "$status:$out" "^0:nodebake: the stamp is damaged: it counts as none
nodebake: node worker-0 is ready" "half a stamp is none, and that is said"
rm "$R/var/lib/nodebake/stamp" && mkfifo "$R/var/lib/nodebake/stamp"
finish
like "$status:$out" "^0:nodebake: the stamp is damaged: .*is ready" "nor is what is no file"
head -c 100000 /dev/zero >"$R/var/lib/nodebake/stamp"
finish
like "$status:$out" "^0:nodebake: the stamp is damaged: .*is ready" "nor what is far too large"
diff -u "$tmp/reference" <(content "$R") >"$tmp/diff"
ok $? "a run over a finished root gives the same bytes"
diag "$(<"$tmp/diff")"

for mask in 000 077 777; do
    make_root "$R"
    (umask $mask; "$firstboot" --root "$R" --facts "$tmp/facts") >/dev/null 2>&1
    diff -u "$tmp/reference" <(content "$R") >"$tmp/diff"
    ok $? "umask $mask makes no difference"
    diag "$(<"$tmp/diff")"
done

# --- facts that are refused: the root stays as it is ---

# with NAME REGEX [SED...]: facts edited by sed are refused.
with()
{
    local name=$1 regex=$2
    shift 2
    make_root "$R"
    before=$(state "$R")
    make_facts | sed "$@" >"$tmp/bad"
    run "$firstboot" --root "$R" --facts "$tmp/bad"
    refused "$regex" "$name is refused"
    is "$(state "$R")" "$before" "and nothing was written"
}

with "a missing fact" "file: POD_CIDR: no line POD_CIDR=VALUE" -e /POD_CIDR/d
with "an unknown fact" "file: line 4: 'POD' is no fact of the contract" -e '$aPOD=x'
with "another node" "file: NODE_NAME: this machine is to be worker-1, but the image is that of worker-0" \
    -e s/worker-0/worker-1/
with "a path as name" "file: NODE_NAME: line 1: '../../x' is not a DNS label .*" -e 's|worker-0|../../x|'
with "a command as name" "file: NODE_NAME: line 1: '.*' is not a DNS label .*" -e 's/worker-0/$(reboot)/'
with "a quote in a network" "file: POD_CIDR: line 3: '10.200.0.0/24\",\"x' is not an IPv4 network .*" \
    -e 's|/24|/24","x|'
with "a network with host bits" "file: POD_CIDR: line 3: '10.200.0.1/24' is not .*" -e s/200.0.0/200.0.1/
with "an escape" "file: line 1: byte 0x1b; only printable ASCII is allowed" -e 's/worker-0/\x1b[2J/'
with "a name of 64 bytes" "file: NODE_NAME: line 1: 'w+\.\.\.' is not a DNS label .*" \
    -e "s/worker-0/$(printf 'w%.0s' {1..64})/"
make_root "$R"
run "$firstboot" --root "$R" --facts "$tmp/none"
refused "file: $tmp/none: No such file or directory" "a facts file that is not there is refused"

# --- images that are refused ---

contract=$R/usr/lib/nodebake/contract
make_root "$R"
rm "$R/usr/lib/nodebake/identity/worker-0-key.pem"
finish
refused "file: NODE_NAME: this image has no identity for node worker-0 \(identity/worker-0-key.pem is missing\)" \
    "an image without this node's key is refused"
make_root "$R"
sed -i '/^node /d' "$contract"
sed s/worker-0/worker-1/ "$tmp/facts" >"$tmp/worker-1"
run "$firstboot" --root "$R" --facts "$tmp/worker-1"
refused "file: NODE_NAME: this image has no identity for node worker-1 \(identity/worker-1.pem is missing\)" \
    "a role image without this node's identity is refused"
make_root "$R"
rm "$contract"
finish
refused "contract: /usr/lib/nodebake/contract is missing" "a root without a contract is refused"
make_root "$R"
sed -i 's/^nodebake-contract 1/nodebake-contract 2/' "$contract"
finish
refused "contract:1: version 2 is not known; this firstboot reads version 1" "another version is refused"
make_root "$R"
echo 'halt now' >>"$contract"
finish
refused "contract:30: unknown word 'halt'; version 1 has no such line" "an unknown line is refused"
make_root "$R"
echo '@POD_CIRD@' >>"$R/usr/lib/nodebake/templates/var/lib/kubelet/kubelet-config.yaml"
finish
refused "/usr/lib/nodebake/templates/var/lib/kubelet/kubelet-config.yaml: line 3: nothing supplies @POD_CIRD@" \
    "a template with an unknown name is refused"
is "$(<"$R/etc/hostname")" localhost "and no file was replaced"
make_root "$R"
rm "$R/usr/lib/nodebake/templates/etc/hosts"
finish
refused "/usr/lib/nodebake/templates/etc/hosts is missing" "a missing template is refused"
make_root "$R"
head -c 262145 /dev/zero | tr '\0' x >"$R/usr/lib/nodebake/templates/etc/hosts"
finish
refused "/usr/lib/nodebake/templates/etc/hosts: larger than the 262144 bytes allowed" \
    "a template that is too large is refused"
make_root "$R"
mkdir "$R/etc/hosts"
finish
refused "put /etc/hosts in place: Is a directory" "a directory in the place of a file is refused"
rmdir "$R/etc/hosts"
finish
diff -u "$tmp/reference" <(content "$R") >"$tmp/diff"
ok $? "and once it is gone, a run gives the bytes of an uncut one"
make_root "$R"
echo 'identity 0600 0 0 @NODE_NAME@.pem /var/lib/kubelet/worker-0.pem' >>"$contract"
finish
refused "/var/lib/kubelet/worker-0.pem: lines 14 and 30 of the contract both install it" \
    "one destination of two lines is refused"
make_root "$R"
mkdir -p "$R/etc/systemd/system/multi-user.target.wants/kubelet.service"
finish
is "$status:$(readlink "$R/etc/systemd/system/multi-user.target.wants/containerd.service")" "1:" \
    "a unit that cannot be linked: those before it are not enabled either"
like "$out" "^nodebake: firstboot: enable kubelet.service: link it in .*: Is a directory; units may be enabled: " \
    "and the line does not claim more than is true"

# --- an identity from the metadata ---

sed -e 's/^fact POD_CIDR cidr/&\nfact ID bundle\nfrom ID gce instance\/attributes\/node-identity/' -e '/^node /d' \
    tests/golden/contract-worker-0 >"$tmp/bundled"

# bundle [SED...]: facts with the golden bundle, edited by sed.
bundle()
{
    make_facts
    sed "$@" tests/golden/bundle-worker-0 | base64 -w 40 | sed 's/^/ID=/'
}
# bundled [SED...]: firstboot with those facts, on an image that has other keys in identity/.
bundled()
{
    make_root "$R" "$tmp/bundled"
    sed -i 's/^a /an old /' "$R"/usr/lib/nodebake/identity/*
    before=$(state "$R")
    bundle "$@" >"$tmp/bundle"
    run "$firstboot" --root "$R" --facts "$tmp/bundle"
}
bundled -e ''
like "$status:$out" "^0:nodebake: node worker-0 is ready: 8 files" "a node whose identity is in the facts"
for f in worker-0.pem:certificate worker-0-key.pem:key kubeconfig:kubeconfig; do
    like "$(<"$R/var/lib/kubelet/${f%:*}")" "^a ${f#*:}" "has it, and not what lies in the image"
done
is "$(meta /var/lib/kubelet/worker-0-key.pem) $(meta /var/lib/kubelet/kubeconfig)" "600 0:0 600 0:0" "with its modes"
is "$(grep -c '^file ' "$R/var/lib/nodebake/stamp"):$(grep -rc 'a key' "$R/var/lib/nodebake" "$R/run" | grep -vc ':0$')" \
    3:0 "the stamp has its paths and nothing of it"
for case in "another version:s/identity 1/identity 2/:a version of bundles that is not known; .*" \
    "another node:s/^node .*/node worker-9/:the identity is that of worker-9, and this machine is worker-0" \
    "a wrong length:s/pem 18/pem 17/:no line 'file NAME LENGTH' or 'end' behind 2 files" \
    "a length behind the end:s/pem 18/pem 180/:the length of file 2 is not right" \
    "no end:/^end/d:no line 'file NAME LENGTH' or 'end' behind 3 files" \
    "bytes behind its end:\$a x:bytes behind its end" \
    "a file that lacks:s/file worker-0-key/file worker-1-key/:it has no file worker-0-key.pem" \
    "a file that is there twice:s/file worker-0-key.pem/file worker-0.pem/:file 2 is there twice"; do
    IFS=: read -r name edit why <<<"$case"
    bundled -e "$edit"
    refused "file: ID: $why" "$name is refused"
    is "$(state "$R")" "$before" "and nothing was written"
done
make_root "$R" "$tmp/bundled"
run "$firstboot" --root "$R" --facts "$tmp/facts"
refused "file: ID: no line ID=VALUE" "no identity is refused"
echo 'id: @ID@' >>"$R/usr/lib/nodebake/templates/etc/hosts"
bundle -e '' >"$tmp/bundle"
run "$firstboot" --root "$R" --facts "$tmp/bundle"
refused ".*templates/etc/hosts: line [0-9]+: nothing supplies @ID@" "and no template gets it"

# --- usage ---

run "$firstboot" --rot "$R"
is "$status:$out" "2:firstboot: unknown option '--rot'; see firstboot --help" "an unknown option"
run "$firstboot" --root
is "$status:$out" "2:firstboot: a value is missing after '--root'; see firstboot --help" "a missing value"
run "$firstboot" --dry-run=yes
is "$status:$out" "2:firstboot: no value belongs to '--dry-run'; see firstboot --help" "a value too many"
run "$firstboot" --root "$R/none" --facts "$tmp/facts"
is "$status:$out" "1:nodebake: firstboot: open root $R/none: No such file or directory; nothing was enabled" \
    "a root that is not there"

done_testing
