# shellcheck shell=bash
# shellcheck disable=SC2154 # base-layout.sh sets them
# A root folder becomes a disk that boots, by BIOS and, where the layout has an ESP, by UEFI; without
# loop devices. To be sourced after base-layout.sh and base-grub.sh.

# disk_make ROOT DISK: in the layout that is in use. The root of a volume group is left as a tar
# archive beside the disk, for disk_fill_volume.
disk_make() {
    local root=$1 disk=$2
    local -A uuid=([root]=$(</proc/sys/kernel/random/uuid) [boot]=$(</proc/sys/kernel/random/uuid)
        [esp]=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ' | tr a-f A-F | sed 's/..../&-/'))
    say "disk: GRUB"
    layout_name_parts
    mkdir -p "$root/boot/efi"
    disk_fstab >"$root/etc/fstab"
    grub_install_files "$root"
    grub_make_config "$root"
    say "disk: partitions and file systems"
    truncate -s "${disk_size}M" "$disk"
    layout_table | sfdisk --quiet "$disk"
    grub_put_bios_loader "$root" "$disk"
    ! has_part esp || disk_put_esp "$root/boot/grub/x86_64-efi/core.efi" "$disk"
    if has_part boot; then
        disk_put_ext4 boot "$root/boot" "$disk"
        find "$root/boot" -mindepth 1 -delete
    fi
    if [[ -n $volume_group ]]; then
        root_pack "$root" >"$disk.root.tar"
    else
        disk_put_ext4 root "$root" "$disk"
    fi
}

# disk_fstab: names file systems as the layout does.
disk_fstab() {
    if [[ -n $volume_group ]]; then
        printf '%s / xfs rw 0 1\n' "$(disk_spec root)"
    else
        printf '%s / ext4 %s 0 1\n' "$(disk_spec root)" "$root_options"
    fi
    ! has_part boot || printf '%s /boot ext4 defaults 0 2\n' "$(disk_spec boot)"
    ! has_part esp || printf '%s /boot/efi vfat umask=0077 0 0\n' "$(disk_spec esp)"
}

# disk_spec ROLE
disk_spec() {
    if [[ $1 == root && -n $volume_group ]]; then
        layout_device root
    else
        case $names in
        label) printf 'LABEL=%s\n' "${part_label[$1]}" ;;
        partuuid) printf 'PARTUUID=%s\n' "${part_uuid[$1]}" ;;
        *) printf 'UUID=%s\n' "${uuid[$1]}" ;;
        esac
    fi
}

# disk_put_ext4 ROLE FOLDER DISK: with the features that the distribution's own mke2fs gives.
disk_put_ext4() {
    MKE2FS_CONFIG=$root/etc/mke2fs.conf mke2fs -q -t ext4 -b 4096 -U "${uuid[$1]}" \
        -L "${part_label[$1]}" -d "$2" -E "offset=$((part_start[$1] * 512))" "$3" \
        "$((part_size[$1] / 2))k"
}

# disk_put_esp LOADER DISK
disk_put_esp() {
    local label=${part_label[esp]} esp
    esp=$2.esp
    mkfs.vfat -C -i "${uuid[esp]/-/}" ${label:+-n "$label"} "$esp" \
        $((part_size[esp] / 2)) >/dev/null
    mmd -i "$esp" ::EFI ::EFI/BOOT
    mcopy -i "$esp" "$1" ::EFI/BOOT/BOOTX64.EFI
    dd if="$esp" of="$2" bs=512 seek="${part_start[esp]}" conv=notrunc,sparse status=none
    rm "$esp"
}

# disk_fill_volume DISK: LVM and XFS need a kernel that knows them; that of libguestfs' appliance.
disk_fill_volume() {
    local partition=/dev/sda${part_number[root]} volume=/dev/$volume_group/root
    say "disk: LVM and XFS, in the appliance"
    attended env LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
        guestfish --format=raw -a "$1" run : \
        pvcreate "$partition" : vgcreate "$volume_group" "$partition" : \
        lvcreate-free root "$volume_group" 100 : mkfs xfs "$volume" : mount "$volume" / : \
        tar-in "$1.root.tar" / xattrs:true : umount-all
    rm "$1.root.tar"
}

# disk_forget_packages DISK PACKAGE,…: removes their paragraphs from the package database.
disk_forget_packages() {
    local file at="$1?offset=$((part_start[root] * 512))"
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
