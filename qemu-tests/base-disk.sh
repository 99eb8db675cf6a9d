# shellcheck shell=bash
# A root folder becomes a disk that boots by BIOS and by UEFI, without loop devices:
#
#   sector 0       boot.img in the MBR's first 440 bytes: loads sector 2048
#   2048           p14 BIOS boot   3 MiB: core.img, whose first sector loads the rest from 2049
#   8192           p15 ESP       124 MiB: EFI/BOOT/BOOTX64.EFI
#   262144         p1  root, ext4, to the end
#
# GRUB's own programs are those of the root folder, so that they match its modules.

disk_size=$((3 * 1024))      # MiB
bios_start=2048 bios_size=6144 esp_start=8192 esp_size=253952 root_start=262144 # sectors

# disk_make ROOT DISK
disk_make() {
    local root=$1 disk=$2 root_uuid esp_id
    root_uuid=$(</proc/sys/kernel/random/uuid)
    esp_id=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ' | tr a-f A-F)
    say "disk: GRUB"
    printf 'UUID=%s / ext4 rw,errors=remount-ro 0 1\nUUID=%s /boot/efi vfat umask=0077 0 0\n' \
        "$root_uuid" "${esp_id:0:4}-${esp_id:4}" >"$root/etc/fstab"
    mkdir -p "$root/boot/efi"
    grub_install_files "$root" "$root_uuid"
    grub_make_config "$root" "$root_uuid"
    say "disk: partitions and file systems"
    disk_partition "$disk"
    disk_put_bios_loader "$root/boot/grub/i386-pc" "$disk"
    disk_put_esp "$root/boot/grub/x86_64-efi/core.efi" "$disk" "$esp_id"
    # The host's /dev is not the image's, and mmdebstrap leaves nodes in it.
    find "$root/dev" "$root/run" "$root/tmp" -mindepth 1 -delete
    mke2fs -q -t ext4 -b 4096 -U "$root_uuid" -d "$root" -E "offset=$((root_start * 512))" \
        "$disk" "$((disk_size - root_start / 2048 - 1))m"
}

disk_partition() {
    truncate -s "${disk_size}M" "$1"
    sfdisk --quiet "$1" <<TABLE
label: gpt
1: start=$root_start, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
14: start=$bios_start, size=$bios_size, type=21686148-6449-6E6F-744E-656564454649
15: start=$esp_start, size=$esp_size, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
TABLE
}

# Modules into /boot/grub and a core image a platform, which finds the root by its UUID.
grub_install_files() {
    local root=$1 platform dir
    for platform in i386-pc x86_64-efi; do
        dir=boot/grub/$platform
        mkdir -p "$root/$dir"
        cp "$root/usr/lib/grub/$platform"/*.{mod,lst} "$root/$dir"
        # shellcheck disable=SC2016 # GRUB's variable
        printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\n' "$2" >"$root/$dir/load.cfg"
    done
    cp "$root/usr/lib/grub/i386-pc/boot.img" "$root/boot/grub/i386-pc/"
    grub_mkimage "$root" i386-pc core.img biosdisk
    grub_mkimage "$root" x86_64-efi core.efi fat
}

# grub_mkimage ROOT PLATFORM FILE MODULE…
grub_mkimage() {
    local root=$1 dir=/boot/grub/$2
    chroot "$root" grub-mkimage --format "$2" --prefix /boot/grub --config "$dir/load.cfg" \
        --output "$dir/$3" part_gpt ext2 search search_fs_uuid "${@:4}"
}

# grub-mkconfig as in the guest. It asks grub-probe about devices, which are not there yet; so for
# that time another program, and a /dev with nothing but the link that is looked for, lie over them.
grub_make_config() {
    local root=$1
    cat >"$root/probe" <<PROBE
#!/bin/sh
case "\$*" in
*fs_uuid*) echo $2 ;;
*target=fs*) echo ext2 ;;
*target=device*) echo /dev/vda1 ;;
*partmap*) echo gpt ;;
*abstraction* | *hints_string* | *compatibility_hint*) ;;
*) exit 1 ;;
esac
PROBE
    chmod 0755 "$root/probe"
    mount --bind "$root/probe" "$root/usr/sbin/grub-probe"
    mount -t tmpfs none "$root/dev"
    mkdir -p "$root/dev/disk/by-uuid"
    : >"$root/dev/disk/by-uuid/$2"
    : >"$root/dev/null"
    chroot "$root" grub-mkconfig -o /boot/grub/grub.cfg
    umount "$root/dev" "$root/usr/sbin/grub-probe"
    rm "$root/probe"
    grep -q "root=UUID=$2 ro" "$root/boot/grub/grub.cfg" || die "grub-mkconfig made no entry for the root"
}

# What grub-bios-setup does to a device: the address of core.img goes into boot.img, that of
# core.img's second sector into the list at the end of its first; and boot.img no longer doubts
# the drive number that the BIOS gives.
disk_put_bios_loader() {
    local boot=$1/boot.img core=$1/core.img
    [[ $(stat -c %s "$core") -le $((bios_size * 512)) ]] || die "core.img is larger than its partition"
    dd if="$boot" of="$2" bs=440 count=1 conv=notrunc status=none
    le64 $bios_start | put_bytes "$2" $((0x5c))
    printf '\x90\x90' | put_bytes "$2" $((0x66))
    dd if="$core" of="$2" bs=512 seek=$bios_start conv=notrunc status=none
    le64 $((bios_start + 1)) | put_bytes "$2" $((bios_start * 512 + 0x1f4))
}

# le64 NUMBER: eight bytes, the lowest first.
le64() {
    local i
    for ((i = 0; i < 64; i += 8)); do
        # shellcheck disable=SC2059 # the inner printf makes the escape
        printf "\\x$(printf %02x $((($1 >> i) & 255)))"
    done
}

put_bytes() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# disk_put_esp LOADER DISK VOLUME-ID
disk_put_esp() {
    local esp=$2.esp
    mkfs.vfat -C -i "$3" "$esp" $((esp_size / 2)) >/dev/null
    mmd -i "$esp" ::EFI ::EFI/BOOT
    mcopy -i "$esp" "$1" ::EFI/BOOT/BOOTX64.EFI
    dd if="$esp" of="$2" bs=512 seek=$esp_start conv=notrunc,sparse status=none
    rm "$esp"
}

# disk_forget_packages DISK PACKAGE,…: removes their paragraphs from the package database.
disk_forget_packages() {
    local file at="$1?offset=$((root_start * 512))"
    file=$(dirname "$1")/status
    debugfs -R 'cat /var/lib/dpkg/status' "$at" 2>/dev/null |
        awk -v list="$2" '
            BEGIN { RS = ""; ORS = "\n\n"; n = split(list, names, ",")
                    for (i in names) gone[names[i]] = 1 }
            { split($0, lines, "\n"); split(lines[1], field, " ")
              if (field[2] in gone) { found++; next }
              print }
            END { exit found != n }' >"$file" || die "not all of $2 are installed in the base image"
    debugfs -w -f - "$at" >/dev/null 2>&1 <<COMMANDS
rm /var/lib/dpkg/status
write $file /var/lib/dpkg/status
set_inode_field /var/lib/dpkg/status mode 0100644
set_inode_field /var/lib/dpkg/status uid 0
set_inode_field /var/lib/dpkg/status gid 0
COMMANDS
    debugfs -R 'cat /var/lib/dpkg/status' "$at" 2>/dev/null | cmp - "$file"
}
