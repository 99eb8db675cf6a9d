#!/bin/bash
# On GCE and on AWS, with the image of all workers: the same instance boots again: firstboot has nothing to
# do. Its disk, captured as an image and launched as another node's instance: that one is finished anew,
# under its own name and identity, and nothing of the first is left.
set -euo pipefail
wants=(worker)
if [[ -z ${NB_RUN:-} ]]; then
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    export NB_TEMPLATE=${BUILD:-$here/../build}/qemu/captured/cluster.yaml.in
    mkdir -p "$(dirname "$NB_TEMPLATE")"
    sed 's/^identity: .*/identity: bootstrap/; /^    labels: /d' "$here/cluster.yaml.in" >"$NB_TEMPLATE"
fi
. "$(dirname "$0")/../lib.sh"
. "$here/machine-checks.sh"

# identity NAME: the stamp's line.
identity() {
    local uuid
    uuid=$(<"$NB_RUN/$1/uuid")
    if [[ $vm_platform == gce ]]; then
        printf 'identity product_uuid:%s\n' "$uuid"
    else
        uuid=${uuid//-/}
        printf 'identity board_asset_tag:i-%s\n' "${uuid:0:17}"
    fi
}

# finished NAME NODE NETWORK: a first boot as that node.
finished() {
    boots "$1"
    like "$(said "$1")" "^nodebake: node $2 is ready: [0-9]+ files, [0-9]+ units, source $vm_platform, [0-9]+ ms\$" \
        "$1: a first boot finishes $2"
    like "$(vm_sh "$1" 'cat /var/lib/nodebake/stamp')" "$(identity "$1")"$'\n'"(.*"$'\n'")*node $2" \
        "$1: the stamp is the instance's, and its node's"
    is "$(vm_sh "$1" 'cat /etc/hostname; hostname')" "$2"$'\n'"$2" "$1: its host name"
    like "$(vm_sh "$1" 'cat /var/lib/kubelet/kubelet-config.yaml')" "podCIDR: \"?${3//./\\.}" "$1: the metadata's pod CIDR"
}

# sent NAME: how many packets the machine has sent when firstboot is done, before the real root's manager
# starts.
sent() {
    vm_wait_console "$1" 'scripts/init-bottom' 300
    ip -s -j link show "$(<"$NB_RUN/$1/tap")" | jq '.[0].stats64.rx.packets'
}

# instances PLATFORM
instances() {
    local vm_platform=$1 first=$1-first second=$1-second id other
    vm_create "$first" "$(image_of worker)" 10.240.0.20
    vm_start "$first"
    like "$(sent "$first")" '^[1-9]' "$first: asks by the network"
    finished "$first" worker-0 10.200.0.0/24
    is "$(vm_sh "$first" 'systemctl is-active containerd nodebake-firstboot')" $'active\nactive' "$first: services run"
    id=$(vm_sh "$first" 'cat /etc/machine-id')
    # What a kubelet that has joined keeps.
    passes "$first: has a certificate" vm_sh "$first" 'cd /var/lib/kubelet && mkdir -p pki &&
        echo secret >pki/kubelet-client-current.pem && echo secret >kubeconfig && sync'
    passes "$first: powers off" vm_poweroff "$first"

    vm_start "$first"
    is "$(sent "$first")" 0 "$first: the same instance again: it sends no packet"
    boots "$first"
    is "$(said "$first" | grep -v 'nodebake: kubelet: ' || true)" \
        "nodebake: node worker-0 was finished before, by source $1; nothing to do" \
        "$first: the same instance again: nothing to do"
    is "$(vm_sh "$first" 'cat /etc/machine-id')" "$id" "$first: it keeps its machine-id"
    is "$(vm_sh "$first" 'cat /var/lib/kubelet/pki/kubelet-client-current.pem')" secret "$first: and its certificate"
    passes "$first: powers off again" vm_poweroff "$first"

    qemu-img convert -O qcow2 "$NB_RUN/$first/disk.qcow2" "$NB_RUN/$first/captured.qcow2"
    vm_create "$second" "$NB_RUN/$first/captured.qcow2" 10.240.0.21
    vm_start "$second"
    finished "$second" worker-1 10.200.1.0/24
    other=$(vm_sh "$second" 'cat /etc/machine-id')
    like "$other" '^[0-9a-f]{32}$' "$second: it has a machine-id"
    is "$(grep -c "$id" <<<"$other")" 0 "$second: of its own"
    is "$(vm_sh "$second" 'grep -l secret /var/lib/kubelet/kubeconfig /var/lib/kubelet/pki/* 2>/dev/null; echo looked')" looked \
        "$second: nothing of worker-0's kubelet is left"
    is "$(vm_sh "$second" 'grep -rlw worker-0 /etc /var/lib/kubelet 2>/dev/null; echo looked')" looked "$second: nor its name"
    passes "$second: powers off" vm_poweroff "$second"
    rm "$NB_RUN/dhcp/hosts/$first" "$NB_RUN/dhcp/hosts/$second"
}

metadata_start "$NB_IMAGES/cluster.yaml"
instances gce
instances aws
done_testing
