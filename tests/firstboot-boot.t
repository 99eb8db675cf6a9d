#!/usr/bin/env bash
# firstboot as a boot runs it: a root that is mounted read-only, the firmware's fields, the metadata
# service, the kernel's log. All inside user, mount and network namespaces of its own; nothing
# leaves them. Needs: unshare, nsenter, ip, strace, initramfs-tools, the modules of a kernel.
set -u
cd "$(dirname "$0")/.." || exit 1
[ "${1:-}" = inside ] || exec unshare -Urmn "$0" inside
. tests/tap.sh
. tests/fake-root.sh
build=$PWD/${BUILD:-build}
firstboot=$build/firstboot
tmp=$(mktemp -d)
R=$tmp/root
trap 'kill $(jobs -p) 2>/dev/null; umount -l "$R"; rm -rf "$tmp"' EXIT
make_facts >"$tmp/facts"
uuid=9b3c2f0e-0000-4000-8000-000000000001
make_dmi "$tmp/gce" $uuid
make_dmi "$tmp/clone" 9b3c2f0e-0000-4000-8000-000000000002
make_dmi "$tmp/pc" $uuid "Standard PC (Q35 + ICH9, 2009)"

# run CMD...: sets out (standard output and error) and status.
run()
{
    out=$("$@" 2>&1 </dev/null)
    status=$?
}

# boot DMI: as local-bottom does.
boot()
{
    run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --dmi "$tmp/$1"
}

skip() { # skip WHY: counts as skipped, never as passed
    tap_count=$((tap_count + 1))
    echo "ok $tap_count # SKIP $1"
}

calls() { # calls REGEX: how often such system calls were made
    grep -cE "^[0-9]+ +($1)\(" "$tmp/trace"
}

mounted() { # the mount's own options, then those of its file system
    awk -v path="$R" '$5 == path { print $6, $NF }' /proc/self/mountinfo
}

# fresh_root [OPTION,...]: a root of its own, mounted read-only.
fresh_root()
{
    umount -l "$R" 2>/dev/null
    mkdir -p "$R"
    mount -t tmpfs -o "mode=0755${1:+,$1}" tmpfs "$R"
    make_root "$tmp/made"
    cp -a "$tmp/made/." "$R"
    mount -o "remount,ro${1:+,$1}" "$R"
}

# --- the root is made writable, and read-only again ---

for options in "" nosuid,nodev,noexec,noatime nodev,nodiratime; do
    fresh_root "$options"
    before=$(mounted)
    run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts"
    like "$status:$out" "^0:nodebake: node worker-0 is ready: .*[0-9] ms$" \
        "a read-only root (${options:-defaults}) is finished"
    is "$(<"$R/etc/hostname")" worker-0 "and written"
    is "$(mounted)" "$before" "and mounted as before"
    is "$(calls mount)" 2 "by two remounts"
    run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts"
    is "$status:$(calls mount)" 0:0 "a second run does not remount it"
done
fresh_root
sed s/worker-0/worker-1/ "$tmp/facts" >"$tmp/facts-bad"
run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts-bad"
is "$status:$(calls mount)" 1:0 "facts that are refused do not remount it"
run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts" --dry-run
is "$status:$(calls mount)" 0:0 "nor does --dry-run"
mount -o remount,rw "$R"
run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts"
is "$status:$(calls mount)" 0:0 "a root that is writable is not remounted"
like "$(mounted)" "^rw,.* rw," "and stays writable"
fresh_root
mount -o remount,rw "$R" && rm "$R/usr/lib/nodebake/identity/worker-0.pem" && mount -o remount,ro "$R"
before=$(mounted)
run "$firstboot" --root "$R" --facts "$tmp/facts"
is "$status:$(mounted)" "1:$before" "after a failure it is read-only again, too"
mkdir -p "$tmp/outer/folder"
mount -t tmpfs tmpfs "$tmp/outer"
make_root "$tmp/outer/folder"
mount -o remount,ro "$tmp/outer"
run "$firstboot" --root "$tmp/outer/folder" --facts "$tmp/facts"
is "$status:$out" "1:nodebake: firstboot: $tmp/outer/folder is read-only and no mount point of its own; \
nothing was enabled" "a folder in a read-only file system is left alone"
umount "$tmp/outer"

# --- the kernel's log ---

touch "$tmp/kmsg"
mount --bind "$tmp/kmsg" /dev/kmsg
fresh_root
run strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --facts "$tmp/facts" --kmsg
is "$status:$out" "0:" "with --kmsg standard error stays empty"
like "$(<"$tmp/kmsg")" "^<5>nodebake: node worker-0 is ready: 8 files, 4 units, source file, [0-9]+ ms$" \
    "and the kernel's log has a notice"
is "$(grep -c ' write(.*nodebake: node' "$tmp/trace")" 1 "in one write"
: >"$tmp/kmsg"
run "$firstboot" --root "$R" --facts "$tmp/facts-bad" --kmsg
is "$status:$out:$(<"$tmp/kmsg")" "1::<3>nodebake: firstboot: file: NODE_NAME: this machine is to be \
worker-1, but the image is that of worker-0; nothing was enabled" "a failure is an error there"
run "$firstboot" --root "$R/$(printf 'x%.0s' {1..2000})" --kmsg
is "$(tail -n 1 "$tmp/kmsg" | wc -c | awk '{ print ($1 < 960) }')" 1 "a line fits the kernel's log"
like "$(tail -n 1 "$tmp/kmsg")" "; nothing was enabled$" "and keeps its end"

# --- the hook's script ---

mkdir -p "$tmp/lib/nodebake" "$tmp/upper" "$tmp/work"
if mount -t overlay -o "lowerdir=/usr/lib,upperdir=$tmp/upper,workdir=$tmp/work" overlay /usr/lib; then
    mkdir -p /usr/lib/nodebake
    cp "$firstboot" /usr/lib/nodebake/firstboot
    hook=firstboot/hook/initramfs-tools
    is "$(sh $hook/local-bottom prereqs)" "" "the hook needs no other script first"
    mount -t tmpfs tmpfs /run
    fresh_root
    : >"$tmp/kmsg"
    rootmnt=$R run sh $hook/local-bottom
    is "$status:$out" 0: "the hook never fails the boot"
    like "$(<"$tmp/kmsg")" "^<3>nodebake: firstboot: .*; nothing was enabled$" "but says what went wrong"
    is "$(ls /run/nodebake)" "firstboot.failed
firstboot.json" "and leaves it in /run for the real root"
    mount -o remount,rw "$R"
    sed -i 's/^on-failure .*/on-failure shell/' "$R/usr/lib/nodebake/contract"
    mount -o remount,ro "$R"
    printf 'panic()\n{\n    echo "panic: $*"\n}\n' >"$tmp/functions"
    sed "s|/scripts/functions|$tmp/functions|" $hook/local-bottom >"$tmp/local-bottom"
    rootmnt=$R run sh "$tmp/local-bottom"
    like "$status:$out" "^0:panic: nodebake: firstboot: .*; nothing was enabled
.*exit, and the boot goes on.$" "on-failure shell: the initramfs's shell, with the cause, then the boot goes on"
    umount -l /run
    kernel=$(find /lib/modules -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)
    if [ -n "$kernel" ] && command -v mkinitramfs >/dev/null; then
        cp -a /etc/initramfs-tools "$tmp/conf"
        sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$tmp/conf/initramfs.conf"
        install -D -m 0755 $hook/hook "$tmp/conf/hooks/nodebake"
        install -D -m 0755 $hook/local-bottom "$tmp/conf/scripts/local-bottom/nodebake"
        run mkinitramfs -d "$tmp/conf" -o "$tmp/initrd" "$kernel"
        is "$status" 0 "mkinitramfs takes the hook"
        [ "$status" -eq 0 ] || diag "$out"
        unmkinitramfs "$tmp/initrd" "$tmp/unpacked" >/dev/null 2>&1
        init=$tmp/unpacked
        [ ! -d "$init/main" ] || init=$init/main
        cmp -s "$firstboot" "$init/usr/lib/nodebake/firstboot"
        ok $? "the initramfs holds the program"
        cmp -s $hook/local-bottom "$init/scripts/local-bottom/nodebake"
        ok $? "and its script"
        is "$(grep -c '^/scripts/local-bottom/nodebake "\$@"$' "$init/scripts/local-bottom/ORDER")" 1 \
            "which is in ORDER"
        find "$init" -name 'virtio_net.ko*' | grep -q .
        ok $? "and the drivers of network interfaces"
        rm /usr/lib/nodebake/firstboot
        run mkinitramfs -d "$tmp/conf" -o "$tmp/initrd" "$kernel"
        is "$status" 0 "without the program a kernel update goes on"
    else
        skip "the initramfs hook: no kernel's modules or no mkinitramfs here"
    fi
    umount -l /usr/lib
else
    skip "the initramfs hook: no overlay mounts here"
fi

# --- the metadata service ---

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
nsenter -t $server -n "$build/tests/metadata-try" 169.254.169.254:80 worker-0 10.240.0.20 10.200.0.0/24 2>"$tmp/log" &
within 10 grep -qs listening "$tmp/log"

fresh_root
make_root "$tmp/offline"
"$firstboot" --root "$tmp/offline" --facts "$tmp/facts" >/dev/null 2>&1
boot gce
like "$status:$out" "^0:nodebake: node worker-0 is ready: 8 files, 4 units, source gce, [0-9]+ ms$" \
    "a boot on GCE finishes the node"
is "$(sed 's/^instance [0-9]*$/instance N/' "$R/var/lib/nodebake/stamp")" "nodebake-stamp 1
source gce
identity product_uuid:$uuid
node worker-0
instance N
file /var/lib/kubelet/worker-0.pem
file /var/lib/kubelet/worker-0-key.pem
file /var/lib/kubelet/kubeconfig" "the stamp is this instance's"
diff -u <(content "$tmp/offline" | grep -v '\./var/lib/nodebake/stamp') \
    <(content "$R" | grep -v '\./var/lib/nodebake/stamp') >"$tmp/diff"
ok $? "the rest has the bytes of a run with a facts file"
diag "$(<"$tmp/diff")"
before=$(state "$R")
boot gce
is "$status:$out" "0:nodebake: node worker-0 was finished before, by source gce; nothing to do" \
    "a second boot has nothing to do"
is "$(state "$R")" "$before" "changes nothing"
is "$(calls 'socket|mount|rename|renameat|fsync')" 0 "and sends no packet"

# The root is copied to another machine, whose metadata service is out of reach at first.
there ip link set far down
deadline() { mount -o remount,rw "$R" && sed -i "s/^deadline .*/deadline $1/" "$R/usr/lib/nodebake/contract" && mount -o remount,ro "$R"; }
deadline 1
before=$(mounted)
boot clone
is "$status:$(enabled "$R")" "1:" "a clone that cannot be finished: the original's units are disabled"
like "$out" "^nodebake: firstboot: gce: .*; nothing was enabled$" "and the line is true"
[ ! -e "$R/var/lib/nodebake/stamp" ]
ok $? "and the stamp is gone"
is "$(mounted)" "$before" "and the root read-only again"
there ip link set far up
ip route replace default via 10.240.0.1
deadline 60
boot clone
like "$status:$out" "^0:nodebake: node worker-0 is ready" "once metadata is there the clone is finished"
like "$(<"$R/var/lib/nodebake/stamp")" "identity product_uuid:9b3c2f0e-0000-4000-8000-000000000002" \
    "under its own identity"

# A contract that cannot be read: nobody knows the units.
mount -o remount,rw "$R"
echo junk >>"$R/usr/lib/nodebake/contract"
mount -o remount,ro "$R"
boot clone
is "$status:$out" "1:nodebake: firstboot: contract:30: unknown word 'junk'; version 1 has no such line; \
units may be enabled: without its contract nobody knows which" \
    "a finished root whose contract is damaged: the line claims nothing that is not so"
fresh_root
mount -o remount,rw "$R"
rm "$R/usr/lib/nodebake/contract"
mount -o remount,ro "$R"
boot clone
is "$status:$out" \
    "1:nodebake: firstboot: contract: /usr/lib/nodebake/contract is missing; nothing was enabled" \
    "a root that was never finished has nothing enabled"

fresh_root
boot pc
is "$status:$out" "1:nodebake: firstboot: no source: the contract allows gce; this machine is 'Google' \
'Standard PC (Q35 + ICH9, 2009)'; nothing was enabled" "a platform that backs no allowed source"
is "$(calls socket)" 0 "is asked nothing"
mkdir -p "$tmp/none"
cp "$tmp/gce/product_name" "$tmp/none"
boot none
like "$status:$out" "^1:nodebake: firstboot: gce: product_uuid: the firmware has none; .*; nothing was enabled$" \
    "a machine without identity"

done_testing
