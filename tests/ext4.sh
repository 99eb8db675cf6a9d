# shellcheck shell=bash
# What lies in an ext2-4 file system, seen by debugfs: nothing is mounted. To be sourced. A file
# system is a name that e2fsprogs understand: FILE?offset=BYTES.

# fs_tree FILE-SYSTEM: a line a name, sorted, with tabs between path, type, mode, uid, gid,
# mtime (hexadecimal), links, content (SHA-256 of a file, target of a link) and extended attributes.
fs_tree()
{
    local work
    work=$(mktemp -d)
    fs_walk "$1" "$work/dirs" >"$work/names"
    cut -d' ' -f1 "$work/names" | sort -nu >"$work/inodes"
    mkdir "$work/content"
    sed 's/.*/stat <&>/' "$work/inodes" | debugfs -f - "$1" 2>/dev/null >"$work/stat"
    awk '$2 ~ /^1[02]/ { print $1 }' "$work/names" | sort -nu |
        sed "s|.*|dump <&> $work/content/&|" | debugfs -f - "$1" >/dev/null 2>&1
    (cd "$work/content" && find . -type f -printf '%P\n' | xargs -r sha256sum) >"$work/sums"
    fs_links "$work" >"$work/links"
    awk -f - "$work/sums" "$work/links" "$work/stat" "$work/names" <<'AWK' | sort
FILENAME ~ /sums$/ { content[$2] = $1; next }
FILENAME ~ /links$/ { content[$1] = substr($0, length($1) + 2); next }
FILENAME ~ /stat$/ && /^debugfs: stat / { gsub(/[<>]/, "", $3); ino = $3; attributes = 0; next }
FILENAME ~ /stat$/ {
    if ($1 == "User:") { uid[ino] = $2; gid[ino] = $4 }
    if ($1 == "Links:") links[ino] = $2
    if ($1 == "mtime:") mtime[ino] = substr($2, 1, 10)
    if (/^Extended attributes:/) attributes = 1
    else if (attributes && /^  /) xattrs[ino] = xattrs[ino] $0
    else attributes = 0
    next
}
{
    type = $2 ~ /^04/ ? "dir" : $2 ~ /^10/ ? "file" : $2 ~ /^12/ ? "link" : "other"
    path = substr($0, length($1) + length($2) + 3)
    printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", path, type, substr($2, 3), uid[$1], gid[$1],
        mtime[$1], links[$1], content[$1], xattrs[$1]
}
AWK
    rm -r "$work"
}

# fs_walk FILE-SYSTEM FILE: "INODE MODE PATH" of everything, a level of directories at a time.
fs_walk()
{
    echo '2 040755 /'
    echo '2 ' >"$2"
    while [ -s "$2" ]; do
        sed 's/\([0-9]*\) .*/ls -p <\1>/' "$2" | debugfs -f - "$1" 2>/dev/null |
            awk -F/ -v dirs="$2" '
                BEGIN { while ((getline line <dirs) > 0) {
                            ino = line; sub(/ .*/, "", ino); sub(/[0-9]* /, "", line)
                            top[ino] = line } }
                /^debugfs: / { gsub(/[^0-9]/, ""); at = $0; next }
                $2 > 0 && $6 != "." && $6 != ".." { print $2, $3, top[at] "/" $6 }' >"$2.next"
        cat "$2.next"
        sed -n 's/^\([0-9]*\) 04[0-7]* \(.*\)/\1 \2/p' "$2.next" >"$2"
    done
}

# fs_links WORK: "INODE TARGET"; short targets stand in the inode, long ones are content.
fs_links()
{
    local ino
    awk '/^debugfs: stat / { gsub(/[<>]/, "", $3); ino = $3 }
        /^Fast link dest: / { sub(/^Fast link dest: "/, ""); sub(/"$/, ""); print ino, $0 }' "$1/stat"
    awk '$2 ~ /^12/ { print $1 }' "$1/names" | sort -nu | while read -r ino; do
        [ ! -s "$1/content/$ino" ] || printf '%s %s\n' "$ino" "$(<"$1/content/$ino")"
    done
}

# fs_cat FILE-SYSTEM PATH
fs_cat()
{
    debugfs -R "cat $2" "$1" 2>/dev/null
}
