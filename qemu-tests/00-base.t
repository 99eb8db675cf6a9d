#!/bin/bash
# The bed itself: the base image boots by its own GRUB, gets its address, and nothing can leave.
set -euo pipefail
scenario_needs=base
. "$(dirname "$0")/lib.sh"

vm_create bare "$NB_BASE" 10.240.0.50
vm_start bare
ok "the network has no way out" net_is_closed
ok "a login prompt on the serial line" vm_wait_console bare 'debian login:' 180
ok "the guest agent answers" vm_wait_agent bare 60
done_testing
