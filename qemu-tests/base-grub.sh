# shellcheck shell=bash
# shellcheck disable=SC2154 # base-layout.sh and base-disk.sh set them
# GRUB on the base's disk, without loop devices and without a device to ask. Its programs are those
# of the root folder, so that they match its modules. To be sourced after base-layout.sh.
#
#   sector 0      boot.img in the MBR's first 440 bytes: loads the sector core_start
#   core_start    core.img, whose first sector loads the rest from the next one
#   ESP           EFI/BOOT/BOOTX64.EFI
#
# The uuid of each file system is in `uuid`, by the role of its partition.

# Where /boot lies: the role of its partition, and its path there.
grub_home() { if has_part boot; then echo boot; else echo root; fi; }
grub_path() { if has_part boot; then echo ''; else echo /boot; fi; }

# grub_install_files ROOT: modules into /boot/grub, and a core image a platform, which finds their
# file system by its UUID.
grub_install_files() {
    local root=$1 platform dir partmap=part_gpt
    [[ $table == gpt ]] || partmap=part_msdos
    for platform in i386-pc x86_64-efi; do
        dir=boot/grub/$platform
        mkdir -p "$root/$dir"
        cp "$root/usr/lib/grub/$platform"/*.{mod,lst} "$root/$dir"
        # shellcheck disable=SC2016 # GRUB's variable
        printf 'search.fs_uuid %s root\nset prefix=($root)%s/grub\n' "${uuid[$(grub_home)]}" \
            "$(grub_path)" >"$root/$dir/load.cfg"
    done
    cp "$root/usr/lib/grub/i386-pc/boot.img" "$root/boot/grub/i386-pc/"
    grub_mkimage "$root" i386-pc core.img biosdisk "$partmap"
    grub_mkimage "$root" x86_64-efi core.efi fat "$partmap"
}

# grub_mkimage ROOT PLATFORM FILE MODULE…
grub_mkimage() {
    local root=$1 dir=/boot/grub/$2
    chroot "$root" grub-mkimage --format "$2" --prefix "$(grub_path)/grub" \
        --config "$dir/load.cfg" --output "$dir/$3" ext2 search search_fs_uuid "${@:4}"
}

# grub_make_config ROOT: grub-mkconfig as in the guest. It asks grub-probe about devices and
# grub-mkrelpath about mounts, which are not there yet; so for that time other programs, and a /dev
# with nothing but what is looked for, lie over them.
grub_make_config() {
    local root=$1 device by_uuid wanted
    device=$(layout_device root) by_uuid=/dev/disk/by-uuid/${uuid[root]} wanted=UUID=${uuid[root]}
    [[ $names != partuuid ]] || wanted=PARTUUID=${part_uuid[root]}
    grub_probe_answers >"$root/probe"
    printf '#!/bin/sh\n%s\n' "$(has_part boot && echo "echo \"\${1#/boot}\"" || echo "echo \"\$1\"")" \
        >"$root/relpath"
    chmod 0755 "$root/probe" "$root/relpath"
    mount --bind "$root/probe" "$root/usr/sbin/grub-probe"
    mount --bind "$root/relpath" "$root/usr/bin/grub-mkrelpath"
    mount -t tmpfs none "$root/dev"
    mkdir -p "$root${device%/*}" "$root${by_uuid%/*}"
    : >"$root$device"
    : >"$root$by_uuid"
    : >"$root/dev/null"
    chroot "$root" grub-mkconfig -o /boot/grub/grub.cfg
    umount "$root/dev" "$root/usr/sbin/grub-probe" "$root/usr/bin/grub-mkrelpath"
    rm "$root/probe" "$root/relpath"
    [[ -z $volume_group ]] || wanted=$device
    grep -q "root=$wanted ro" "$root/boot/grub/grub.cfg" ||
        die "grub-mkconfig made no entry for the root"
    [[ $kernel_label == no ]] ||
        sed -i "s/root=$wanted ro/root=LABEL=${part_label[root]} ro/" "$root/boot/grub/grub.cfg"
}

# grub_probe_answers: a grub-probe that knows this disk.
grub_probe_answers() {
    local home abstraction=
    home=$(grub_home)
    [[ -z $volume_group ]] || abstraction=lvm
    cat <<PROBE
#!/bin/sh
case "\$*" in
*target=device*/boot*) echo $(layout_device "$home") ;;
*target=device*) echo $(layout_device root) ;;
*fs_uuid*$(layout_device "$home")* | *$(layout_device "$home")*fs_uuid*) echo ${uuid[$home]} ;;
*fs_uuid*) echo ${uuid[root]} ;;
*partuuid*) echo ${part_uuid[root]} ;;
*target=fs*) echo ext2 ;;
*partmap*) echo ${table/dos/msdos} ;;
*$(layout_device root)*abstraction*) echo $abstraction ;;
*abstraction* | *hints_string* | *compatibility_hint*) ;;
*) exit 1 ;;
esac
PROBE
}

# grub_put_bios_loader ROOT DISK: what grub-bios-setup does to a device: the address of core.img goes
# into boot.img, that of core.img's second sector into the list at the end of its first; and boot.img
# no longer doubts the drive number that the BIOS gives.
grub_put_bios_loader() {
    local boot=$1/boot/grub/i386-pc/boot.img core=$1/boot/grub/i386-pc/core.img
    [[ $(stat -c %s "$core") -le $((core_size * 512)) ]] || die "core.img is larger than its place"
    dd if="$boot" of="$2" bs=440 count=1 conv=notrunc status=none
    le64 $((core_start)) | put_bytes "$2" $((0x5c))
    printf '\x90\x90' | put_bytes "$2" $((0x66))
    dd if="$core" of="$2" bs=512 seek=$((core_start)) conv=notrunc status=none
    le64 $((core_start + 1)) | put_bytes "$2" $((core_start * 512 + 0x1f4))
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
