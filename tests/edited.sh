# shellcheck shell=bash
# shellcheck disable=SC2154 # variants.sh sets them
# What a build of worker-0 has to make of a disk of variants.sh, and what it made. To be sourced
# after variants.sh and ext4.sh.

mtime=0x5e0be100 # what nodebake gives without SOURCE_DATE_EPOCH
initrd=/boot/initrd.img-$variant_kernel
root_at="?offset=$((variant_root * 512))" boot_at="?offset=$((variant_boot * 512))"

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

# actual AFTER EXPECTED BEFORE WRITER: with the same things left out.
actual()
{
    awk -F'\t' -v OFS='\t' -v mtime=$mtime -v writer="$4" '
        FILENAME == ARGV[1] { if ($6 == "-") free[$1] = 1; next }
        FILENAME == ARGV[2] { before[$1] = $6; next }
        { if ($2 == "dir") $7 = "-"
          if (($1 in free) && ($6 == mtime || $6 == before[$1] || writer == "guestfs")) $6 = "-"
          print }' "$2" "$3" "$1" | LC_ALL=C sort
}

# image_check NAME DISK: e2fsck finds nothing in any of its file systems.
image_check()
{
    e2fsck -fn "$2$root_at" && { [ "$1" != boot ] || e2fsck -fn "$2$boot_at"; }
}

# image_cat NAME DISK PATH
image_cat()
{
    case $1:$3 in
    boot:/boot/*) fs_cat "$2$boot_at" "${3#/boot}" ;;
    *) fs_cat "$2$root_at" "$3" ;;
    esac
}

# edited NAME BASE DISK WRITER: the differences between the tree that has to be in the disk, and the
# one that is. libguestfs gives directories that are not in the plan the time of the build. Leaves
# manifest.json here.
edited()
{
    local work
    work=$(mktemp -d)
    image_tree "$1" "$2" >"$work/base"
    image_tree "$1" "$3" >"$work/image"
    planned "$3" >"$work/planned"
    expected "$work/base" "$work/planned" \
        "$(image_cat "$1" "$3" "$initrd" | sha256sum | cut -d' ' -f1)" >"$work/expected"
    actual "$work/image" "$work/expected" "$work/base" "$4" >"$work/actual"
    diff "$work/expected" "$work/actual"
    rm -r "$work"
}

