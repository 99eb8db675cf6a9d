#!/usr/bin/env bash
# Building again, and what lies on what: role images, overlays, what an earlier build left.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home
mkdir "$HOME"

make_artifacts "$tmp"
make_system "$tmp/system"
make_grub "$tmp/system"
make_variant 4k "$tmp/base.raw" "$tmp/system"
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >"$tmp/cluster.yaml"
cd "$tmp" || exit 1

# build ARG...: its status, output and errors into $status, $out and $err.
build()
{
    status=0
    "$nodebake" build --quiet "$@" >out.txt 2>err.txt || status=$?
    out=$(<out.txt) err=$(<err.txt)
}

# sums DIR FILE...: the digests of images.
sums() { (cd "$1" && shift && sha256sum "$@"); }

# clean IMAGE.raw: e2fsck finds nothing.
clean() { e2fsck -fn "$1?offset=$((variant_root * 512))" >fsck.txt 2>&1; }

flat() { qemu-img convert -O raw "$1" "$2"; }

# A node in an overlay, whole, and alone.
build worker-0 worker-1 --format raw --format qcow2 --out a
is "$status:$err" "0:" "two nodes in two formats"
is "$(ls -A a | tr '\n' ' ')" ".nodebake.json .nodebake.lock worker-0.qcow2 worker-0.raw worker-1.qcow2 worker-1.raw worker.qcow2 " \
    "the role's qcow2 image is there for them to lie on"
is "$(stat -c %a a/*.raw a/*.qcow2 | sort -u)" 600 "images are private"
is "$(qemu-img info --output=json a/worker-0.qcow2 | jq -r '."backing-filename", ."backing-filename-format"' | tr '\n' ' ')" \
    "worker.qcow2 qcow2 " "an overlay names what lies below it by its name alone"
qemu-img check -q a/worker-0.qcow2
ok $? "qemu-img finds nothing wrong with it"
[ "$(stat -c %s a/worker-0.qcow2)" -lt 2097152 ]
ok $? "an overlay is small"
flat a/worker-0.qcow2 flat.raw
cmp flat.raw a/worker-0.raw
ok $? "overlay and raw image are the same disk"
clean a/worker-0.raw
ok $? "e2fsck finds nothing"
build worker-0 --format qcow2 --full --out full
flat full/worker-0.qcow2 flat.raw
cmp flat.raw a/worker-0.raw
ok $? "so is an image that stands alone"
is "$(ls full)" worker-0.qcow2 "which needs no role's image"

# Nothing changed.
before=$(stat -c '%n %i %Y %Z' a/*)
build worker-0 worker-1 --format raw --format qcow2 --out a
is "$out" "a/worker-0.raw is up to date
a/worker-0.qcow2 is up to date
a/worker-1.raw is up to date
a/worker-1.qcow2 is up to date" "nothing changed: it says so"
is "$(stat -c '%n %i %Y %Z' a/*)" "$before" "and does nothing"
build worker-0 --out a --rehash
is "$out" "a/worker-0.raw is up to date" "--rehash comes to the same"
touch pki/worker-0.pem
build worker-0 --out a
is "$out" "a/worker-0.raw is up to date" "a touched file is recognised by its content"
strace -f -e trace=openat -o trace "$nodebake" build --quiet worker-0 --out a >/dev/null
is "$(grep -c '/worker-0\.raw"\|artifacts/.*/kubelet", O_RD' trace)" 0 "and the next time nothing is read"

# The new files are as long in blocks as the old ones, so that they are rewritten where they lie.
renew() { rm pki/"$1"{.pem,-key.pem,.kubeconfig}; }
renew worker-0
build worker-0 worker-1 --format raw --format qcow2 --out a
is "$out" "pki: 3 files issued
a/worker-1.raw is up to date
a/worker-1.qcow2 is up to date
wrote a/worker-0.raw (worker)
wrote a/worker-0.qcow2 (worker, an overlay)" "a changed certificate concerns its node only"
build worker-0 worker-1 --format raw --format qcow2 --out fresh
files="worker.qcow2 worker-0.raw worker-0.qcow2 worker-1.qcow2"
# shellcheck disable=SC2086 # words
is "$(sums a $files)" "$(sums fresh $files)" "the bytes are those of a build from scratch"

build worker-0 --out b
renew worker-0
"$nodebake" build worker-0 --out b >out.txt 2>err.txt
like "$(<err.txt)" "copy the last worker-0" "a raw image is made out of its last one"
is "$(grep -c 'base\.raw' err.txt)" 0 "and not out of the base"
build worker-0 --out scratch
is "$(sums b worker-0.raw)" "$(sums scratch worker-0.raw)" "with the bytes of a build from scratch"
clean b/worker-0.raw
ok $? "e2fsck finds nothing"
cp cluster.yaml before.yaml
labels=$(seq -f 'example.com/label-%.0f: a-value-that-takes-room' -s ', ' 40)
sed -i "s|labels: {zone|labels: {$labels, zone|" cluster.yaml
build worker-0 --out b
like "$out" "wrote b/worker-0.raw" "a file becomes longer"
rm -r scratch
build worker-0 --out scratch
is "$(sums b worker-0.raw)" "$(sums scratch worker-0.raw)" \
    "so are those of an image in which a file takes more blocks"

# A key that was replaced is nowhere in the image.
old=$(sed -n 3p pki/worker-0-key.pem)
is "$(grep -c -a -F "$old" b/worker-0.raw)" 1 "the key is in the image"
renew worker-0
build worker-0 --out b
like "$out" "wrote b/worker-0.raw" "the key is replaced"
is "$(grep -c -a -F "$old" b/worker-0.raw)" 0 "nothing of the old one is left"

# Some settings only matter where the base has what they are about.
echo 'cloudInit: keep' >>cluster.yaml
build worker-0 --out b
like "$out" "wrote b/worker-0.raw" "a setting that no draft shows is no reason to keep an image"
build worker-0 --out b
is "$out" "b/worker-0.raw is up to date" "its image is kept"

# What lies on a role's image changes with it.
build worker-0 worker-1 --format qcow2 --out a
renew kube-proxy
build worker-0 --format qcow2 --out a
is "$status" 1 "a role's image that lies below others is not changed without them"
like "$err" 'a/worker-1.qcow2 lies on the image of role worker, which changes: build its node, too' \
    "the refusal names the other"
build worker-0 worker-1 --format qcow2 --out a
is "$status:$out" "0:wrote a/worker.qcow2 (worker, for its nodes to lie on)
wrote a/worker-0.qcow2 (worker, an overlay)
wrote a/worker-1.qcow2 (worker, an overlay)" "with them it is"
rm a/worker.qcow2
build worker-1 --format qcow2 --out a
is "$status" 1 "a role's image that is gone is not made anew under a node that stays"
build worker-0 worker-1 --format qcow2 --out a
flat a/worker-1.qcow2 flat.raw && clean flat.raw
ok $? "all of them are whole again"

# A changed or damaged image is made again, a damaged record is no obstacle.
build worker-0 --out b
printf x >>b/worker-0.raw
build worker-0 --out b
is "$out" "wrote b/worker-0.raw (worker)" "an image that was changed is made again"
echo '{' >b/.nodebake.json
build worker-0 --out b
is "$out" "wrote b/worker-0.raw (worker)" "and so is all of a folder with a damaged record"
SOURCE_DATE_EPOCH=1700000000 build worker-0 --out b
is "$out" "wrote b/worker-0.raw (worker)" "another time makes another image"
touch b/.worker-9.raw.nodebake-tmp
build worker-0 --out b
is "$(ls -A b)" ".nodebake.json
.nodebake.lock
worker-0.raw" "what a killed build left is removed"

# A larger disk.
sed 's/^image:/diskSize: 200MiB\nimage:/' cluster.yaml >large.yaml
build worker-0 --cluster large.yaml --out large
is "$status:$(stat -c %s large/worker-0.raw)" "0:209715200" "diskSize makes the disk larger"
clean large/worker-0.raw
ok $? "and its root file system with it, in which e2fsck finds nothing"
[ "$(dumpe2fs -h "large/worker-0.raw?offset=$((variant_root * 512))" 2>/dev/null | sed -n 's/^Block count: *//p')" -gt 45000 ]
ok $? "up to the end"
sed -i 's/200MiB/32MiB/' large.yaml
build worker-0 --cluster large.yaml --out large
like "$status:$err" '^1:.*large.yaml: diskSize: ' "a smaller disk is refused"

# Command line.
for args in "--writer xyz" "--compression lzma" "--format raw --format raw" "--format vdi"; do
    # shellcheck disable=SC2086 # words
    build worker-0 $args --out c
    is "$status" 1 "$args is refused"
done
[ ! -e c ]
ok $? "and makes nothing"
build worker-0 --format qcow2 --compression zlib --full --out z
is "$(qemu-img info --output=json z/worker-0.qcow2 | jq -r '."format-specific".data."compression-type"')" zlib \
    "--compression zlib"
done_testing
