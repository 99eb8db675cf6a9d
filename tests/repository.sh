# shellcheck shell=bash
# A small signed repository of Debian packages, and a server for it on loopback. To be sourced.

# make_package DIR NAME VERSION FIELD...: a .deb that unpacks /usr/share/NAME/file.
make_package()
{
    local dir=$1 name=$2 version=$3 work
    work=$(mktemp -d)
    mkdir -p "$work/DEBIAN" "$work/usr/share/$name" "$dir"
    echo "$name $version" >"$work/usr/share/$name/file"
    printf '%s\n' "Package: $name" "Version: $version" 'Architecture: amd64' 'Maintainer: a <a@b>' \
        "${@:4}" "Description: test of $name" >"$work/DEBIAN/control"
    find "$work" -exec touch -d @1500000000 {} +
    chmod 0755 "$work"
    SOURCE_DATE_EPOCH=1500000000 dpkg-deb --root-owner-group -Znone -b "$work" \
        "$dir/${name}_${version//:/%3a}.deb" >/dev/null
    rm -r "$work"
}

# make_key GNUPGHOME: a key without a passphrase, and GNUPGHOME.gpg, its public half.
make_key()
{
    mkdir -m 0700 "$1"
    gpg --homedir "$1" --quiet --batch --passphrase '' --quick-gen-key "$(basename "$1") <a@b>" \
        ed25519 sign never 2>/dev/null
    gpg --homedir "$1" --quiet --batch --export >"$1.gpg"
}

# index REPO GNUPGHOME OPTION...: lists the packages in REPO, and signs the list; without GNUPGHOME
# it stays unsigned.
index()
{
    rm -f "$1"/{Packages,Release,InRelease}
    (cd "$1" && apt-ftparchive packages . >Packages) || return
    (cd "$1" && apt-ftparchive "${@:3}" release . >../Release && mv ../Release .) || return
    [ -z "$2" ] || gpg --homedir "$2" --quiet --batch --clearsign -o "$1/InRelease" "$1/Release"
}

# serve DIR: sets $port and $server. It notes requests in DIR.log.
serve()
{
    cat >"$1.py" <<'PY'
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
open(sys.argv[1] + ".port", "w").write("%d\n" % server.server_port)
server.serve_forever()
PY
    /usr/bin/python3 "$1.py" "$1" >/dev/null 2>"$1.log" &
    server=$!
    within 20 test -s "$1.port"
    port=$(<"$1.port")
}
