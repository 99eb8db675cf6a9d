# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for base-grub.sh, base-disk.sh and make-base
# Layouts of the base's disk, a function each. Sectors have 512 bytes; all sizes are those of a
# sparse file, which costs nothing.
#
#   debian     p14 BIOS boot, p15 ESP, p1 root                     as Debian's cloud images
#   ubuntu     p14 BIOS boot, p15 ESP, p16 /boot, p1 root; labels  as Ubuntu's since 24.04
#   mbr        p1 root; GRUB lies between the table and it         an old BIOS machine
#   lvm-xfs    p14 BIOS boot, p16 /boot, p1 LVM with an XFS root   what only libguestfs can edit
#
# A layout sets `table`, `core_start` and `core_size` (where GRUB's core image goes), a `part` each
# partition, `names` when fstab does not name file systems by their UUIDs (but by label or partuuid),
# `volume_group` when the root lies in one, and `layout_packages` when the system needs more because
# of that. base-stock.sh may set other `names`, `root_options` and `kernel_label`: the kernel, too,
# gets the root by its label.

layouts=(debian ubuntu mbr lvm-xfs)
disk_size=$((3 * 1024)) # MiB

declare -A part_number part_start part_size part_label part_type part_uuid

# part ROLE NUMBER START SIZE [LABEL]: roles are bios, esp, boot and root.
part() {
    part_number[$1]=$2 part_start[$1]=$3 part_size[$1]=$4 part_label[$1]=${5:-}
}

# part_last ROLE NUMBER START [LABEL]: a partition to the end, where the second GPT is.
part_last() { part "$1" "$2" "$3" $((disk_size * 2048 - $3 - 2048)) "${4:-}"; }

# layout_use NAME
layout_use() {
    names=uuid root_options=rw,errors=remount-ro kernel_label=no volume_group='' layout_packages=()
    part_number=() part_start=() part_size=() part_label=() part_uuid=()
    part_type=(
        [bios]=21686148-6449-6E6F-744E-656564454649
        [esp]=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
        [boot]=BC13C2FF-59E6-4262-A352-B275FD6F7172
        [root]=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
    )
    "layout_${1//-/_}"
}

layout_debian() {
    table=gpt core_start=2048 core_size=6144
    part bios 14 2048 6144
    part esp 15 8192 253952
    part_last root 1 262144
}

layout_ubuntu() {
    table=gpt core_start=2048 core_size=8192 names=label
    part bios 14 2048 8192
    part esp 15 10240 217088 UEFI
    part boot 16 227328 821248 BOOT
    part_last root 1 1048576 cloudimg-rootfs
    part_type[root]=0FC63DAF-8483-4772-8E79-3D69D8477DE4
}

layout_mbr() {
    table=dos core_start=1 core_size=2047
    part_last root 1 2048
    part_type[root]='83, bootable'
}

layout_lvm_xfs() {
    table=gpt core_start=2048 core_size=6144 volume_group=base layout_packages=(lvm2 xfsprogs)
    part bios 14 2048 6144
    part boot 16 8192 516096
    part_last root 1 524288
    part_type[root]=E6D6D379-F507-44C2-A23C-238F2A3DF928
}

has_part() { [[ -n ${part_number[$1]:-} ]]; }

# layout_name_parts: chooses the identifiers of the table and of its partitions.
layout_name_parts() {
    local role
    table_id=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
    for role in "${!part_number[@]}"; do
        if [[ $table == dos ]]; then
            part_uuid[$role]=$table_id-$(printf %02x "${part_number[$role]}")
        else
            part_uuid[$role]=$(</proc/sys/kernel/random/uuid)
        fi
    done
}

# layout_table: what sfdisk reads.
layout_table() {
    local role
    printf 'label: %s\n' "$table"
    [[ $table != dos ]] || printf 'label-id: 0x%s\n' "$table_id"
    for role in "${!part_number[@]}"; do
        printf '%s: start=%s, size=%s, type=%s%s\n' "${part_number[$role]}" "${part_start[$role]}" \
            "${part_size[$role]}" "${part_type[$role]}" \
            "$([[ $table == dos ]] || echo ", uuid=${part_uuid[$role]}")"
    done
}

# layout_device ROLE: as the guest will see it, on its first virtio disk.
layout_device() {
    if [[ $1 == root && -n $volume_group ]]; then
        printf '/dev/mapper/%s-root\n' "$volume_group"
    else
        printf '/dev/vda%s\n' "${part_number[$1]}"
    fi
}
