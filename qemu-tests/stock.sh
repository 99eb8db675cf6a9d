# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # lib.sh reads what is set here, and sets the rest
# What scenarios with stock bases share: worker-0's image of such a base, with a user, on a disk of
# twice its size; looked at, logged in to, and booted again in a network that gives it another name.
# A scenario calls stock_wants before it sources lib.sh, and the others behind that.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
stock_folder=$(realpath -m -- "${BUILD:-$here/../build}")/qemu/stock

# The machine's name for the lab, which is not the node's: that is what DHCP tells it at first.
vm=lab-machine
address=10.240.0.20
# What GCE tells machines of projects with long names.
foreign_name=intruder.c.a-project-whose-name-is-as-long-as-they-get.example-organisation.internal

# stock_wants BASE CLOUD-INIT
stock_wants() {
    local name
    need ssh ssh-keygen setsid flock
    mkdir -p "$stock_folder"
    # Scenarios that run side by side make the keys once.
    (
        flock 9
        for name in user metadata stranger; do
            [[ -e $stock_folder/$name.pub ]] ||
                ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$stock_folder/$name"
        done
    ) 9>"$stock_folder/lock"
    wants=(worker-0)
    NB_BASE=$1
    NB_ADDS="cloudInit: $2
access:
  user: ops
  keys: ['$(<"$stock_folder/user.pub")']
  metadata: true"
    export NB_BASE NB_ADDS
    printf "%s:$(<"$stock_folder/metadata.pub")\n" ops debian >"$stock_folder/metadata-keys"
}

# run SCRIPT: as root, by the guest agent.
run() { vm_sh "$vm" "$1"; }

# login KEY USER [SSH-ARGUMENT…]: over the lab's network, to the machine whose host keys the agent told.
login() {
    ssh -F none -i "$stock_folder/$1" -o IdentitiesOnly=yes -o ConnectTimeout=20 \
        -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$NB_RUN/known_hosts" \
        -o GlobalKnownHostsFile=/dev/null "$2@$address" "${@:3}"
}

host_keys() { run 'cat /etc/ssh/ssh_host_*_key.pub' | cut -d ' ' -f 1,2; }

# starts: and says how long it took.
starts() {
    local began=$SECONDS
    vm_start "$vm"
    boots "$vm"
    diag "$(said "$vm")"
    diag "agent after $((SECONDS - began)) s"
    is "$(run 'systemctl is-system-running --wait >/dev/null; systemctl --failed --plain --no-legend')" \
        '' "no unit failed"
    diag "$(run 'systemd-analyze time; systemd-analyze blame | head -n 6')"
}

clean_image() {
    local image
    image=$(image_of worker-0)
    passes "inspect finds nothing wrong with the image" "$nodebake" inspect --quiet "$image"
    is "$("$nodebake" inspect --json --quiet "$image" | jq -r '.hygiene | .machineId,
        (to_entries[] | select(.value | type == "object" and .count > 0) | .key)')" \
        uninitialized "the image is clean"
}

first_boot() {
    metadata_start "$NB_IMAGES/cluster.yaml" --ssh-keys "$stock_folder/metadata-keys"
    vm_create "$vm" "$(image_of worker-0)" "$address" 6G
    starts
    like "$(said "$vm")" '^nodebake: node worker-0 is ready: ' "firstboot says that the node is ready"
    passes "containerd becomes active" becomes "$vm" 120 active 'systemctl is-active containerd'
    passes "kubelet's resolvConf exists" run \
        "test -s \$(sed -n 's/^resolvConf: *\"\\?\\([^\"]*\\).*/\\1/p' /var/lib/kubelet/kubelet-config.yaml)"
}

# network_is MANAGER: who got the address.
network_is() {
    like "$(run 'ip -br address show scope global')" "$address/" "the address by DHCP"
    like "$(run 'ip route show default')" 'via 10\.240\.0\.1 ' "the router by DHCP"
    like "$(run 'getent hosts metadata.google.internal')" '^169\.254\.169\.254 ' "names are resolved"
    case $1 in
    networkd)
        like "$(run 'networkctl --no-pager --no-legend list')" 'routable +configured' "by networkd"
        ;;
    ifupdown)
        passes "by dhclient" run 'pgrep -x dhclient'
        is "$(run 'systemctl is-active networking')" active "by networking.service"
        ;;
    esac
}

# named WHEN: the host name is the node's, everywhere.
named() {
    is "$(run 'hostname; cat /etc/hostname; hostnamectl hostname; uname -n')" \
        $'worker-0\nworker-0\nworker-0\nworker-0' "$1: the host name is the node's"
    like "$(run 'getent ahostsv4 worker-0')" "^$address " "$1: it resolves to the node's address"
    is "$(run 'grep -rlE "intruder|lab-machine" /etc/hostname /etc/hosts')" '' \
        "$1: the network's name is in no file"
}

# access_by_key
access_by_key() {
    local message
    host_keys | sed "s/^/$address /" >"$NB_RUN/known_hosts"
    is "$(login user ops id -un 2>&1)" ops "ops logs in with the key"
    is "$(login user ops sudo -n id -u 2>&1)" 0 "and becomes root with sudo"
    is "$(login metadata ops id -un 2>&1)" ops "ops logs in with a key of the metadata"
    like "$(login stranger ops true 2>&1)" 'Permission denied \(publickey\)' "another key is refused"
    like "$(login user root true 2>&1)" 'Permission denied \(publickey\)' "root is refused"
}

# No password opens it, not even the right one.
no_password() {
    local password=correct-horse
    run "cp -p /etc/shadow /root/shadow && echo 'ops:$password' | chpasswd"
    printf '#!/bin/sh\necho %s\n' "$password" >"$NB_RUN/askpass"
    chmod 0755 "$NB_RUN/askpass"
    like "$(SSH_ASKPASS=$NB_RUN/askpass SSH_ASKPASS_REQUIRE=force login stranger ops \
        -o PreferredAuthentications=password,keyboard-interactive true 2>&1)" \
        'Permission denied \(publickey\)' "the right password is refused"
    run 'mv /root/shadow /etc/shadow'
    is "$(run "sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication|permitrootlogin) ' | sort")" \
        $'kbdinteractiveauthentication no\npasswordauthentication no\npermitrootlogin no' \
        "sshd takes keys only"
}

# grown: partition, file system and the second GPT are at the end of the disk.
grown() {
    local disk part blocks
    disk=$(run 'lsblk -bdno SIZE /dev/vda')
    is "$disk" $((6 << 30)) "the disk has twice the image's size"
    part=$(run 'echo $(($(cat /sys/class/block/vda1/start) + $(cat /sys/class/block/vda1/size)))')
    ok $((part < disk / 512 - 2048 * 2)) "the root partition reaches its end ($part sectors)"
    blocks=$(run 'dumpe2fs -h /dev/vda1 2>/dev/null | sed -n "s/^Block count: *//p"')
    is "$((blocks / 8))" "$(($(run 'cat /sys/class/block/vda1/size') / 64))" \
        "the file system fills the partition"
    if [[ $(run 'lsblk -dno PTTYPE /dev/vda') == gpt ]]; then
        is "$(run "tail -c 512 /dev/vda | head -c 8")" 'EFI PART' "the second GPT is at the end"
    fi
    like "$(run 'sfdisk --verify /dev/vda 2>&1')" 'No errors detected' "sfdisk finds the table in order"
}

# cloud_init_is disabled|done
cloud_init_is() {
    local status
    status=$(run 'cloud-init status --wait')
    like "$status" "status: $1" "cloud-init is $1"
    if [[ $1 == disabled ]]; then
        is "$(run 'ls /var/lib/cloud/instances /run/cloud-init/result.json 2>/dev/null')" '' \
            "cloud-init left no state"
    else
        is "$(login metadata debian sudo -n id -u 2>&1)" 0 "its own user logs in and becomes root"
    fi
}

# boots_again: in a network that calls it something else.
boots_again() {
    local hosts keys machine_id
    hosts=$(run 'cat /etc/hosts')
    keys=$(host_keys)
    machine_id=$(run 'cat /etc/machine-id')
    net_rename_host "$vm" "$foreign_name"
    passes "powers off" vm_poweroff "$vm"
    starts
    like "$(grep -F 'option: 12 hostname' "$NB_RUN/dnsmasq.log" | tail -n 1)" \
        "hostname +$foreign_name" "DHCP told another host name"
    named "second boot"
    is "$(run 'cat /etc/hosts')" "$hosts" "second boot: /etc/hosts is as it was"
    is "$(host_keys)" "$keys" "second boot: the host keys are as they were"
    is "$(run 'cat /etc/machine-id')" "$machine_id" "second boot: so is the machine-id"
    is "$(login user ops sudo -n id -u 2>&1)" 0 "second boot: ops logs in and becomes root"
}

# used_disk: powers off; what ran is still what was built.
used_disk() {
    passes "powers off again" vm_poweroff "$vm"
    passes "inspect finds nothing wrong with the disk" "$nodebake" inspect --quiet \
        "$NB_RUN/$vm/disk.qcow2"
    is "$("$nodebake" inspect --json --quiet "$NB_RUN/$vm/disk.qcow2" | jq -r .nodebake.booted.node)" \
        worker-0 "and says that it was booted"
}

# stock_scenario MANAGER CLOUD-INIT [once]: a first boot and a second one; with `once` that only when
# FULL=1. cloud-init is `disabled` or `done`.
stock_scenario() {
    clean_image
    first_boot
    network_is "$1"
    named "first boot"
    access_by_key
    no_password
    grown
    cloud_init_is "$2"
    if [[ ${3:-} != once || ${FULL:-0} -eq 1 ]]; then
        boots_again
        cloud_init_is "$2"
    fi
    used_disk
}

# second_instance: another machine with the same image has keys of its own.
second_instance() {
    local first
    first=$(cut -d ' ' -f 2,3 "$NB_RUN/known_hosts")
    net_forget_host "$vm"
    vm=lab-machine-2
    vm_create "$vm" "$(image_of worker-0)" "$address"
    vm_start "$vm"
    passes "another machine: the guest agent answers" vm_wait_agent "$vm" 300
    passes "another machine: sshd becomes active" becomes "$vm" 120 active 'systemctl is-active ssh'
    is "$(host_keys | sort - <(printf '%s\n' "$first") | uniq -d)" '' \
        "another machine has other host keys"
    vm_kill "$vm"
}
