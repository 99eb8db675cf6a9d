#!/bin/bash
# Images on machines that they are not for: worker-0's launched as worker-1, and the role's, which
# holds no identity, as worker-0.
set -euo pipefail
wants=(worker-0 worker)
. "$(dirname "$0")/lib.sh"
. "$here/machine-checks.sh"

metadata_start "$NB_IMAGES/cluster.yaml"
vm_create stranger "$(image_of worker-0)" 10.240.0.21
vm_create role "$(image_of worker)" 10.240.0.20
vm_start stranger
vm_start role

for name in stranger role; do
    boots "$name"
    diag "$(said "$name")"
done
refused stranger 'NODE_NAME.*worker-1.*worker-0'
refused role 'identity.*worker-0'
is "$(vm_sh role 'find / -xdev -name "*worker-0*"')" '' "the role's image holds nothing of a node"
vm_kill stranger
vm_kill role
done_testing
