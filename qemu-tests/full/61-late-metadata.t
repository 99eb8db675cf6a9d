#!/bin/bash
# worker-0 where the network and the metadata service are slow to come: a first NIC that leads nowhere,
# a service that is there after 20 seconds, and one that answers 404 to everything at first.
set -euo pipefail
wants=(worker-0)
. "$(dirname "$0")/../lib.sh"
. "$here/machine-checks.sh"

# asks NAME: firstboot is about to ask.
asks() { passes "$1: the root is mounted" vm_wait_console "$1" 'scripts/local-bottom' 300; }

# finishes NAME [SOURCE]: within the contract's minute.
finishes() {
    passes "$1: firstboot ends" vm_wait_console "$1" 'nodebake: ' 120
    like "$(said "$1")" "^nodebake: node worker-0 is ready: 8 files, 4 units, source ${2:-gce}, [0-9]+ ms\$" \
        "$1: the node is finished"
}

vm_create late "$(image_of worker-0)" 10.240.0.20
vm_start late
asks late
sleep 20
metadata_start "$NB_IMAGES/cluster.yaml"
finishes late
vm_kill late
kill "$metadata_pid"
wait "$metadata_pid" || true
rm "$NB_RUN/dhcp/hosts/late"

# early PLATFORM: the service's port answers, and says of all that it is not there.
early() {
    local vm_platform=$1 name=not-yet-$1 nothing_pid
    printf 'HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n' \
        >"$NB_RUN/404"
    socat TCP-LISTEN:80,bind=169.254.169.254,reuseaddr,fork "SYSTEM:head -n 1 >&2; cat $NB_RUN/404" 2>/dev/null &
    nothing_pid=$!
    vm_create "$name" "$(image_of worker-0)" 10.240.0.20
    vm_start "$name"
    asks "$name"
    is "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' http://169.254.169.254/)" 404 "$name: the service says 404"
    sleep 15
    is "$(said "$name")" '' "$name: which is no answer yet"
    kill "$nothing_pid"
    wait "$nothing_pid" || true
    metadata_start "$NB_IMAGES/cluster.yaml"
    finishes "$name" "$1"
    vm_kill "$name"
    kill "$metadata_pid"
    wait "$metadata_pid" || true
    rm "$NB_RUN/dhcp/hosts/$name"
}
early gce
early aws

metadata_start "$NB_IMAGES/cluster.yaml"
vm_create two-nics "$(image_of worker-0)" 10.240.0.20
# Before the other one on the bus.
vm_drive=(-netdev hubport,id=dead,hubid=1 -device virtio-net-pci,netdev=dead,mac=42:01:0a:f0:00:63,romfile=
    -drive "if=none,id=disk,file=$NB_RUN/two-nics/disk.qcow2,format=qcow2,cache=unsafe,discard=unmap")
vm_start two-nics
finishes two-nics
vm_kill two-nics
done_testing
