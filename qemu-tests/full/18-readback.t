#!/bin/bash
# Images of every base, read back through libguestfs: what the plan lists is there, all else is as
# in the base, and both writers make the same of one base. No machine is booted.
set -euo pipefail
. "$(dirname "$0")/../host.sh"
. "$here/../tests/tap.sh"

nodebake=$(realpath -- "${BUILD:-$here/../build}")/nodebake
need jq
[[ -x $nodebake ]] || die "$nodebake is not there: run make"
work=$(mktemp -d)
trap 'child_end; rm -rf "$work"' EXIT
trap 'exit 143' TERM
unset SOURCE_DATE_EPOCH
components=$("$here/make-components")

# built BASE WRITER: what a build made of the base says; the lists are kept.
built() {
    local base=$work/$1 read=$work/$1/image image=$work/$1/out/worker-0.raw
    [[ ! -d $work/$1/kept/base ]] || image_base=$work/$1/kept/base
    "$nodebake" build worker-0 --quiet --writer "$2" --cluster "$base/cluster.yaml" --out "$base/out" \
        >&2
    attended "$here/readback-diff" --keep "$base/kept" "$base/plan.json" "$image_base" "$image"
    rm -r "$base/out"
    mv "$base/kept/image" "$read-$2"
}

# reads_as_planned BASE WRITER
reads_as_planned() {
    local status=0 said
    said=$(built "$@" 2>&1) || status=$?
    ok $status "$1: what $2 wrote is what the plan says"
    diag "$said"
}

# base_prepare NAME MAKE-BASE-OPTION…
base_prepare() {
    local name=$1
    shift
    image_base=$("$here/make-base" "$@")
    mkdir "$work/$name"
    sed "s|@BASE@|$image_base|; s|@COMPONENTS@|$components|" "$here/cluster.yaml.in" \
        >"$work/$name/cluster.yaml"
    "$nodebake" plan worker-0 --json --cluster "$work/$name/cluster.yaml" >"$work/$name/plan.json"
}

base_prepare bookworm
reads_as_planned bookworm ext4
reads_as_planned bookworm guestfs
is "$(diff "$work"/bookworm/image-{ext4,guestfs}/list)" '' \
    "bookworm: both writers make the same, entry by entry"
base_prepare ubuntu --layout ubuntu
reads_as_planned ubuntu ext4
base_prepare trixie --suite trixie
reads_as_planned trixie ext4
base_prepare lvm-xfs --layout lvm-xfs
reads_as_planned lvm-xfs auto
done_testing
