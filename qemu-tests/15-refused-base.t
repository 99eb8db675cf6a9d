#!/bin/bash
# A base image that lacks packages is refused before anything is written. It needs no machine.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
need jq
[[ -x $build/nodebake ]] || die "$build/nodebake is not there: run make"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM

lacking=$("$here/make-base" --without conntrack,ipset)
components=$("$here/make-components")
sed "s|@BASE@|$lacking|; s|@COMPONENTS@|$components|" "$here/cluster.yaml.in" >"$work/cluster.yaml"
before=$(sha256sum <"$lacking")

status=0
said=$("$build/nodebake" build worker-0 --cluster "$work/cluster.yaml" --out "$work/out" --quiet 2>&1) ||
    status=$?
is "$status" 1 "a base without conntrack and ipset is refused"
like "$said" '(^|[^a-z])conntrack([^a-z]|$)' "conntrack is named"
like "$said" '(^|[^a-z])ipset([^a-z]|$)' "ipset is named"
status=0
[[ ! $said =~ socat|iptables ]] || status=1
ok $status "what is installed is not named"
is "$(find "$work/out" -type f -size +0 2>/dev/null)" '' "no image is left"
is "$(sha256sum <"$lacking")" "$before" "the base image is as it was"
diag "$said"
done_testing
