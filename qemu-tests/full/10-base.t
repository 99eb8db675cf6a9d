#!/bin/bash
# The bed itself: the base image boots by its own GRUB (BIOS and UEFI), gets its address, can be
# asked, and nothing leaves the network.
set -euo pipefail
wants=(base)
. "$(dirname "$0")/../lib.sh"

vm_create bios "$(image_of base)" 10.240.0.50
vm_create uefi "$(image_of base)" 10.240.0.51
vm_start bios
vm_start uefi -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd

passes "the network has no way out" net_is_closed

for name in bios uefi; do
    passes "$name: a login prompt on the serial line" vm_wait_console "$name" 'debian login:' 180
    passes "$name: the guest agent answers" vm_wait_agent "$name" 60
    is "$(vm_sh "$name" 'systemctl is-system-running --wait')" running "$name: no unit failed"
    is "$(vm_sh "$name" '[ -e /sys/firmware/efi ] && echo uefi || echo bios')" "$name" \
        "$name: firmware"
done

like "$(vm_sh bios 'ip -br address show scope global')" '10\.240\.0\.50/32' "the address by DHCP"
like "$(vm_sh bios 'ip route show default')" 'via 10\.240\.0\.1 ' "the router by DHCP"
like "$(vm_sh bios 'cat /run/systemd/netif/leases/*')" 'HOSTNAME=bios' "the host name by DHCP"
like "$(vm_sh bios 'getent hosts metadata.google.internal')" '^169\.254\.169\.254 ' \
    "the metadata service has its name"
like "$(vm_sh bios 'getent ahostsv4 uefi.c.kubernetes-the-hard-way.internal')" '^10\.240\.0\.51 ' "machines have names"
passes "machines reach each other" vm_sh bios 'ping -c 1 -W 5 10.240.0.51'
is "$(vm_sh bios 'cat /sys/class/dmi/id/product_name')" "Google Compute Engine" "DMI as on GCE"
is "$(vm_sh bios 'cat /sys/class/dmi/id/product_uuid')" "$(<"$NB_RUN/bios/uuid")" "the instance's UUID"

like "$(vm_exec bios findmnt -rno SOURCE,TARGET,FSTYPE)" '/dev/vda15 /boot/efi vfat' "the ESP is mounted"
is "$(vm_sh bios 'wc -c </etc/machine-id')" 33 "systemd filled in the empty machine-id"
like "$(vm_sh bios 'getent shadow root')" '^root:[*!]' "root cannot log in by password"
is "$(vm_sh bios 'update-grub 2>/dev/null; grep -c "root=UUID=.* ro console=tty0 console=ttyS0" /boot/grub/grub.cfg')" 2 \
    "update-grub finds the root by its UUID"

# shellcheck disable=SC2016 # nothing is to be expanded
is "$(vm_exec bios sh -c 'printf "%s " "$@"' _ 'a  b' '$HOME' "it's")" "a  b \$HOME it's " \
    "arguments reach a command as they are"
status=0
output=$(vm_sh bios 'echo out; echo err >&2; exit 3' 2>"$NB_RUN/err") || status=$?
is "$status $output $(<"$NB_RUN/err")" "3 out err" "status, output and errors of a command"
is "$(vm_exec bios head -c 300000 /dev/zero | wc -c)" 300000 "a long output is whole"

vm_sh bios 'echo kept >/root/kept'
passes "bios: powers off" vm_poweroff bios
vm_kill uefi
vm_start bios
passes "bios: boots again, with the grub.cfg that update-grub wrote" vm_wait_agent bios 180
is "$(vm_exec bios cat /root/kept)" kept "the machine keeps its disk"
passes "bios: powers off again" vm_poweroff bios
done_testing
