# shellcheck shell=bash
# Small disks with a system that is just enough for `nodebake build`, in many kinds of ext2-4. No
# root, no mounts, no machine; the same bytes each time. To be sourced.
#
#   sector 2048 p16 /boot (some variants)   26624 p15 ESP   32768 p1 root   (63 MiB) end

variant_kernel=6.1.0-1-cloud-amd64
variant_root=32768 variant_boot=2048 variant_esp=26624 # sectors
variant_mib=64

# Options of mke2fs, by variant.
declare -A variant_options=(
    [4k]='-t ext4 -b 4096'
    [1k]='-t ext4 -b 1024'
    [no-csum]='-t ext4 -b 4096 -O ^metadata_csum,uninit_bg'
    [no-64bit]='-t ext4 -b 4096 -O ^64bit'
    [no-extents]='-t ext3 -b 4096'
    [ext2]='-t ext2 -b 1024'
    [inode-128]='-t ext4 -b 4096 -I 128'
    [no-journal]='-t ext4 -b 4096 -O ^has_journal'
    [debian-13]='-t ext4 -b 4096 -O metadata_csum_seed,orphan_file'
    [boot]='-t ext4 -b 4096 -L cloudimg-rootfs'
    [mbr]='-t ext4 -b 4096'
    [large-dir]='-t ext4 -b 4096'
    [large-dir-1k]='-t ext4 -b 1024'
    [large-dir-plain]='-t ext4 -b 4096'
    [nearly-full]='-t ext4 -b 4096 -m 0'
    [bigalloc]='-t ext4 -b 4096 -O bigalloc'
    [few-inodes]='-t ext4 -b 4096 -N 512'
    [no-inodes]='-t ext4 -b 4096 -N 512'
)
# All of these must be edited well.
# shellcheck disable=SC2034 # for those who source this
variants_good=(4k 1k no-csum no-64bit no-extents ext2 inode-128 no-journal debian-13 boot mbr
    large-dir large-dir-1k large-dir-plain nearly-full few-inodes)
# And these refused. (bigalloc is for the libguestfs writer alone.)
# shellcheck disable=SC2034
variants_bad=(full no-inodes needs-recovery orphans error-state not-clean bad-descriptor
    bad-superblock unknown-feature encrypt)

# make_system DIR: the root as a folder.
make_system()
{
    local dir=$1 package
    mkdir -p "$dir"/{boot/efi,boot/grub,dev,etc/systemd/system,proc,root,run,srv,sys,tmp} \
        "$dir"/{usr/bin,usr/sbin,usr/lib/systemd,usr/local/bin,var/lib/dpkg,var/lib/kube-proxy}
    ln -s usr/bin usr/sbin usr/lib "$dir"
    printf 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n' \
        >"$dir/usr/lib/os-release"
    ln -s ../usr/lib/os-release "$dir/etc/os-release"
    for package in dpkg socat conntrack ipset iptables nginx; do
        printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\n\n' "$package"
    done >"$dir/var/lib/dpkg/status"
    echo systemd >"$dir/usr/lib/systemd/systemd"
    echo kernel >"$dir/boot/vmlinuz-$variant_kernel"
    printf '\tlinux\t/boot/vmlinuz-%s root=UUID=1 ro console=ttyS0\n' "$variant_kernel" \
        >"$dir/boot/grub/grub.cfg"
    make_initrd "$dir/boot/initrd.img-$variant_kernel"
    make_replaced "$dir"
    find "$dir" -exec touch -hd @1500000000 {} +
}

# make_grub DIR: a menu for that kernel; without one a build remarks upon it.
make_grub()
{
    mkdir -p "$1/boot/grub"
    printf "menuentry 'Debian GNU/Linux' {\n\tlinux\t/boot/vmlinuz-%s root=UUID=1 ro console=ttyS0\n}\n" \
        "$variant_kernel" >"$1/boot/grub/grub.cfg"
}

# What initramfs-tools would make, without anything in it.
make_initrd()
{
    local work
    work=$(mktemp -d)
    mkdir -p "$work/scripts/local-bottom" "$work/usr/lib"
    echo 'run_scripts() { :; }' >"$work/scripts/functions"
    echo '[ -e /conf/param.conf ] && . /conf/param.conf' >"$work/scripts/local-bottom/ORDER"
    find "$work" -exec touch -d @0 {} +
    (cd "$work" && find . | sort | bsdtar --format newc --uid 0 --gid 0 -n -T - -cf -) | gzip -n >"$1"
    rm -r "$work"
}

# Things in the way of files of the image, which have to be replaced and not followed or shared; a
# link to a folder that has to be followed; and a secret that must be gone afterwards.
make_replaced()
{
    echo crictl >"$1/etc/crictl.yaml"
    ln "$1/etc/crictl.yaml" "$1/srv/other-name"
    echo kept >"$1/srv/kept"
    ln -s /srv/kept "$1/usr/local/bin/kubectl"
    ln -s /nowhere "$1/usr/local/bin/kubelet"
    mkdir -p "$1/srv/opt"
    ln -s /srv/opt "$1/opt"
    ln -s "/srv/$(printf '%0100d' 0)" "$1/srv/long-link"
    printf 'replaced-secret\n%.0s' {1..1000} >"$1/var/lib/kube-proxy/kubeconfig"
    chmod 0600 "$1/var/lib/kube-proxy/kubeconfig"
    head -c 300000 /dev/zero | tr '\0' x >"$1/etc/machine-id"
}

# make_names DIR COUNT: names of one file; it is the directory that matters.
make_names()
{
    echo unit >"$1/unit-00000.service"
    perl -e 'link "$ARGV[0]/unit-00000.service", sprintf "$ARGV[0]/unit-%05d.service", $_ or die
        for 1 .. $ARGV[1] - 1' "$1" "$2"
}

# make_variant NAME DISK SYSTEM
make_variant()
{
    local name=$1 disk=$2 system=$3 work root
    work=$(mktemp -d)
    root=$work/root
    cp -a "$system" "$root"
    variant_table "$name" >"$work/table"
    rm -f "$disk"
    truncate -s "${variant_mib}M" "$disk"
    sfdisk --quiet "$disk" <"$work/table"
    variant_fstab "$name" >"$root/etc/fstab"
    case $name in
    large-dir*) make_names "$root/etc/systemd/system" 20000 ;;
    boot)
        variant_fs "$disk" "$variant_boot" $((variant_esp - variant_boot)) "$root/boot" \
            -t ext4 -L BOOT -b 1024 -U 22222222-2222-4222-8222-222222222222
        find "$root/boot" -mindepth 1 -delete
        ;;
    esac
    [ "$name" = mbr ] || variant_put_esp "$disk" "$work/esp"
    find "$root" -newermt @1500000000 -exec touch -hd @1500000000 {} +
    # shellcheck disable=SC2086 # words
    variant_fs "$disk" "$variant_root" $((variant_mib * 2048 - variant_root - 2048)) "$root" \
        ${variant_options[$name]:--t ext4 -b 4096} -U 11111111-1111-4111-8111-111111111111
    variant_change "$name" "$disk" "$disk?offset=$((variant_root * 512))"
    rm -r "$work"
}

variant_table()
{
    local size=$((variant_mib * 2048 - variant_root - 2048))
    if [ "$1" = mbr ]; then
        printf 'label: dos\nlabel-id: 0x12345678\n1: start=%s, size=%s, type=83\n' "$variant_root" $size
        return
    fi
    cat <<TABLE
label: gpt
label-id: 00000000-0000-4000-8000-000000000000
1: start=$variant_root, size=$size, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=00000000-0000-4000-8000-000000000001
15: start=$variant_esp, size=4096, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=00000000-0000-4000-8000-000000000015
TABLE
    [ "$1" != boot ] || printf '16: start=%s, size=%s, type=%s, uuid=%s\n' "$variant_boot" \
        $((variant_esp - variant_boot)) BC13C2FF-59E6-4262-A352-B275FD6F7172 \
        00000000-0000-4000-8000-000000000016
}

variant_fstab()
{
    case $1 in
    boot) printf 'LABEL=cloudimg-rootfs / ext4 defaults 0 1\nLABEL=BOOT /boot ext4 defaults 0 2\n' ;;
    *) printf 'UUID=11111111-1111-4111-8111-111111111111 / ext4 errors=remount-ro 0 1\n' ;;
    esac
    [ "$1" = mbr ] || echo 'PARTUUID=00000000-0000-4000-8000-000000000015 /boot/efi vfat umask=0077 0 0'
}

# variant_fs DISK START SECTORS FOLDER OPTION...
variant_fs()
{
    local output
    output=$(E2FSPROGS_FAKE_TIME=1500000000 mke2fs -q -F "${@:5}" -d "$4" \
        -E "offset=$(($2 * 512)),root_owner=0:0,hash_seed=33333333-3333-4333-8333-333333333333" \
        "$1" "$(($3 / 2))k" 2>&1) || { echo "mke2fs: $output" >&2 && return 1; }
}

variant_put_esp()
{
    mkfs.vfat -C -i 1234ABCD "$2" 2048 >/dev/null
    dd if="$2" of="$1" bs=512 seek="$variant_esp" conv=notrunc,sparse status=none
}

# variant_change NAME DISK FILE-SYSTEM: what mke2fs alone cannot make.
variant_change()
{
    local at=$((variant_root * 512))
    variant_debugfs "$3" 'ea_set /srv/kept user.note kept'
    case $1 in
    large-dir | large-dir-1k) variant_e2fsck -fyD "$3" ;;
    nearly-full) leave_bytes "$3" "${variant_leave:-4000000}" ;;
    few-inodes) leave_inodes "$3" "${variant_leave:-100}" ;;
    full) leave_bytes "$3" "${variant_leave:-300000}" ;;
    no-inodes) leave_inodes "$3" "${variant_leave:-20}" ;;
    needs-recovery) variant_debugfs "$3" 'feature needs_recovery' ;;
    orphans) variant_debugfs "$3" 'set_super_value last_orphan 20' ;;
    error-state) variant_debugfs "$3" 'set_super_value state 3' ;;
    not-clean) variant_debugfs "$3" 'set_super_value state 0' ;;
    bad-descriptor) dd if=/dev/urandom of="$2" bs=1 count=32 seek=$((at + 4096)) conv=notrunc status=none ;;
    bad-superblock) printf x | dd of="$2" bs=1 seek=$((at + 1024 + 0x78)) conv=notrunc status=none ;;
    unknown-feature) variant_unknown_feature "$2" "$3" ;;
    encrypt) tune2fs -O encrypt "$3" >/dev/null ;;
    esac
}

# 1 stands for corrected errors, such as directories that were none.
variant_e2fsck()
{
    local status=0
    E2FSPROGS_FAKE_TIME=1500000000 e2fsck "$@" >/dev/null 2>&1 || status=$?
    [ $status -le 1 ]
}

# variant_debugfs FILE-SYSTEM COMMAND...: it ends with 0 whatever happens.
variant_debugfs()
{
    local output
    output=$(printf '%s\n' "${@:2}" | E2FSPROGS_FAKE_TIME=1500000000 debugfs -w -f - "$1" 2>&1 |
        grep -v -e '^debugfs' -e '^Allocated inode' -e '^Filesystem features:' -e '^$') || true
    [ -z "$output" ] || { echo "debugfs $1: $output" >&2 && return 1; }
}

# A bit that nobody has given a meaning, with the checksum made right.
variant_unknown_feature()
{
    local features
    features=$(od -An -N4 -tu4 -j $((variant_root * 512 + 1024 + 0x60)) "$1")
    variant_debugfs "$2" "set_super_value feature_incompat $((features | 1 << 30))"
}

# fs_value FILE-SYSTEM NAME: a line of its superblock, such as "Free blocks".
fs_value()
{
    dumpe2fs -h "$1" 2>/dev/null | sed -n "s/^$2: *//p"
}

# leave_bytes FILE-SYSTEM BYTES: one large file leaves at least this much free, and hardly more: the
# map of the file takes a few blocks, too.
leave_bytes()
{
    local block free take
    block=$(fs_value "$1" 'Block size')
    free=$(fs_value "$1" 'Free blocks')
    take=$((free - ($2 + block - 1) / block - 4))
    variant_debugfs "$1" 'write /dev/null filler' "fallocate /filler 0 $((take - 1))" \
        "set_inode_field /filler size $((take * block))"
}

# leave_inodes FILE-SYSTEM COUNT
leave_inodes()
{
    local free commands
    free=$(fs_value "$1" 'Free inodes')
    mapfile -t commands < <(seq -f 'write /dev/null fill/%.0f' $((free - $2 - 1)))
    variant_debugfs "$1" 'mkdir fill' "${commands[@]}"
}
