#!/bin/bash
# The oracle of images without an appliance: what it lists of an archive, and what it calls a
# difference.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export SOURCE_DATE_EPOCH=1600000000

# archive OPTION…: of the folder root, as tar in the appliance makes it.
archive() {
    tar -C root --format=posix --sort=name --owner=0 --group=7 --numeric-owner --mtime=@1600000000 \
        "$@" -cf - .
}

mkdir -p root/usr/lib root/etc root/var
printf 'ID=debian\n' >root/etc/os-release
printf 'two names' >root/usr/z
ln root/usr/z root/etc/a
ln -s 'a target' root/usr/link
ln -s usr/lib root/lib
mkfifo root/var/fifo
touch "root/var/a name"
chmod 0640 root/usr/z
chmod -R u=rwX,go=rX root/etc/os-release root/usr/lib root/var
sum=$(sha256sum <root/usr/z)
archive | "$build/tests/tar-list" --save /etc/os-release saved >list

is "$(grep -P '^/usr/z\t' list)" \
    "$(printf '/usr/z\tfile\t0640\t0\t7\t1600000000\t9\t%s\t/etc/a\t-\t-' "${sum%% *}")" \
    "a file: mode, owner, time, size, digest; its group is called by the first name"
is "$(grep -P '^/usr/z\t' list | cut -f2-)" "$(grep -P '^/etc/a\t' list | cut -f2-)" \
    "names of one file are alike, whichever is in the archive first"
is "$(grep -P '^/usr/link\t' list | cut -f2,10)" "$(printf 'link\ta\\040target')" "a link, with a blank"
is "$(cut -f1 list | LC_ALL=C sort)" "$(cut -f1 list)" "lines are sorted"
is "$(cut -f1 list | tr '\n' ' ')" \
    '/ /etc /etc/a /etc/os-release /lib /usr /usr/lib /usr/link /usr/z /var /var/a\040name /var/fifo ' \
    "every path is listed"
is "$(grep -c $'\tfifo\t' list)" 1 "a pipe is one"
is "$(<saved)" ID=debian "--save"
archive --pax-option='SCHILY.xattr.user.b:=x,SCHILY.xattr.user.a:=yz' | "$build/tests/tar-list" >xattrs
is "$(grep -P '^/etc/os-release\t' xattrs | cut -f11)" user.a=797a,user.b=78 "attributes, sorted, in hex"
status=0
"$build/tests/tar-list" <saved >/dev/null 2>said || status=$?
is "$status" 1 "what is no archive is refused"
status=0
archive | head -c 3000 | "$build/tests/tar-list" >/dev/null 2>said || status=$?
is "$status" 1 "a cut archive is refused"

# The image: the base, and /lib/dir/file, /etc/new, another name of /usr/z, a new initrd.
mkdir -p base image root/boot
printf 'initrd' >root/boot/initrd.img-6
archive | "$build/tests/tar-list" >base/list
printf 'longer' >root/boot/initrd.img-6
mkdir -p root/usr/lib/dir root/usr/lib/nodebake
printf 'text' >root/usr/lib/dir/file
chmod -R u=rwX,go=rX root/usr/lib root/boot
ln -s target root/etc/new
ln root/usr/z root/var/third
text=$(printf text | sha256sum)
cat >root/usr/lib/nodebake/manifest.json <<JSON
{"entries": [{"path": "/lib/dir/file", "sha256": "${text%% *}"}]}
JSON
chmod 0644 root/usr/lib/nodebake/manifest.json
cp root/usr/lib/nodebake/manifest.json image/
archive --group=0 | "$build/tests/tar-list" >image/list
sed -i 's/\t7\t1600000000\t/\t0\t1600000000\t/' base/list
cat >plan.json <<'JSON'
{"images": [{"name": "worker", "entries": [
    {"path": "/lib/dir/file", "type": "file", "mode": "0644", "uid": 0, "gid": 0},
    {"path": "/etc/new", "type": "link", "target": "target", "uid": 0, "gid": 0},
    {"path": "/var/third", "type": "hardlink", "target": "/usr/z"}]}, {"name": "other", "entries": []}]}
JSON

# differs EXPECTED NAME [SED]: what is said of an image whose list was changed so.
differs() {
    local said status=0
    rm -rf changed
    cp -R image changed
    sed -i "${3:-}" changed/list
    said=$("$here/../qemu-tests/readback-diff" --name worker plan.json base changed 2>&1) || status=$?
    is "$(head -n -1 <<<"$said")" "$1" "$2"
    [[ -n $1 ]] || is "$status" 0 "$2: and succeeds"
    [[ -z $1 ]] || is "$status" 1 "$2: and fails"
}

differs '' "an image as planned, below a link, too"
differs '/etc/os-release: mode is 0666, was 0644' "a mode that is not the base's" \
    's|^\(/etc/os-release\tfile\t\)0644|\10666|'
differs '/etc/os-release: is no longer there' "a file that is gone" '/^\/etc\/os-release\t/d'
differs '/etc/zz: is new and not planned' "a file that nobody planned" \
    's|^/etc/os-release\(\t.*\)|&\n/etc/zz\1|'
differs '/usr/lib/dir/file: mode is 0600, planned is 0644' "a mode that is not the plan's" \
    's|^\(/usr/lib/dir/file\tfile\t\)0644|\10600|'
differs "/usr/lib/dir/file: sha256 is bad, planned is ${text%% *}" "another content" \
    "s|${text%% *}|bad|"
differs '/usr/lib/dir/file: mtime is 7, planned is 1600000000' "another time" \
    's|^\(/usr/lib/dir/file\t.*\t\)1600000000|\17|'
differs '/usr/lib/dir/file: xattrs is user.x=00, planned is -' "an attribute too many" \
    's|^\(/usr/lib/dir/file\t.*\)-$|\1user.x=00|'
differs '/etc/new: target is elsewhere, planned is target' "another target" \
    's|^\(/etc/new\t.*\t\)target|\1elsewhere|'
differs '/var/third: is not the file /usr/z' "a copy in place of a hard link" \
    's|^\(/var/third\t.*\t\)/etc/a\t|\1-\t|'
differs '/var/fifo: mtime is 7, was 1600000000' "a time that is not the base's" \
    's|^\(/var/fifo\t.*\t\)1600000000|\17|'
done_testing
