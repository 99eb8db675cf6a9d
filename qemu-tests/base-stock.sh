# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for base-layout.sh, base-disk.sh and make-base
# Systems set up as the distributions' own cloud images are: cloud-init looks after network, access,
# host keys and growth. To be sourced after base-root.sh.
#
#              network                       root      grows by             host names of the net
#   debian     netplan with a file for all   PARTUUID  initramfs, growfs    networkd and hostnamed
#   debian-11  ifupdown, dhclient            PARTUUID  initramfs, growfs    dhclient
#   ubuntu     netplan without a file        LABEL     cloud-init           networkd and hostnamed
#
# A stock sets `stock_packages` and what base-layout.sh lets it, and has a function
# stock_configure_NAME.

stocks=(debian debian-11 ubuntu)

# stock_use NAME
stock_use() {
    stock_packages=(
        cloud-init openssh-server sudo libpam-systemd libnss-myhostname unattended-upgrades apparmor
        zstd apt-utils init netbase
    )
    case $1 in
    debian)
        names=partuuid root_options=rw,discard,errors=remount-ro,x-systemd.growfs
        # networkd sets host names with polkitd's consent.
        stock_packages+=(netplan.io polkitd cloud-initramfs-growroot systemd-timesyncd)
        ;;
    debian-11)
        names=partuuid root_options=rw,discard,errors=remount-ro,x-systemd.growfs
        stock_packages+=(ifupdown isc-dhcp-client cloud-initramfs-growroot chrony logrotate rsyslog)
        root_lacks+=(systemd-resolved)
        ;;
    ubuntu)
        names=label root_options=discard,commit=30,errors=remount-ro kernel_label=yes
        stock_packages+=(netplan.io polkitd cloud-guest-utils systemd-timesyncd logrotate rsyslog)
        ;;
    esac
}

# stock_configure NAME ROOT
stock_configure() {
    "stock_configure_${1//-/_}" "$2"
    stock_clean "$2"
}

stock_configure_debian() {
    local kind
    stock_default_user "$1" debian Debian
    stock_grub_by_partuuid "$1"
    ln -sfn /run/systemd/resolve/resolv.conf "$1/etc/resolv.conf"
    printf 'network:\n    version: 2\n    ethernets:\n' >"$1/etc/netplan/90-default.yaml"
    for kind in en eth; do
        cat <<YAML
        all-$kind:
            match:
                name: $kind*
            dhcp4: true
            dhcp4-overrides:
                use-domains: true
            dhcp6: true
            dhcp6-overrides:
                use-domains: true
YAML
    done >>"$1/etc/netplan/90-default.yaml"
    chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved
}

stock_configure_debian_11() {
    stock_default_user "$1" debian Debian
    stock_grub_by_partuuid "$1"
    rm -f "$1/etc/resolv.conf" && : >"$1/etc/resolv.conf"
    cat >"$1/etc/network/interfaces" <<'CONF'
auto lo
iface lo inet loopback

source /etc/network/interfaces.d/*
CONF
    chroot "$1" systemctl --quiet enable networking
}

stock_configure_ubuntu() {
    stock_default_user "$1" ubuntu Ubuntu
    printf 'PasswordAuthentication no\n' >"$1/etc/ssh/sshd_config.d/60-cloudimg-settings.conf"
    mkdir -p "$1/etc/default/grub.d"
    cat >"$1/etc/default/grub.d/50-cloudimg-settings.cfg" <<'CONF'
GRUB_CMDLINE_LINUX=
GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"
GRUB_TERMINAL=console
CONF
    chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved
}

stock_grub_by_partuuid() {
    mkdir -p "$1/etc/default/grub.d"
    printf 'GRUB_DISABLE_LINUX_UUID=true\nGRUB_DISABLE_LINUX_PARTUUID=\n' \
        >"$1/etc/default/grub.d/10_cloud.cfg"
}

# stock_default_user ROOT NAME GECOS: whom cloud-init adds.
stock_default_user() {
    cat >"$1/etc/cloud/cloud.cfg.d/01_$2_cloud.cfg" <<YAML
system_info:
  default_user:
    name: $2
    gecos: $3
    groups: [adm, audio, cdrom, dialout, dip, floppy, plugdev, sudo, video]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
    lock_passwd: true
YAML
}

# stock_clean ROOT: what building an image leaves and does last.
stock_clean() {
    : >"$1/etc/hostname"
    printf 'LANG=C.UTF-8\n' >"$1/etc/default/locale"
    rm -f "$1"/etc/ssh/ssh_host_* "$1/var/lib/dbus/machine-id"
    rm -rf "$1/var/log/apt" "$1"/var/log/{alternatives,bootstrap,dpkg}.log
}
