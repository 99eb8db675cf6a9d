# readback-diff.awk PLANNED BASE IMAGE: prints the differences; exits with 1 when there are some.
# Fields of the lists: 1 path, 2 type, 3 mode, 4 uid, 5 gid, 6 mtime, 7 size, 8 sha256, 9 group,
# 10 target, 11 xattrs.

BEGIN { split("path type mode uid gid mtime size sha256 group target xattrs", names, " ") }

FILENAME == ARGV[1] { plan[++planned] = $0; next }
FILENAME == ARGV[2] { base[$1] = $0; next }
{ image[$1] = $0 }
$2 == "link" { link[$1] = $10 }

END {
    for (i = 1; i <= planned; i++)
        check_planned(plan[i])
    for (path in image)
        if (!(path in wanted))
            check_other(path)
    for (path in base)
        if (!(path in image))
            differs(path, "is no longer there")
    printf "%d paths as planned, %d as in the base, %d differences\n", planned, others, differences
    exit differences > 0
}

function differs(path, how) { print path ": " how; differences++ }

function parent(path) { sub(/\/[^\/]*$/, "", path); return path == "" ? "/" : path }

# The path behind all links in it; the last part stays when it is not a directory's.
function resolve(path, last,    n, i, parts, at, hops) {
    n = split(substr(path, 2), parts, "/")
    at = ""
    for (i = 1; i <= n; i++) {
        at = at "/" parts[i]
        if (!(at in link) || (i == n && !last)) continue
        if (++hops > 40) return path
        at = link[at] ~ /^\// ? link[at] : parent(at) "/" link[at]
        for (i++; i <= n; i++) at = at "/" parts[i]
        return resolve(clean(at), last)
    }
    return at
}

# Without "//", "." and "..".
function clean(path,    n, i, parts, out, depth) {
    n = split(path, parts, "/")
    for (i = 1; i <= n; i++)
        if (parts[i] == "..") { if (depth > 0) depth-- }
        else if (parts[i] != "" && parts[i] != ".") out[++depth] = parts[i]
    path = ""
    for (i = 1; i <= depth; i++) path = path "/" out[i]
    return path == "" ? "/" : path
}

function check_field(path, got, number, want) {
    if (got[number] != want)
        differs(path, names[number] " is " got[number] ", planned is " want)
}

function check_planned(line,    p, got, path, up, n, i, each) {
    split(line, p, "\t")
    path = resolve(p[1], p[2] == "dir")
    wanted[path] = 1
    for (up = parent(path); !(up in holds); up = parent(up)) holds[up] = 1
    if (!(path in image)) { differs(path, "is not there"); return }
    split(image[path], got, "\t")
    check_field(path, got, 6, mtime)
    if (p[2] == "hardlink") {
        split(image[resolve(p[6], 0)], p, "\t")
        if (got[9] == "-" || got[9] != p[9]) differs(path, "is not the file " p[1])
        return
    }
    check_field(path, got, 2, p[2])
    check_field(path, got, 4, p[4])
    check_field(path, got, 5, p[5])
    if (p[2] != "link") check_field(path, got, 3, p[3])
    if (p[2] == "link") check_field(path, got, 10, p[6])
    if (p[2] == "file" && p[8] != "-") check_field(path, got, 8, p[8])
    if (p[2] == "file") check_field(path, got, 11, p[7] == "" ? "-" : p[7])
    # A directory keeps the attributes that it had.
    n = split(p[7], each, ",")
    for (i = 1; p[2] == "dir" && i <= n; i++)
        if (index("," got[11] ",", "," each[i] ",") == 0) differs(path, "lacks the attribute " each[i])
}

function check_other(path,    was, got, i) {
    split(image[path], got, "\t")
    if (!(path in base)) {
        if (!(path in holds) || got[2] != "dir" || got[3] != "0755" || got[4] != 0 || got[5] != 0)
            if (path !~ free) differs(path, "is new and not planned")
        return
    }
    others++
    split(base[path], was, "\t")
    for (i = 2; i <= 11; i++) {
        if (got[i] == was[i] || path ~ free) continue
        if (i == 6 && path in holds && got[i] == mtime) continue
        if (i >= 6 && i <= 8 && path ~ /^\/boot\/initrd\.img-/) continue
        if (i == 6 && path == "/boot") continue # holds the initrds
        if (i == 9 && was[9] in wanted) continue
        differs(path, names[i] " is " got[i] ", was " was[i])
    }
}
