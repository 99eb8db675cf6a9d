#!/bin/bash
# Debian 12's cloud image, with cloud-init in charge.
set -euo pipefail
. "$(dirname "$0")/stock.sh"
stock_wants stock-debian keep
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario networkd 'done' once
done_testing
