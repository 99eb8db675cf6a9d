#!/bin/bash
# A disk laid out as Ubuntu's cloud images, with a /boot of its own, nodebake in cloud-init's place.
set -euo pipefail
. "$(dirname "$0")/stock.sh"
stock_wants stock-ubuntu disable
. "$here/lib.sh"
. "$here/machine-checks.sh"

stock_scenario networkd disabled once
done_testing
