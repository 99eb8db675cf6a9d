#!/bin/bash
# Debian 12's cloud image, nodebake in cloud-init's place; and two machines of one image.
set -euo pipefail
. "$(dirname "$0")/stock.sh"
stock_wants stock-debian disable
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario networkd disabled
second_instance
done_testing
