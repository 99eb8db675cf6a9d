#!/bin/bash
# A cloud image with ifupdown and dhclient on a disk with an MBR, nodebake in cloud-init's place.
set -euo pipefail
. "$(dirname "$0")/../stock.sh"
stock_wants stock-old disable
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario ifupdown disabled
done_testing
