#!/usr/bin/env bash
# firstboot and the SSH keys of a node: from a file, and from GCE's metadata, inside user, mount and
# network namespaces of its own. Needs: unshare, nsenter, ip, perl, time.
set -u
cd "$(dirname "$0")/.." || exit 1
[ "${1:-}" = inside ] || exec unshare -Urmn "$0" inside
. tests/tap.sh
. tests/fake-root.sh
firstboot=$PWD/${BUILD:-build}/firstboot
tmp=$(mktemp -d)
R=$tmp/root
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$tmp"' EXIT
make_facts >"$tmp/facts"

ed='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoOK8tq'
ec='ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDv5n8NRZtQaAfxRtaesAcqXGgzvawZbkKYlEusyqyx5GC+Nnuh4jWy0X0K4p3iezeAUEnNlMbqmG39G2hNDLD8='
other='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoOK8tq'
keys=$R/home/ops/.ssh/authorized_keys

# An image whose user ops has one key of its own. (Only root is mapped here: it has to own all.)
sed 's/ 1000 1000 / 0 0 /' tests/golden/contract-worker-0-keys >"$tmp/contract"
make_image()
{
    make_root "$R" "$tmp/contract"
    mkdir -p "$R/usr/lib/nodebake/templates/home/ops/.ssh" "$R/home/ops/.ssh"
    chmod 0700 "$R/home/ops" "$R/home/ops/.ssh"
    printf '%s ann@@HOST@@example\n@SSH_KEYS@' "$ed" \
        >"$R/usr/lib/nodebake/templates/home/ops/.ssh/authorized_keys"
    printf '%s ann@HOST@example\n' "$ed" >"$keys"
}

run() # run CMD...: sets out (standard output and error) and status
{
    out=$("$@" 2>&1 </dev/null)
    status=$?
}

# --- from a file ---

make_image
printf 'SSH_KEYS=%s bob\n' "$ec" "$other" >>"$tmp/facts"
run "$firstboot" --root "$R" --facts "$tmp/facts"
like "$status:$out" "^0:nodebake: node worker-0 is ready: 9 files" "keys of a file are taken"
is "$(<"$keys")" "$ed ann@HOST@example
$ec bob
$other bob" "behind those of the image"
is "$(stat -c %a "$keys" "$R/home/ops/.ssh" "$R/home/ops" | tr '\n' ' ')" "600 700 700 " \
    "nobody else reads them"
if command -v ssh-keygen >/dev/null; then
    is "$(ssh-keygen -l -f "$keys" | wc -l)" 3 "ssh-keygen finds three keys"
fi
make_image
make_facts >"$tmp/facts"
run "$firstboot" --root "$R" --facts "$tmp/facts"
is "$status:$(<"$keys")" "0:$ed ann@HOST@example" "a file without keys is fine"
for bad in "ops:$ec" "command=\"id\" $ec" "${ec%????}" "rubbish"; do
    make_image
    { make_facts; echo "SSH_KEYS=$bad"; } >"$tmp/facts"
    run "$firstboot" --root "$R" --facts "$tmp/facts"
    like "$status:$out" "^1:.* SSH_KEYS: line 4: not a public key .*; nothing was enabled$" \
        "refused in a file: ${bad:0:16}"
    is "$(<"$keys")" "$ed ann@HOST@example" "and the keys of the image stay"
done
sed -i '/^user/d' "$R/usr/lib/nodebake/contract"
run "$firstboot" --root "$R" --facts "$tmp/facts"
like "$status:$out" "^1:.*the file ends without a 'user' line" "a contract says whose keys"

# --- from the metadata service ---

ip link set lo up
unshare -n sleep 600 &
server=$!
apart() { [ "$(readlink /proc/$server/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
within 10 apart
ip link add v0 type veth peer name far netns $server
there()
{
    nsenter -t $server -n "$@"
}
there ip addr add 10.240.0.1/24 dev far
there ip addr add 169.254.169.254/32 dev far
there ip link set far up
ip addr add 10.240.0.20/24 dev v0
ip link set v0 up
ip route add default via 10.240.0.1
values=$tmp/values/instance
mkdir -p "$values/attributes" "$values/network-interfaces/0" "$tmp/values/project/attributes"
printf worker-0 >"$values/name"
printf 10.240.0.20 >"$values/network-interfaces/0/ip"
printf 10.200.0.0/24 >"$values/attributes/pod-cidr"
nsenter -t $server -n tests/serve-values 169.254.169.254:80 "$tmp/values" 2>"$tmp/log" >/dev/null &
within 10 grep -qs listening "$tmp/log"
make_dmi "$tmp/gce" 9b3c2f0e-0000-4000-8000-000000000001

boot()
{
    make_image
    run "$firstboot" --root "$R" --dmi "$tmp/gce"
}

boot
like "$status:$out" "^0:nodebake: node worker-0 is ready: 9 files, 4 units, source gce" \
    "a node without keys in its metadata is ready"
is "$(<"$keys")" "$ed ann@HOST@example" "with those of its image"

cat >"$values/attributes/ssh-keys" <<EOF
bob:$other bob
ops:$ec c\$(d) "e" @NODE_NAME@
ops:$other google-ssh {"userName":"ops@example.com","expireOn":"2021-06-14T16:59:03+0000"}
ops:rubbish
EOF
printf '%s\nops:%s again\n' "$ed of the project" "$ec" >"$tmp/values/project/attributes/ssh-keys"
boot
is "$status" 0 "keys of the instance and of the project are taken"
is "$(<"$keys")" "$ed ann@HOST@example
$ec c\$(d) \"e\" @NODE_NAME@
$ed of the project" "each once, as they are, those of the user"
like "$out" "^nodebake: gce: SSH keys: left out: 1 lines that are no keys, the first is line 4; 1 keys that expire
nodebake: node worker-0 is ready" "what is left out is said"

printf TRUE >"$values/attributes/block-project-ssh-keys"
boot
is "$(<"$keys")" "$ed ann@HOST@example
$ec c\$(d) \"e\" @NODE_NAME@" "an instance may shut the project's keys out"
rm "$values/attributes/block-project-ssh-keys"

# A project of many: as much as GCE keeps in one value.
for ((i = 0; i < 1900; i++)); do
    printf 'user%04d:ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoO%04d user%04d@laptop-%04d.corp.example.com\n' \
        $i $i $i $i
done >"$tmp/many"
{ head -c 262000 "$tmp/many" | sed '$d'; echo "ops:$other"; } >"$tmp/values/project/attributes/ssh-keys"
rm "$values/attributes/ssh-keys"
make_image
run env time -f 'memory %M KiB' "$firstboot" --root "$R" --dmi "$tmp/gce"
is "$status:$(<"$keys")" "0:$ed ann@HOST@example
$other" "the user's key is found among $(wc -l <"$tmp/values/project/attributes/ssh-keys")"
diag "$out"

done_testing
