# shellcheck shell=bash
# The root folder of the base image: what a stock Debian cloud image has and the tests need.

root_packages=(
    linux-image-cloud-amd64 initramfs-tools systemd systemd-sysv systemd-resolved dbus udev
    grub2-common grub-pc-bin grub-efi-amd64-bin e2fsprogs iproute2 iputils-ping kmod procps
    ca-certificates
    # The machine's own way to be asked without a network.
    qemu-guest-agent
    # What a worker needs and nodebake looks for.
    socat conntrack ipset iptables
)

# Those of them that a variant of the base is to be made without.
root_lacks=()

# root_make ROOT SOURCES LIST CONFIGURE [PACKAGE…]: makes the folder, with these packages too; has
# the command CONFIGURE set up the network and what else, and writes the versions of all packages to
# LIST.
root_make() {
    local package packages=("${@:5}")
    for package in "${root_packages[@]}"; do
        [[ " ${root_lacks[*]} " == *" $package "* ]] || packages+=("$package")
    done
    say "root: mmdebstrap"
    # shellcheck disable=SC2154 # suite is cache.sh's
    TMPDIR=$(dirname "$1") mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
        --skip=output/dev,chroot/mount/sys --include="$(IFS=, && printf '%s' "${packages[*]}")" \
        "$suite" "$1" - <"$2"
    root_write_configs "$1"
    $4 "$1"
    chroot "$1" dpkg-query -W >"$3"
}

root_write_configs() {
    printf 'debian\n' >"$1/etc/hostname"
    printf '127.0.0.1\tlocalhost\n127.0.1.1\tdebian\n' >"$1/etc/hosts"
    : >"$1/etc/machine-id"
    ln -sfn ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
    cat >"$1/etc/apt/sources.list" <<CONF
deb http://deb.debian.org/debian $suite main
deb http://deb.debian.org/debian $suite-updates main
deb http://deb.debian.org/debian-security $suite-security main
CONF
    cat >"$1/etc/default/grub" <<'CONF'
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --speed=115200"
GRUB_DISABLE_OS_PROBER=true
CONF
}

# root_use_networkd ROOT: alone.
root_use_networkd() {
    cat >"$1/etc/systemd/network/80-dhcp.network" <<'CONF'
[Match]
Name=en* eth*

[Network]
DHCP=ipv4
LinkLocalAddressing=ipv6

[DHCPv4]
ClientIdentifier=mac
CONF
    chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved
}

# root_pack FOLDER: a tar archive of it. The host's /dev is not the image's, and mmdebstrap leaves
# nodes in it.
root_pack() {
    tar -C "$1" --numeric-owner --xattrs --xattrs-include='*' --sort=name --exclude='./dev/*' \
        --exclude='./run/*' --exclude='./tmp/*' -c .
}

# root_unpack ARCHIVE FOLDER
root_unpack() {
    mkdir "$2"
    tar -C "$2" --numeric-owner --xattrs --xattrs-include='*' -xpf "$1"
}
