#!/usr/bin/env bash
# The ext4 writer on file systems of many kinds: after a build e2fsck finds nothing, what the plan
# says is there, and all else is as it was. Those that must not be edited are refused. FULL=1 takes
# all of them.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
. tests/ext4.sh
. tests/edited.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
export HOME=$tmp/home TMPDIR=$tmp
unset SOURCE_DATE_EPOCH XDG_CACHE_HOME
cd "$tmp" || exit 1

# build OPTION...: sets status and err.
build()
{
    "$nodebake" build worker-0 --quiet "$@" >out.log 2>err.log
    status=$?
    err=$(<err.log)
}

# good NAME WRITER
good()
{
    local name=$1 image=out/worker-0.raw before output
    make_variant "$name" base.raw system
    before=$(sha256sum <base.raw)
    rm -rf out
    build --writer "$2"
    is "$status:$err" "0:" "$name: built by $2"
    is "$(sha256sum <base.raw)" "$before" "$name: the base is as it was"
    [ "$status" -eq 0 ] || return
    output=$(image_check "$name" "$image" 2>&1)
    ok $? "$name: e2fsck finds nothing"
    [[ $output != *WARNING* ]] || diag "$output"
    is "$(edited "$name" base.raw "$image" ext4)" '' \
        "$name: the base's tree with the plan in it, and nothing else"
    is "$(jq -r '.entries[] | [.path, .type, .mode, .uid, .gid] | @tsv' manifest.json)" \
        "$(plan_lines)" "$name: the plan"
    image_cat "$name" "$image" "$initrd" >new-initrd
    cmp -s -n "$(stat -c %s "system$initrd")" new-initrd "system$initrd"
    ok $? "$name: the initrd begins as it did"
    is "$(grep -c replaced-secret "$image")" 0 "$name: a replaced secret is gone"
}

plan_lines()
{
    "$nodebake" plan worker-0 --json | jq -r '.images[0].entries[] |
        select(.path != "/usr/lib/nodebake/manifest.json") |
        [.path, .type, (.mode // "0777"), .uid, .gid] | @tsv'
}

# bad NAME REGEX WRITER...: refused for that reason by each of them.
bad()
{
    local before writer
    make_variant "$1" base.raw system
    before=$(sha256sum <base.raw)
    for writer in "${@:3}"; do
        rm -rf out
        build --writer "$writer"
        is "$status" 1 "$1: --writer $writer refuses it"
        like "$err" "$2" "$1: --writer $writer says why"
        is "$(find out ! -name '.*' ! -name out 2>/dev/null; find . -name '*nodebake-tmp*')" '' "$1: nothing is left"
    done
    is "$(sha256sum <base.raw)" "$before" "$1: the base is as it was"
}

make_artifacts .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
make_system system
variant_mib=40 # each disk is read several times

# tight NAME UNIT FACTOR: as much room as is asked for, step by step (the role's image, then the node's), is
# enough, and not refused half way.
tight()
{
    local variant_leave=0 try lacks
    for try in 1 2 3 4; do
        make_variant "$1" base.raw system
        rm -rf out
        build --writer ext4
        lacks=$(sed -n "s/.* has \([0-9]*\) $2 free and \([0-9]*\)\( $2\)\? are needed.*/\2 - \1/p" \
            <<<"$err")
        [ -n "$lacks" ] || break
        variant_leave=$((variant_leave + (lacks) * $3))
    done
    diag "$1: $variant_leave left free after $try tries"
    good "$1" ext4
}

bad full 'file system of .* has [0-9]+ MiB free and [0-9]+ MiB are needed' auto ext4
tight nearly-full MiB $((1 << 20))
bad no-inodes 'file system of .* has 20 inodes free and [0-9]+ are needed' auto ext4
tight few-inodes inodes 1

bad needs-recovery 'journal.*recover|recover.*journal' auto ext4
bad orphans 'deleted files' auto ext4
bad error-state 'error' auto ext4
bad not-clean 'clean|unmount' auto ext4
bad bad-descriptor 'descriptor|checksum|damaged|corrupt' auto ext4
bad bad-superblock 'checksum|superblock|damaged|corrupt' auto ext4
bad unknown-feature 'feature' auto ext4
bad encrypt 'encrypt' auto ext4
# Linux can edit this.
bad bigalloc 'bigalloc' ext4

good 4k auto
good 1k ext4
if [ -n "${FULL:-}" ]; then
    for name in "${variants_good[@]}"; do
        [[ $name =~ ^(1k|nearly-full|few-inodes)$ ]] || good "$name" ext4
    done
fi
done_testing
