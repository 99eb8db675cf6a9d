#!/usr/bin/env bash
# The ext4 writer on file systems of many kinds: after a build e2fsck finds nothing, what the plan
# says is there, and all else is as it was. Those that must not be edited are refused. FULL=1 takes
# all of them, and the libguestfs writer for comparison.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
. tests/ext4.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
export HOME=$tmp/home TMPDIR=$tmp
unset SOURCE_DATE_EPOCH XDG_CACHE_HOME
cd "$tmp" || exit 1

mtime=0x5e0be100 # what nodebake gives without SOURCE_DATE_EPOCH
initrd=/boot/initrd.img-$variant_kernel
root_at="?offset=$((variant_root * 512))" boot_at="?offset=$((variant_boot * 512))"

# build OPTION...: sets status and err.
build()
{
    "$nodebake" build worker-0 --quiet "$@" >out.log 2>err.log
    status=$?
    err=$(<err.log)
}

# image_tree NAME DISK: fs_tree of the whole image.
image_tree()
{
    if [ "$1" = boot ]; then
        { fs_tree "$2$root_at" | grep -v $'^/boot\t'
          fs_tree "$2$boot_at" | sed -e $'s|^/\t|\t|' -e 's|^|/boot|'; } | LC_ALL=C sort
    else
        fs_tree "$2$root_at"
    fi
}

# planned DISK: what the manifest in the image lists, and itself, as lines of fs_tree. /bin and /opt
# are links.
planned()
{
    fs_cat "$1$root_at" /usr/lib/nodebake/manifest.json >manifest.json
    jq -r --arg mtime $mtime --arg sum "$(sha256sum <manifest.json | cut -d' ' -f1)" '
        (.entries + [{path: "/usr/lib/nodebake/manifest.json", type: "file", mode: "0644", uid: 0,
            gid: 0, sha256: $sum}])[] |
        [(.path | sub("^/bin/"; "/usr/bin/") | sub("^/opt/"; "/srv/opt/")), .type, .mode, .uid,
            .gid, $mtime, (if .type == "dir" then "-" else 1 end), .sha256 // .target // "", ""] |
        @tsv' manifest.json
}

# expected BEFORE PLANNED INITRD-SUM: the base's lines, with what the build changes. The number of
# links of a directory is e2fsck's business; the time of one in which something was made may be
# either's.
expected()
{
    awk -F'\t' -v OFS='\t' -v mtime=$mtime -v initrd="$initrd" -v sum="$3" '
        function parent(path) { sub(/\/[^\/]*$/, "", path); return path == "" ? "/" : path }
        { if ($2 == "dir") $7 = "-"; line[$1] = $0 }
        FILENAME == ARGV[2] { at[++n] = $1 }
        END {
            line[initrd] = initrd OFS "file" OFS "0644" OFS 0 OFS 0 OFS mtime OFS 1 OFS sum OFS ""
            at[++n] = initrd
            sub(/\t2\t/, "\t1\t", line["/srv/other-name"])
            for (i = 1; i <= n; i++) planned[at[i]] = 1
            for (i = 1; i <= n; i++)
                for (path = parent(at[i]); !(path in planned); path = parent(path)) {
                    if (!(path in line))
                        line[path] = path OFS "dir" OFS "0755" OFS 0 OFS 0 OFS mtime OFS "-" OFS OFS
                    $0 = line[path]
                    $6 = "-"
                    line[path] = $0
                    if (path == "/") break
                }
            for (path in line) print line[path]
        }' "$1" "$2" | LC_ALL=C sort
}

# actual AFTER EXPECTED: with the same things left out.
actual()
{
    awk -F'\t' -v OFS='\t' -v mtime=$mtime '
        FILENAME == ARGV[1] { if ($6 == "-") free[$1] = 1; next }
        FILENAME == ARGV[2] { before[$1] = $6; next }
        { if ($2 == "dir") $7 = "-"
          if (($1 in free) && ($6 == mtime || $6 == before[$1])) $6 = "-"
          print }' "$2" "$3" "$1" | LC_ALL=C sort
}

# checked NAME DISK: e2fsck finds nothing in it.
checked()
{
    e2fsck -fn "$2$root_at" >fsck.log 2>&1 &&
        { [ "$1" != boot ] || e2fsck -fn "$2$boot_at" >fsck.log 2>&1; }
    ok $? "$1: e2fsck finds nothing"
    grep -q WARNING fsck.log && diag "$(<fsck.log)"
    return 0
}

# good NAME WRITER
good()
{
    local name=$1 image=out/worker-0.raw sum before
    make_variant "$name" base.raw system
    before=$(sha256sum <base.raw)
    rm -rf out
    build --writer "$2"
    is "$status:$err" "0:" "$name: built by $2"
    is "$(sha256sum <base.raw)" "$before" "$name: the base is as it was"
    checked "$name" "$image"
    image_tree "$name" base.raw >before
    image_tree "$name" "$image" >after
    planned "$image" >planned
    sum=$(awk -F'\t' -v path="$initrd" '$1 == path { print $8 }' after)
    expected before planned "$sum" >expected
    actual after expected before >actual
    is "$(diff expected actual)" '' "$name: the base's tree with the plan in it, and nothing else"
    is "$(jq -r '.entries[] | [.path, .type, .mode, .uid, .gid] | @tsv' manifest.json)" \
        "$(plan_lines)" "$name: the plan"
    # The new initrd is the old one and something behind it.
    [ "$name" = boot ] && fs_cat "$image$boot_at" "${initrd#/boot}" >initrd
    [ "$name" = boot ] || fs_cat "$image$root_at" "$initrd" >initrd
    cmp -s -n "$(stat -c %s "system$initrd")" initrd "system$initrd"
    ok $? "$name: the initrd begins as it did"
    is "$(grep -c replaced-secret "$image")" 0 "$name: a replaced secret is gone"
}

plan_lines()
{
    "$nodebake" plan worker-0 --json | jq -r '.images[0].entries[] |
        select(.path != "/usr/lib/nodebake/manifest.json") |
        [.path, .type, (.mode // "0777"), .uid, .gid] | @tsv'
}

# bad NAME REGEX: refused for that reason, whichever writer is asked for.
bad()
{
    local before writer
    make_variant "$1" base.raw system
    before=$(sha256sum <base.raw)
    for writer in auto ext4; do
        rm -rf out
        build --writer $writer
        is "$status" 1 "$1: --writer $writer refuses it"
        like "$err" "$2" "$1: --writer $writer says why"
        is "$(ls -A out 2>/dev/null | grep -v '^\.nodebake\.lock$')" '' "$1: nothing is left"
    done
    is "$(sha256sum <base.raw)" "$before" "$1: the base is as it was"
}

make_artifacts .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
make_system system

bad full 'file system of .* has [0-9]+ MiB free and [0-9]+ MiB are needed'
needed=$(sed -n 's/.*and \([0-9]*\) MiB are needed.*/\1/p' <<<"$err")
variant_leave=$((${needed:-0} << 20)) good nearly-full ext4
bad no-inodes 'file system of .* has 20 inodes free and [0-9]+ are needed'
needed=$(sed -n 's/.*and \([0-9]*\) are needed.*/\1/p' <<<"$err")
variant_leave=${needed:-0} good few-inodes ext4

bad needs-recovery 'journal.*recover|recover.*journal'
bad orphans 'orphan'
bad error-state 'error'
bad not-clean 'clean|unmount'
bad bad-descriptor 'descriptor|checksum|damaged|corrupt'
bad bad-superblock 'checksum|superblock|damaged|corrupt'
bad unknown-feature 'feature'
bad encrypt 'encrypt'

good 4k auto
good 1k ext4
if [ -n "${FULL:-}" ]; then
    for name in "${variants_good[@]}"; do
        [[ $name =~ ^(1k|nearly-full|few-inodes)$ ]] || good "$name" ext4
    done
fi
done_testing
