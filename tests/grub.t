#!/usr/bin/env bash
# The kernel's line in grub.cfg as nodebake edits it, and as the real grub-mkconfig then makes it
# anew with nodebake's file in /etc/default/grub.d: the same words, however the base is configured.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
try=$PWD/${BUILD:-build}/tests/grub-try

# A system of its own for grub-mkconfig: its defaults, one kernel, and answers about disks that are
# not there.
if [ -z "${GRUB_TMP:-}" ]; then
    for tool in grub-mkconfig unshare; do
        [ -n "$(PATH=$PATH:/usr/sbin command -v $tool)" ] || { echo "1..0 # SKIP $tool is missing"; exit 0; }
    done
    GRUB_TMP=$(mktemp -d)
    export GRUB_TMP
    trap 'rm -rf "$GRUB_TMP"' EXIT
    unshare --user --map-root-user --mount bash "tests/${0##*/}"
    exit
fi
tmp=$GRUB_TMP
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$tmp/default/grub.d" "$tmp/boot/grub"
: >"$tmp/boot/vmlinuz-6.1.0-1-amd64"
: >"$tmp/boot/initrd.img-6.1.0-1-amd64"
cat >"$tmp/probe" <<'PROBE'
#!/bin/sh
case "$*" in
*target=device*) echo /dev/vda1 ;;
*target=fs_uuid*) echo 11112222-3333 ;;
*target=fs\ * | *target=fs) echo ext2 ;;
*target=partmap*) echo gpt ;;
esac
PROBE
printf '#!/bin/sh\necho "$1"\n' >"$tmp/relpath"
chmod +x "$tmp/probe" "$tmp/relpath"
mount --bind "$tmp/default" /etc/default
mount --bind "$tmp/boot" /boot
mount --bind "$tmp/probe" "$(command -v grub-probe)"
mount --bind "$tmp/relpath" "$(command -v grub-mkrelpath)"

# make FILE: grub.cfg.
make()
{
    grub-mkconfig -o "$1" >"$tmp/log" 2>&1 || diag "$(<"$tmp/log")"
}

# lines FILE: the words of its kernels, without the blanks that differ.
lines()
{
    sed -nE 's/^[[:blank:]]*linux[[:blank:]]+//p' "$1" | sed -E 's/[[:blank:]]+/ /g; s/ $//'
}

# check NAME FIRST RECOVERY [WORD...]: configured by standard input, the first kernel's words and the
# recovery entry's are these, behind those of GRUB itself; RECOVERY '-': there is no such entry.
check()
{
    local name=$1 first=$2 recovery=$3 wanted
    shift 3
    rm -f "$tmp"/default/grub.d/*
    cat >"$tmp/default/grub"
    echo 'GRUB_DISABLE_OS_PROBER=true' >>"$tmp/default/grub"
    if grep -q '^---' "$tmp/default/grub"; then
        sed '1,/^---/d' "$tmp/default/grub" >"$tmp/default/grub.d/50-cloudimg-settings.cfg"
        sed -i '/^---/,$d' "$tmp/default/grub"
    fi
    make "$tmp/base.cfg"
    "$try" edit "$@" <"$tmp/base.cfg" >"$tmp/edited.cfg"
    "$try" defaults "$@" >"$tmp/default/grub.d/90-nodebake.cfg"
    make "$tmp/again.cfg"
    wanted="/boot/vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro $first"
    wanted="$wanted"$'\n'"$wanted"
    [ "$recovery" = - ] ||
        wanted="$wanted"$'\n'"/boot/vmlinuz-6.1.0-1-amd64 root=/dev/vda1 ro single $recovery"
    is "$(lines "$tmp/edited.cfg")" "$wanted" "$name: edited"
    is "$(lines "$tmp/again.cfg")" "$wanted" "$name: by grub-mkconfig"
    "$try" edit "$@" <"$tmp/again.cfg" >"$tmp/twice.cfg"
    is "$(lines "$tmp/twice.cfg")" "$wanted" "$name: edited again"
}

serial='console=tty0 console=ttyS0,115200'

check "nothing configured" "$serial" "$serial" </dev/null
check "Debian's cloud image" "$serial earlyprintk=ttyS0,115200 consoleblank=0" \
    "$serial earlyprintk=ttyS0,115200 consoleblank=0" <<'CONF'
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200 earlyprintk=ttyS0,115200 consoleblank=0"
CONF
check "an installed Debian" "$serial panic=10 quiet" "$serial panic=10" panic=10 <<'CONF'
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
CONF
check "Ubuntu's cloud image" \
    "console=tty1 console=ttyS0 systemd.unified_cgroup_hierarchy=0 a=1 quiet" \
    "console=tty1 console=ttyS0 systemd.unified_cgroup_hierarchy=0 a=1" \
    systemd.unified_cgroup_hierarchy=0 <<'CONF'
GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"
GRUB_CMDLINE_LINUX=a=1
---
GRUB_CMDLINE_LINUX_DEFAULT="quiet console=tty1 console=ttyS0"
CONF
check "no recovery" "$serial b d a" - b d <<'CONF'
GRUB_DISABLE_RECOVERY=true
GRUB_CMDLINE_LINUX="a $(echo b)"
GRUB_CMDLINE_LINUX_DEFAULT="  d "
CONF
check "another console" "console=hvc0 console=ttyS0,115200 x" \
    "console=hvc0 console=ttyS0,115200 x" <<'CONF'
GRUB_CMDLINE_LINUX_DEFAULT="console=hvc0"
GRUB_CMDLINE_LINUX=x
CONF
check "consoles that are asked for" "console=tty0 console=ttyS0,9600 console=ttyS1 quiet" \
    "console=tty0 console=ttyS0,9600 console=ttyS1" console=ttyS0,9600 console=ttyS1 <<'CONF'
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
GRUB_CMDLINE_LINUX_DEFAULT="console=ttyS1,9600 quiet"
CONF
check "words that stand there" "$serial panic=5 quiet systemd.mask=a ip=dhcp systemd.mask=b x y" \
    "$serial panic=5 quiet systemd.mask=a ip=dhcp systemd.mask=b x" \
    panic=5 quiet systemd.mask=a ip=dhcp <<'CONF'
GRUB_CMDLINE_LINUX="panic=1 systemd.mask=b x quiet"
GRUB_CMDLINE_LINUX_DEFAULT="systemd.mask=a panic=9 y quiet"
CONF

# The file leaves nothing behind in a shell that reads it, with its options.
left=$(env -i PATH="$PATH" sh -euc '. "$1"; set' sh "$tmp/default/grub.d/90-nodebake.cfg" 2>&1)
is "$(grep nodebake <<<"$left")" "" "the file leaves no names of its own behind"
like "$left" "GRUB_CMDLINE_LINUX='console=tty0 " "and needs none to be set"
done_testing
