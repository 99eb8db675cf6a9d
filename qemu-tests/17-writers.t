#!/bin/bash
# Both writers make the same of a disk, and Linux reads what e2fsprogs see: the images of the ext4
# writer are read back in libguestfs' appliance. No machine is booted. FULL=1 takes all variants of
# file systems.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"
. "$here/../tests/artifacts.sh"
. "$here/../tests/variants.sh"
. "$here/../tests/ext4.sh"
. "$here/../tests/edited.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
nodebake=$build/nodebake
need guestfish jq
[[ -x $nodebake && -x $build/tests/tar-list ]] || die "$build is not complete: run make all tools"
work=$(mktemp -d)
trap 'child_end; rm -rf "$work"' EXIT
trap 'exit 143' TERM
export HOME=$work/home TMPDIR=$work
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
unset SOURCE_DATE_EPOCH XDG_CACHE_HOME

names=(1k boot)
[[ -z ${FULL:-} ]] || names=("${variants_good[@]}")

# by_writer NAME WRITER [OPTION]: the option of --writer that chooses it, if not its name.
by_writer()
{
    local image=$work/$2/$1.raw status=0 output
    output=$("$nodebake" build worker-0 --quiet --writer "${3:-$2}" --cluster "$work/cluster.yaml" \
        --out "$work/out" 2>&1 >/dev/null) || status=$?
    is "$status:$output" "0:" "$1: built by $2"
    mv "$work/out/worker-0.raw" "$image"
    status=0
    output=$(image_check "$1" "$image" 2>&1) || status=$?
    ok $status "$1: e2fsck finds nothing in what $2 wrote"
    [[ $status -eq 0 ]] || diag "$output"
    is "$(cd "$work" && edited "$1" base.raw "$image" "$2")" '' "$1: what $2 wrote is what the plan says"
}

# read_back DISK…: beside each disk, a tar archive of its tree.
read_back()
{
    local disk at options=()
    echo run >"$work/commands"
    for disk in "$@"; do options+=(-a "$disk"); done
    for ((at = 1; at <= $#; at++)); do
        disk=/dev/sd$(cut -c $at <<<abcdefghijklmnopqrstuvwxyz)
        printf 'mount-ro %s1 /\n' "$disk"
        [[ ${!at} != */boot.raw ]] || printf 'mount-ro %s16 /boot\n' "$disk"
        printf 'tar-out / %s.tar numericowner:true xattrs:true\numount-all\n' "${!at}"
    done >>"$work/commands"
    attended guestfish --ro --format=raw "${options[@]}" <"$work/commands"
}

# linux_tree DISK: what was read back, as lines of fs_tree without links and attributes.
linux_tree()
{
    "$build/tests/tar-list" <"$1.tar" | awk -F'\t' -v OFS='\t' '
        { print $1, $2, $3, $4, $5, sprintf("0x%08x", $6), $8 != "-" ? $8 : $10 != "-" ? $10 : "" }' |
        LC_ALL=C sort
}

mkdir "$work/ext4" "$work/guestfs"
make_artifacts "$work"
sed 's/^image: .*/image: base.raw/' "$here/../tests/golden/cluster.yaml" >"$work/cluster.yaml"
make_system "$work/system"
for name in "${names[@]}"; do
    make_variant "$name" "$work/base.raw" "$work/system"
    by_writer "$name" guestfs
    by_writer "$name" ext4
done
# What the ext4 writer does not keep up is Linux's.
make_variant bigalloc "$work/base.raw" "$work/system"
by_writer bigalloc guestfs auto

status=0
output=$(read_back "$work"/ext4/*.raw 2>&1) || status=$?
is "$status:$output" 0: "libguestfs reads what ext4 wrote"
for name in "${names[@]}"; do
    is "$(diff <(image_tree "$name" "$work/ext4/$name.raw" | cut -f 1-6,8) \
        <(linux_tree "$work/ext4/$name.raw"))" '' "$name: Linux sees in it what e2fsprogs see"
done
done_testing
