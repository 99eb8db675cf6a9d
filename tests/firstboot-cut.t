#!/usr/bin/env bash
# firstboot killed before each of its system calls: no file is ever half written, no unit is enabled
# before its files stand, and the next run ends in the bytes of an uncut one. The same when a call
# fails. Inside user, mount and network namespaces of its own. Needs: unshare, nsenter, ip, perl, strace,
# busybox.
set -u
cd "$(dirname "$0")/.." || exit 1
[ "${1:-}" = inside ] || exec unshare -Urmn "$0" inside
. tests/tap.sh
. tests/fake-root.sh
. tests/fake-cloud.sh
firstboot=$PWD/${BUILD:-build}/firstboot
cut_try=$PWD/${BUILD:-build}/tests/cut-try
tmp=$(mktemp -d)
R=$tmp/root
trap 'kill $(jobs -p) 2>/dev/null; umount -l "$tmp"; rm -rf "$tmp"' EXIT
mount -t tmpfs tmpfs "$tmp"
make_facts >"$tmp/facts"

finish()
{
    "$firstboot" --root "$R" --facts "$tmp/facts" >"$tmp/out" 2>&1 </dev/null
}

make_root "$R"
cp -a "$R" "$tmp/fresh"
finish
content "$R" >"$tmp/reference"
cp -a "$R" "$tmp/whole"
mapfile -t files < <(sed -n 's/^identity .* //p; s/^template .* //p' tests/golden/contract-worker-0 |
    sed s/@NODE_NAME@/worker-0/)
preset=/etc/systemd/system-preset/00-nodebake.preset

# sums ROOT NAME: sets that array to the digest of each of the files, by path.
sums()
{
    local -n array=$2
    local sum file
    array=()
    while read -r sum file; do array[${file#"$1"}]=$sum; done \
        < <(sha256sum "${files[@]/#/$1}" 2>/dev/null)
}
declare -A now=() whole=() fresh=()
sums "$tmp/whole" whole
sums "$tmp/fresh" fresh
is "${#whole[@]}" "${#files[@]}" "an uncut run writes all"

# sound: what a boot after the cut would find is right; says what is not.
sound()
{
    local f missing=0
    sums "$R" now
    for f in "${files[@]}"; do
        if [ -e "$R$f" ] && [ "${now[$f]:-}" != "${whole[$f]}" ] &&
            [ "${now[$f]:-}" != "${fresh[$f]:-none}" ]; then
            echo "$f is half written"
        fi
        [ "${now[$f]:-}" = "${whole[$f]}" ] || [ "$f" = $preset ] || missing=1
    done
    if [ -n "$(find "$R/etc/systemd" -path '*.wants/*' ! -name '.*')" ]; then
        [ $missing -eq 0 ] && [ -e "$R$preset" ] || echo "a unit is enabled before its files stand"
    fi
    [ $missing -eq 0 ] || [ ! -e "$R$preset" ] || echo "the preset stands before the files"
    [ ! -e "$R/var/lib/nodebake/stamp" ] || [ "$(enabled "$R" | wc -l)" -eq 5 ] ||
        echo "the stamp stands before the units"
    find "$R" -name '.*.nodebake' -path '*key.pem*' -perm /077
}

# cut CALL HOW: for each time that CALL is made, a run in which it is injected with HOW, then one
# that is left alone.
cut()
{
    local n bad="" status
    for ((n = 1; n < 200; n++)); do
        rm -rf "$R"
        cp -a "$tmp/fresh" "$R"
        # (the braces swallow the shell's "Killed")
        { strace -qq -o "$tmp/trace" -e trace="$1" -e inject="$1:$2:when=$n" \
            "$firstboot" --root "$R" --facts "$tmp/facts" >"$tmp/out" 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status -ne 0 ] || break # it was not made so often
        bad+=$(sound)
        if [ $status -eq 1 ]; then
            [ -z "$(enabled "$R")$(left_over "$R")" ] && [ ! -e "$R/var/lib/nodebake/stamp" ] ||
                bad+="$1 $n fails: $(enabled "$R") $(left_over "$R")"
            grep -q '^nodebake: firstboot: .*; nothing was enabled$' "$tmp/out" && 
                [ "$(wc -l <"$tmp/out")" -eq 1 ] || bad+="$1 $n fails: $(<"$tmp/out")"
        fi
        finish || bad+="$1 $n: the next run fails: $(<"$tmp/out")"
        bad+=$(diff "$tmp/reference" <(content "$R"))
    done
    [ -z "$bad" ] && [ "$n" -gt 1 ]
    ok $? "$1, $2: $((n - 1)) times"
    [ -z "$bad" ] || diag "$bad"
}

# every_call NAME COMMAND...: the command makes $R of $tmp/fresh; it is killed before each of its calls.
every_call()
{
    local name=$1
    shift
    rm -rf "$R" "$tmp/whole"
    cp -a "$tmp/fresh" "$R"
    "$@" >"$tmp/out" 2>&1 </dev/null || diag "$(<"$tmp/out")"
    cp -a "$R" "$tmp/whole"
    timeout 300 "$cut_try" "$tmp/fresh" "$tmp/whole" "$R" "$@" >"$tmp/out" 2>&1
    ok $? "$name: killed before each call, $(tail -n 1 "$tmp/out")"
    diag "$(sed '$d' "$tmp/out")"
}

every_call "a first boot with facts of a file" "$firstboot" --root "$R" --facts "$tmp/facts"

begin_fake_cloud
make_values "$tmp/values"
serve "$tmp/values" "$tmp/log"
make_dmi "$tmp/one" 9b3c2f0e-0000-4000-8000-000000000001
make_dmi "$tmp/two" 9b3c2f0e-0000-4000-8000-000000000002
every_call "a first boot with metadata, both processes" "$firstboot" --root "$R" --dmi "$tmp/one"

# A role's image, finished for worker-0 and used, becomes worker-1.
sed -e '/^node /d' -e '$aforget /etc/ssh/ssh_host_*' -e '$aforget /var/lib/systemd/random-seed' \
    tests/golden/contract-worker-0 >"$tmp/contract"
make_root "$R" "$tmp/contract"
for file in .pem -key.pem .kubeconfig; do
    (umask 077; echo "of worker-1" >"$R/usr/lib/nodebake/identity/worker-1$file")
done
"$firstboot" --root "$R" --dmi "$tmp/one" >"$tmp/out" 2>&1
mkdir -p "$R/etc/ssh" "$R/var/lib/systemd"
echo 5d2cd3c0ba7c4d1ab5e2c4b1d3a7a0aa >"$R/etc/machine-id"
for type in rsa ed25519; do
    (umask 077; echo key >"$R/etc/ssh/ssh_host_${type}_key")
    echo key >"$R/etc/ssh/ssh_host_${type}_key.pub"
done
echo config >"$R/etc/ssh/sshd_config"
echo seed >"$R/var/lib/systemd/random-seed"
rm -rf "$tmp/fresh"
cp -a "$R" "$tmp/fresh"
printf worker-1 >"$tmp/values/instance/name"
printf 4712 >"$tmp/values/instance/id"
every_call "a copy that is launched as another instance" "$firstboot" --root "$R" --dmi "$tmp/two"
is "$(<"$tmp/whole/etc/machine-id")" uninitialized "the machine-id is made anew"
is "$(cd "$tmp/whole/etc/ssh" && echo *)" sshd_config "and so are the host keys"
is "$(cd "$tmp/whole" && find . -name 'worker-0*' ! -path './usr/*'; ls var/lib/systemd)" "" \
    "nothing of worker-0 is left"
is "$(cd "$tmp/whole/var/lib/nodebake" && echo *)" stamp "one stamp"
like "$(<"$tmp/whole/var/lib/nodebake/stamp")" "node worker-1
instance 4712" "is worker-1's"

# A machine whose first boot did not end well is captured, too: it has made its keys by then.

# captured [HOW...]: worker-0's first boot, which does not end well; then what a system makes that runs on.
captured()
{
    make_root "$R" "$tmp/contract"
    for file in .pem -key.pem .kubeconfig; do
        (umask 077; echo "of worker-1" >"$R/usr/lib/nodebake/identity/worker-1$file")
    done
    printf worker-0 >"$tmp/values/instance/name"
    printf 4711 >"$tmp/values/instance/id"
    { "$@" "$firstboot" --root "$R" --dmi "$tmp/one" >"$tmp/out" 2>&1 </dev/null; } 2>/dev/null
    mkdir -p "$R/etc/ssh"
    echo 5d2cd3c0ba7c4d1ab5e2c4b1d3a7a0aa >"$R/etc/machine-id"
    (umask 077; echo key >"$R/etc/ssh/ssh_host_rsa_key")
    printf worker-1 >"$tmp/values/instance/name"
    printf 4712 >"$tmp/values/instance/id"
}

# launch DMI: sets status and keys: which of worker-0's are there.
launch()
{
    "$firstboot" --root "$R" --dmi "$tmp/$1" >"$tmp/out" 2>&1
    status=$?
    keys=$(cd "$R" && find etc/ssh var -name 'ssh_host*' -o -name 'worker-0*' | sort | tr '\n' ' ')
}

failing()
{
    mv "$tmp/values/instance/name" "$tmp/name"
    "$@"
    local status=$?
    mv "$tmp/name" "$tmp/values/instance/name"
    return $status
}

captured strace -qq -o "$tmp/trace" -e inject=symlinkat:signal=KILL
is "$(sed -n '2,5p; $p' "$R/var/lib/nodebake/stamp-before")" "source gce
identity product_uuid:9b3c2f0e-0000-4000-8000-000000000001
node worker-0
instance 4711
file /var/lib/kubelet/kubeconfig" "cut behind its identity's files: whose they are stands there"
[ ! -e "$R/var/lib/nodebake/stamp" ] && [ -e "$R/var/lib/kubelet/worker-0-key.pem" ]
ok $? "and that it has finished does not"
launch two
is "$status:$keys:$(<"$R/etc/machine-id")" "0::uninitialized" "another instance forgets them"
is "$(cd "$R/var/lib/nodebake" && echo *)" stamp "and leaves one stamp"

captured failing
like "$(<"$tmp/out")" "^nodebake: firstboot: gce: NODE_NAME: .*; nothing was enabled$" "a first boot that fails"
is "$(<"$R/var/lib/nodebake/stamp-before")" "nodebake-stamp 1
source gce
identity product_uuid:9b3c2f0e-0000-4000-8000-000000000001
node -" "leaves word whose root it is"
before=$(state "$R")
failing launch one
is "$(state "$R")" "$before" "once: the next that fails changes nothing"
cp -a "$R" "$tmp/failed"
launch one
is "$status:$keys:$(head -c 4 "$R/etc/machine-id")" "0:etc/ssh/ssh_host_rsa_key :5d2c" \
    "the machine itself keeps its keys once it is mended"
rm -rf "$R" && cp -a "$tmp/failed" "$R"
launch two
is "$status:$keys:$(<"$R/etc/machine-id")" "0::uninitialized" "another instance does not"
rm -rf "$R" && cp -a "$tmp/failed" "$R"
failing launch two
is "$keys:$(<"$R/etc/machine-id")" ":uninitialized" "even when it fails, too"
like "$(<"$R/var/lib/nodebake/stamp-before")" "identity product_uuid:9b3c2f0e-0000-4000-8000-000000000002
node -$" "and leaves word of itself"
captured failing strace -qq -f -o "$tmp/trace" -e inject=mkdirat,renameat:error=ENOSPC
like "$(<"$tmp/out")" "^nodebake: a copy of this disk will pass for this machine: .*No space left on device
nodebake: firstboot: gce: NODE_NAME: .*; nothing was enabled$" "a disk without room: that is said"

# The test itself: what writes in place, or enables first, is found.
rm -rf "$tmp/fresh" "$R" "$tmp/whole"
make_root "$tmp/fresh"
mkdir "$tmp/fresh/etc/systemd/system/a.wants"
cp -a "$tmp/fresh" "$tmp/whole"
echo worker-0 >"$tmp/whole/etc/hostname"
out=$("$cut_try" "$tmp/fresh" "$tmp/whole" "$R" /bin/busybox sh -c "echo worker-0 >$R/etc/hostname")
like "$?:$out" "^1:.*/etc/hostname: half written" "this test finds what is half written"
unit=etc/systemd/system/a.wants/b.service
ln -s x "$tmp/whole/$unit"
out=$("$cut_try" "$tmp/fresh" "$tmp/whole" "$R" /bin/busybox ln -s x "$R/$unit")
like "$?:$out" "^1:.*$unit: enabled before its files" "and what is enabled first"

# Calls that fail.
rm -rf "$R" "$tmp/fresh"
make_root "$R"
cp -a "$R" "$tmp/fresh"
for call in mkdirat fchmod renameat symlinkat; do
    cut $call error=ENOSPC
done
cut fsync error=EIO

done_testing
