#!/usr/bin/env bash
# The scripts that images of stock bases carry: growth of the root, on tables in files, and the hooks
# that keep the host name.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin
overlays=$PWD/overlays
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

while IFS= read -r -d '' script; do
    sh -n "$script"
    ok $? "${script#"$overlays"/}: is a shell script"
done < <(grep -rlZ -e '^#!/bin/sh' -e '^# shellcheck shell=sh' "$overlays")

# ---- growth: sfdisk and blkid are real, on a file; the kernel's part is played by a folder.

mkdir -p bin sys/dev/block proc/self
printf '29 1 254:1 / / rw - ext4 /dev/root rw\n30 29 0:5 / /dev rw - devtmpfs udev rw\n' >proc/self/mountinfo

# kernel_reads: the folder in sys as the kernel would have it after a look at the table.
kernel_reads() {
    local number start size
    rm -rf sys/devices
    mkdir -p sys/devices/disk
    echo "DEVNAME=..$tmp/disk.img" >sys/devices/disk/uevent
    echo $(($(stat -c %s disk.img) / 512)) >sys/devices/disk/size
    while read -r number start size; do
        mkdir "sys/devices/disk/p$number"
        printf 'MAJOR=254\nDEVNAME=part%s\n' "$number" >"sys/devices/disk/p$number/uevent"
        echo "$number" >"sys/devices/disk/p$number/partition"
        echo "$start" >"sys/devices/disk/p$number/start"
        echo "$size" >"sys/devices/disk/p$number/size"
    done < <(sfdisk -d disk.img 2>/dev/null |
        sed -nE 's/^disk\.img([0-9]+) : start= *([0-9]+), size= *([0-9]+).*/\1 \2 \3/p')
    ln -sfn "../../devices/disk/p${root_number:-1}" sys/dev/block/254:1
}

# disk MIB TABLE: as sfdisk reads it; the disk grows by 64 MiB afterwards.
disk() {
    rm -f disk.img
    truncate -s "$1M" disk.img
    sfdisk -q disk.img <<<"$2" || exit 1
    truncate -s "$(($1 + ${more:-64}))M" disk.img
    kernel_reads
    echo 1000 >blocks
}

cat >bin/partx <<SH
#!/bin/bash
echo "partx \$*" >>$tmp/calls
cd $tmp
$(declare -f kernel_reads)
tmp=$tmp kernel_reads
SH
cat >bin/systemd-growfs <<SH
#!/bin/sh
echo "growfs \$*" >>$tmp/calls
[ ! -e $tmp/fail ] || { echo 'no such thing'; exit 1; }
[ ! -e $tmp/grows ] || { echo 2000 >$tmp/blocks; echo 'resized'; }
SH
cat >bin/stat <<SH
#!/bin/sh
[ "\$1" = -f ] && exec cat $tmp/blocks
exec /usr/bin/stat "\$@"
SH
cat >bin/sfdisk <<SH
#!/bin/sh
[ "\$1" = -d ] || echo sfdisk >>$tmp/calls
exec $(command -v sfdisk) "\$@"
SH
chmod +x bin/*

# grow: sets out, status and calls.
grow() {
    : >calls
    out=$(root_number=${root_number:-1} PATH=$tmp/bin:$PATH NODEBAKE_PROC=$tmp/proc \
        NODEBAKE_SYS=$tmp/sys "$overlays/grow/usr/lib/nodebake/grow" 2>&1)
    status=$?
    calls=$(cut -d ' ' -f 1 calls | tr '\n' ' ')
}

size_of() { sfdisk -d disk.img | sed -nE "s/^disk\.img$1 : .*size= *([0-9]+).*/\1/p"; }
rest_of() { sfdisk -d disk.img | sed -nE "s/^disk\.img$1 : .*size= *[0-9]+, (.*)/\1/p"; }

gpt='label: gpt
14: start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
15: start=4096, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
1: start=12288, size=116736, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root, attrs=LegacyBIOSBootable'

touch grows
disk 64 "$gpt"
before=$(rest_of 1)
grow
is "$status:$out" "0:nodebake: grow: /dev/part1: 57 MiB, now 121 MiB
nodebake: grow: resized" "GPT: grows, and says so"
is "$calls" "sfdisk partx growfs " "GPT: the table, the kernel, the file system"
is "$(rest_of 1)" "$before" "GPT: type, UUID, name and attributes stay"
like "$(sfdisk -V disk.img 2>&1)" 'No errors' "GPT: the second header is at the end"
rm grows
grow
is "$status:$out:$calls" "0::growfs " "GPT: silent when nothing is to be grown"

touch grows
disk 64 "$gpt"
sed -i 's/^29/28 1 0:40 \/ \/ rw - overlay overlay rw\n29/' proc/self/mountinfo
grow
like "$out" 'now 121 MiB' "the root that is mounted last is the one"
sed -i 1d proc/self/mountinfo

disk 64 "${gpt/size=116736/size=40960}
2: start=102400, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4"
grow
is "$(size_of 1)" 90112 "grows up to the next partition"
disk 64 "${gpt/size=116736/size=90112}
2: start=102400, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4"
grow
is "$calls:$(size_of 1)" "growfs :90112" "a partition right behind it: its size stays"

more=0 disk 64 "$gpt"
grow
is "$calls" "growfs " "a gap at the end as images have: no change"

disk 64 'label: dos
1: start=2048, size=129024, type=83, bootable'
grow
is "$status:$(size_of 1):$(rest_of 1)" "0:260096:type=83, bootable" "MBR: grows, and stays bootable"
grow
is "$calls" "growfs " "MBR: once"

root_number=5
disk 64 'label: dos
1: start=2048, size=16384, type=83
2: start=18432, size=112640, type=5
5: start=20480, size=110592, type=83'
grow
is "$status:$calls:$(size_of 5)" "0:growfs :110592" "a logical partition is left alone"
unset root_number

touch fail
disk 64 "$gpt"
grow
is "$status:${out##*$'\n'}" "1:nodebake: grow: no such thing" "a file system that does not grow is told"
rm fail
grow
is "$status:$out:$calls" "0:nodebake: grow: resized:growfs " "and is tried again at the next boot"

printf '#!/bin/sh\necho no room; exit 1\n' >bin/sfdisk
disk 64 "$gpt"
grow
is "$status:${out%%$'\n'*}" "1:nodebake: grow: /dev/part1: no room" "a table that cannot be written is told"

printf '29 1 253:0 / / rw - ext4 /dev/mapper/x rw\n' >proc/self/mountinfo
grow
is "$status:$out:$calls" "0::" "a root on LVM is left alone"
printf '29 1 0:25 /@ / rw - btrfs /dev/vda1 rw\n' >proc/self/mountinfo
grow
is "$status:$out:$calls" "0::" "and so is one whose device tells nothing"

# ---- the host name: what a DHCP client's script has afterwards.

# names HOOK: sources it as the client's script does.
names() {
    new_host_name=other old_host_name=worker-0 new_fqdn=other.example new_domain_name=example \
        sh -ec ". '$1'; echo \"\${new_host_name-}\${old_host_name-} \$new_domain_name \${skip_hooks-}\""
}
is "$(names "$overlays/host-name-dhclient/etc/dhcp/dhclient-enter-hooks.d/nodebake-host-name")" \
    " example " "dhclient: no host name, but the domain"
is "$(names "$overlays/host-name-dhcpcd/etc/dhcpcd.enter-hook")" " example  hostname" \
    "dhcpcd: no host name, but the domain; its own hook is skipped"
done_testing
