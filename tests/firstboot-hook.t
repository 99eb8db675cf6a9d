#!/usr/bin/env bash
# The script of the initramfs: it loads drivers of network interfaces that have none, out of the root's
# modules, and then runs firstboot. In a folder that looks like an initramfs. Needs: busybox, unshare;
# modprobe and a kernel's modules for one test.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin
script=$PWD/firstboot/hook/initramfs-tools/local-bottom
for tool in busybox unshare; do
    command -v $tool >/dev/null || {
        echo "1..0 # SKIP needs $tool"
        exit 0
    }
done
unshare -Ur true 2>/dev/null || {
    echo '1..0 # SKIP this machine lets nobody make user namespaces'
    exit 0
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# device BUS NAME MODALIAS [driver]
device()
{
    mkdir -p "ram/sys/bus/$1/devices/$2"
    echo "$3" >"ram/sys/bus/$1/devices/$2/modalias"
    [ $# -lt 4 ] || ln -s . "ram/sys/bus/$1/devices/$2/driver"
}

# boot: runs the script; out is what it called.
boot()
{
    : >ram/log
    unshare -Ur busybox chroot ram /bin/sh -c 'export PATH=/sbin:/bin rootmnt=/root panic=10; . /script' >said 2>&1
    status=$?
    out=$(<ram/log)
}

mkdir -p ram/{bin,dev,sbin,root,usr/lib/nodebake} && : >ram/dev/null
cp "$(command -v busybox)" ram/bin/sh
cp "$script" ram/script
for program in sbin/modprobe usr/lib/nodebake/firstboot; do
    printf '#!/bin/sh\necho "${0##*/} $*" >>/log\n' >ram/$program
    chmod +x ram/$program
done
firstboot='firstboot --root /root --kmsg --state /run/nodebake --obey'
ena=pci:v00001D0Fd0000EC20sv00001D0Fsd0000EC20bc02sc00i00

boot
is "$status:$out:$(<said)" "0:$firstboot:" "a machine without buses"
device pci 0000:00:05.0 $ena
device pci 0000:00:06.0 $ena driver
device pci 0000:00:07.0 pci:v00001AE0d00000042sv00001AE0sd00000058bc02sc80i00
device pci 0000:00:04.0 pci:v00001D0Fd00008061sv00001D0Fsd00000000bc01sc08i02
device virtio virtio0 virtio:d00000001v00001AF4
device virtio virtio1 virtio:d00000002v00001AF4
mkdir -p ram/sys/bus/pci/devices/none
boot
is "$status:$out:$(<said)" "0:modprobe -q -b -d /root -- $ena
modprobe -q -b -d /root -- pci:v00001AE0d00000042sv00001AE0sd00000058bc02sc80i00
modprobe -q -b -d /root -- virtio:d00000001v00001AF4
$firstboot:" "interfaces without a driver get one, out of the root; nothing else does"
printf '#!/bin/sh\nexit 1\n' >ram/sbin/modprobe
boot
is "$status:$out:$(<said)" "0:$firstboot:" "a driver that there is not ends nothing"
rm ram/usr/lib/nodebake/firstboot
boot
is "$status:$out:$(<said)" "0::" "without firstboot nothing is done"

# --- how it ends ---

for applet in cat mkdir; do ln -s sh ram/bin/$applet; done
mkdir ram/scripts
# As initramfs-tools' own: no shell with panic= on the kernel's line.
echo 'panic() { if [ -n "${panic}" ]; then echo reboot; else echo "panic: $1"; fi; }' >ram/scripts/functions
printf '#!/bin/sh\necho "${0##*/} $*" >>/log\n' >ram/bin/poweroff
chmod +x ram/bin/poweroff

# ends COMMAND...: a boot whose firstboot does that.
ends()
{
    rm -rf ram/run/nodebake ram/dev/kmsg
    printf '#!/bin/sh\n%s\n' "$*" >ram/usr/lib/nodebake/firstboot
    chmod +x ram/usr/lib/nodebake/firstboot
    boot
}
failed='mkdir -p /run/nodebake; echo "firstboot: gce: no"'
for code in 0 1; do
    ends exit $code
    is "$status:$(<said):$(ls ram/run/nodebake ram/dev/kmsg 2>/dev/null)" 0:: "status $code: it has said all itself"
done
ends "$failed >/run/nodebake/firstboot.failed; exit 3"
like "$status:$(<said)" "^0:panic: nodebake: firstboot: gce: no
Nothing of the cluster starts" "status 3: a shell, with the cause"
ends 'kill -SEGV $$'
line='firstboot: it ended with status 139; units may be enabled'
is "$status:$(<ram/run/nodebake/firstboot.failed):$(<ram/dev/kmsg)" "0:$line:<3>nodebake: $line" \
    "killed: a failure, in /run and on the console"
mkdir -p ram/root/usr/lib/nodebake
printf 'nodebake-contract 1\ncluster x\non-failure poweroff\n' >ram/root/usr/lib/nodebake/contract
ends 'kill -KILL $$'
is "$status:$out" "0:poweroff -f" "killed, and the contract wants it off: it is"
sed -i 's/poweroff/shell/' ram/root/usr/lib/nodebake/contract
ends 'kill -KILL $$'
like "$status:$(<said):$out" "^0:(Killed"$'\n'")?panic: nodebake: firstboot: it ended with status 137; units may be enabled
Units may be enabled on this machine.*the boot goes on\.:$" "a shell: there is one"
rm ram/root/usr/lib/nodebake/contract
ends 'exit 2'
like "$(<ram/run/nodebake/firstboot.failed)" "ended with status 2;" "called wrongly: a failure"
printf 'no program' >ram/usr/lib/nodebake/firstboot
sed -i '1i#!/none' ram/usr/lib/nodebake/firstboot
rm -rf ram/run/nodebake
boot
like "$status:$(<ram/run/nodebake/firstboot.failed)" "^0:firstboot: it ended with status 12[67];" \
    "a program that cannot be started: a failure"

# The unit that shows it, of the real root.
unit=$OLDPWD/overlays/common/etc/systemd/system/nodebake-firstboot.service
shows()
{
    local command
    command=$(sed -n "s:^ExecStart=/bin/sh -c '\(.*\)'$:\1:p" "$unit")
    sh -c "${command//\/run\//$tmp/ram/run/}" >said 2>&1
    out=$?:$(<said)
}
shows
like "$out" "^1:firstboot: it ended with status 12[67];" "the unit fails, and says so"
rm ram/run/nodebake/firstboot.failed
shows
like "$out" "^1:.*firstboot did not run in the initramfs" "and where firstboot left nothing"
echo '{}' >ram/run/nodebake/firstboot.json
shows
is "$out" "0:{}" "and not where it ended well"
is "$(grep -c '^Condition.*stamp' "$unit")" 0 "whether or not a stamp is there"

kernel=$(grep -ls "^alias pci:v00001D0Fd0000EC20sv.* ena$" /lib/modules/*/modules.alias | head -n 1)
if [ -n "$kernel" ] && command -v modprobe >/dev/null; then
    kernel=$(basename "$(dirname "$kernel")")
    mkdir -p merged/usr/lib/modules && ln -s usr/lib merged/lib
    cp -r "/lib/modules/$kernel" merged/usr/lib/modules/
    like "$(modprobe -n -v -b -d merged -S "$kernel" -- $ena)" \
        "insmod .*merged/lib/modules/$kernel/.*/ena\\.ko" "a real modprobe finds it there"
else
    echo "# SKIP no modprobe, or no kernel with ena"
fi
done_testing
