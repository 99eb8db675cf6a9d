#!/bin/bash
# Debian 13's cloud image, nodebake in cloud-init's place.
set -euo pipefail
. "$(dirname "$0")/../stock.sh"
stock_wants stock-trixie disable
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario networkd disabled
done_testing
