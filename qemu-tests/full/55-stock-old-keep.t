#!/bin/bash
# A cloud image with ifupdown, with cloud-init in charge.
set -euo pipefail
. "$(dirname "$0")/../stock.sh"
stock_wants stock-old keep
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario ifupdown 'done'
done_testing
