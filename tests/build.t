#!/usr/bin/env bash
# Building again, and what lies on what: role images, overlays, what an earlier build left.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/system-disk.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home
mkdir "$HOME"

make_artifacts "$tmp"
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >"$tmp/cluster.yaml"
cd "$tmp" || exit 1
make_system_disk base.raw

# build ARG…: its status, output and errors into $status, $out and $err.
build()
{
    status=0
    "$nodebake" build --quiet "$@" >out.txt 2>err.txt || status=$?
    out=$(<out.txt) err=$(<err.txt)
}

# sums DIR FILE…: the digests of images.
sums() { (cd "$1" && shift && sha256sum "$@"); }

# clean IMAGE.raw: e2fsck finds nothing.
clean() { e2fsck -fn "$1?offset=$(system_disk_root_at "$1")" >fsck.txt 2>&1; }

# qcow2 images as raw ones, with what lies below them.
flat() { qemu-img convert -O raw "$1" "$2"; }

build worker-0 worker-1 --format raw --format qcow2 --out a
is "$status:$err" "0:" "two nodes in two formats"
is "$(ls -A a | tr '\n' ' ')" ".nodebake.json .nodebake.lock worker-0.qcow2 worker-0.raw worker-1.qcow2 worker-1.raw worker.qcow2 " \
    "the role's qcow2 image is there for them to lie on"
is "$(stat -c %a a/*.raw a/*.qcow2 | sort -u)" 600 "images are private"
is "$(qemu-img info --output=json a/worker-0.qcow2 | jq -r '."backing-filename", ."backing-filename-format"' | tr '\n' ' ')" \
    "worker.qcow2 qcow2 " "an overlay names what lies below it by its name alone"
[ "$(stat -c %s a/worker-0.qcow2)" -lt 4194304 ]
ok $? "an overlay is small"
flat a/worker-0.qcow2 flat.raw
cmp flat.raw a/worker-0.raw
ok $? "overlay and raw image are the same disk"
clean a/worker-0.raw
ok $? "e2fsck finds nothing"
diag "$(<fsck.txt)"
"$nodebake" build worker-0 --format qcow2 --full --quiet --out full >/dev/null && flat full/worker-0.qcow2 flat.raw &&
    cmp flat.raw a/worker-0.raw
ok $? "so is an image that stands alone"
is "$(ls full)" worker-0.qcow2 "which needs no role's image"

before=$(stat -c '%n %i %Y %Z' a/*)
build worker-0 worker-1 --format raw --format qcow2 --out a
is "$out" "a/worker-0.raw is up to date
a/worker-0.qcow2 is up to date
a/worker-1.raw is up to date
a/worker-1.qcow2 is up to date" "nothing changed: it says so"
is "$(stat -c '%n %i %Y %Z' a/*)" "$before" "and does nothing"
build worker-0 --format raw --out a --rehash
is "$out" "a/worker-0.raw is up to date" "--rehash comes to the same"
touch pki/worker-0.pem
build worker-0 --format raw --out a
is "$out" "a/worker-0.raw is up to date" "a touched file is recognised by its content"

# renew: a certificate of worker-0 is changed, in its length not.
renew() { sed -i '5s/[a-zA-Z]/Q/g' pki/worker-0.pem; }
renew
build worker-0 worker-1 --format raw --format qcow2 --out a
is "$out" "a/worker-1.raw is up to date
a/worker-1.qcow2 is up to date
wrote a/worker-0.raw (worker)
wrote a/worker-0.qcow2 (worker, an overlay)" "a changed certificate concerns its node only"
"$nodebake" build worker-0 worker-1 --format raw --format qcow2 --quiet --out fresh >/dev/null
is "$(sums a worker.qcow2 worker-0.raw worker-0.qcow2 worker-1.qcow2)" \
    "$(sums fresh worker.qcow2 worker-0.raw worker-0.qcow2 worker-1.qcow2)" \
    "the bytes are those of a build from scratch"

build worker-0 --out b
cp pki/worker-0-key.pem old-key
openssl genrsa -out pki/worker-0-key.pem 2048 2>/dev/null
# The checks of pki/ are not the matter here: the image takes what lies there.
inode=$(debugfs -R 'stat /usr/lib/nodebake/identity/worker-0-key.pem' "b/worker-0.raw?offset=$(system_disk_root_at b/worker-0.raw)" 2>/dev/null | head -n 1)
is "${inode%%Type*}" "${inode%%Type*}" "inode of the key"
done_testing
