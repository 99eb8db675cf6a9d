#!/bin/bash
# The other base images: each boots by its own GRUB, has its file systems where its layout says, and
# is otherwise the same system.
set -euo pipefail
wants=(base-trixie base-ubuntu base-mbr base-lvm-xfs)
. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2054 # QEMU's commas
uefi=(-drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd)

# start NAME ADDRESS [QEMU-ARGUMENT…]
start() {
    vm_create "$1" "$(image_of "base-$1")" "$2"
    vm_start "$1" "${@:3}"
}

# booted NAME VERSION: what is true of all of them.
booted() {
    passes "$1: the guest agent answers" vm_wait_agent "$1" 240
    is "$(vm_sh "$1" 'systemctl is-system-running --wait')" running "$1: no unit failed"
    like "$(vm_sh "$1" 'ip -br address show scope global')" '10\.240\.0\.' "$1: the address by DHCP"
    # shellcheck disable=SC2016 # for the shell inside
    is "$(vm_sh "$1" '. /etc/os-release && echo $VERSION_ID')" "$2" "$1: Debian $2"
    is "$(vm_sh "$1" 'dpkg -l socat conntrack ipset iptables | grep -c ^ii')" 4 "$1: the packages"
    is "$(vm_sh "$1" 'dpkg --verify | grep -v " c " || true')" '' "$1: files are those of the packages"
}

# mounted NAME PATH SOURCE TYPE
mounted() { is "$(vm_exec "$1" findmnt -rno SOURCE,FSTYPE "$2")" "$3 $4" "$1: $2 on $3, $4"; }

# The root is found by what grub-mkconfig itself makes of the disk, too.
update_grub() {
    is "$(vm_sh "$1" 'update-grub 2>/dev/null; grep -c "root='"$2"' ro console=tty0 console=ttyS0" /boot/grub/grub.cfg')" \
        2 "$1: update-grub finds the root"
}

start trixie 10.240.0.52
start ubuntu 10.240.0.53 "${uefi[@]}"

booted trixie 13
mounted trixie / /dev/vda1 ext4
mounted trixie /boot/efi /dev/vda15 vfat
like "$(vm_sh trixie 'dumpe2fs -h /dev/vda1 2>/dev/null')" \
    'orphan_file.*metadata_csum_seed|metadata_csum_seed.*orphan_file' \
    "trixie: the features that Debian 13's mke2fs gives"
vm_kill trixie

booted ubuntu 12
is "$(vm_sh ubuntu '[ -e /sys/firmware/efi ] && echo uefi')" uefi "ubuntu: UEFI"
mounted ubuntu / /dev/vda1 ext4
mounted ubuntu /boot /dev/vda16 ext4
mounted ubuntu /boot/efi /dev/vda15 vfat
# shellcheck disable=SC2016
is "$(vm_sh ubuntu 'for p in 1 15 16; do blkid -o value -s LABEL /dev/vda$p; done' | tr '\n' ' ')" \
    "cloudimg-rootfs UEFI BOOT " "ubuntu: labels"
is "$(vm_sh ubuntu 'lsblk -rno PARTTYPE /dev/vda16')" bc13c2ff-59e6-4262-a352-b275fd6f7172 \
    "ubuntu: the type of an extended boot partition"
update_grub ubuntu UUID=.*
passes "ubuntu: powers off" vm_poweroff ubuntu
vm_start ubuntu
start mbr 10.240.0.54
passes "ubuntu: boots by BIOS, with the grub.cfg that update-grub wrote" vm_wait_agent ubuntu 240
vm_kill ubuntu

start lvm-xfs 10.240.0.55
booted mbr 12
mounted mbr / /dev/vda1 ext4
is "$(vm_sh mbr 'lsblk -rdno PTTYPE /dev/vda')" dos "mbr: the table"
update_grub mbr UUID=.*
vm_kill mbr

booted lvm-xfs 12
mounted lvm-xfs / /dev/mapper/base-root xfs
mounted lvm-xfs /boot /dev/vda16 ext4
update_grub lvm-xfs /dev/mapper/base-root
vm_kill lvm-xfs
done_testing
