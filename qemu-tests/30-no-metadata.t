#!/bin/bash
# worker-0's image where metadata cannot be had: one machine reaches an address where nobody
# listens, the other gets no lease. Both come up to a login prompt, with nothing enabled.
set -euo pipefail
wants=(worker-0 worker)
. "$(dirname "$0")/lib.sh"
. "$here/machine-checks.sh"

vm_create no-service "$(image_of worker-0)" 10.240.0.20
vm_create no-lease "$(image_of worker-0)" 10.240.0.21
net_forget_host no-lease
vm_start no-service
vm_start no-lease

for name in no-service no-lease; do
    boots "$name"
    diag "$(said "$name")"
done
refused no-service 'firstboot: gce: .*169\.254\.169\.254'
refused no-lease 'firstboot: gce: '
vm_kill no-service
vm_kill no-lease
done_testing
