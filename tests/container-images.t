#!/usr/bin/env bash
# Container images in the disk image: what archives are taken and refused, what a plan makes of
# them, and how a real containerd gets them. Needs: jq, unshare, debugfs.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
. tests/container-image.sh
if [ "${1:-}" = inside ]; then # FOLDER BIN: root of private namespaces; the image's files are in FOLDER
    set -e
    cd "$2"
    export PATH=$3:$PATH CONTAINERD_ADDRESS=$PWD/run/c.sock CONTAINERD_SNAPSHOTTER=native
    mkdir run
    printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s"\n' \
        "$PWD/run/root" "$PWD/run/state" "$CONTAINERD_ADDRESS" >run/config.toml
    containerd --config run/config.toml >run/log 2>&1 &
    daemon=$!
    trap 'kill $daemon; wait $daemon || true' EXIT
    for ((i = 0; i < 100; i++)); do
        ctr version >/dev/null 2>&1 && break
        sleep 0.2
    done
    ./import-images && ctr -n k8s.io images ls -q | grep -v '^sha256:' | sort && echo -- &&
        ./import-images && echo -- && ctr -n k8s.io images rm docker.io/library/tiny:1 && ./import-images
    exit
fi
nodebake=$PWD/${BUILD:-build}/nodebake
script=$PWD/tests/container-images.t
import=$PWD/overlays/containerd/usr/lib/nodebake/import-images
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# build NAME LINE…: builds the worker with these lines in the cluster file; sets status and log.
build()
{
    local name=$1
    shift
    { cat cluster.yaml; printf '%s\n' "$@"; } >"$name.yaml"
    "$nodebake" build worker --quiet --writer ext4 --cluster "$name.yaml" --out "images-$name" >out 2>log
    status=$?
    log=$(<log)
}

# refused PATTERN NAME: the archive bad.tar is, for that reason.
refused()
{
    build bad 'containerImages: [bad.tar]'
    like "$status:$log" "1:.*bad\.tar: $1" "$2"
    [ ! -e images-bad/worker.raw ]
    ok $? "and no image is made"
}

make_artifacts .
make_system system
make_grub system
make_variant 4k plain.raw system
sed 's/^image: .*/image: plain.raw/' "$OLDPWD/tests/golden/cluster.yaml" >cluster.yaml
mkdir -p root/bin && echo 'a program' >root/bin/sh && chmod 755 root/bin/sh
docker_archive tiny.tar tiny:1 root
docker_archive 'odd name.tar' k8s.gcr.io/pause:3.4.1 root
oci_archive oci.tar other.example:5000/a/b:2 root
gzip -nk tiny.tar
mkdir images

# ---- what the image gets ----

build good 'containerImages: [tiny.tar, odd name.tar, oci.tar]'
is "$status:$log" 0: "archives of both forms"
for file in 00-tiny.tar 00-tiny.tar.names 01-odd-name.tar 01-odd-name.tar.names 02-oci.tar 02-oci.tar.names; do
    debugfs -R "dump /usr/lib/nodebake/images/$file images/$file" \
        "images-good/worker.raw?offset=$((variant_root * 512))" 2>/dev/null
done
cmp -s tiny.tar images/00-tiny.tar && cmp -s oci.tar images/02-oci.tar
ok $? "an archive is in the image as it is"
is "$(cat images/*.names)" "docker.io/library/tiny:1 tiny:1
k8s.gcr.io/pause:3.4.1 k8s.gcr.io/pause:3.4.1
other.example:5000/a/b:2 other.example:5000/a/b:2" "with the names that the kubelet asks for"
is "$(grep -c 'needs' out)" 0 "nothing is said when the sandbox image is among them"
build good 'containerImages: [tiny.tar, odd name.tar, oci.tar]'
is "$(<out)" "images-good/worker.raw is up to date" "the same archives make no new image"
build lacks 'containerImages: [tiny.tar.gz]'
like "$status:$(<out)" '0:.*worker: no archive of containerImages holds k8s\.gcr\.io/pause:3\.4\.1' \
    "gzip is taken; that the sandbox image lacks is said"

# ---- what is refused ----

echo 'no archive' >bad.tar
refused 'not a tar archive' "a text"
tar -cf bad.tar root
refused 'no archive of container images: ' "another tar archive"
head -c 5000 tiny.tar >bad.tar
refused '(damaged|incomplete)' "an archive cut short"
docker_archive bad.tar '' root
refused 'an image in it has no name; give it one' "an image without a name"
docker_archive bad.tar 'a name' root
refused "'a name' is no name of a container image" "one with an impossible name"
docker_archive bad.tar arm:1 root arm64
refused 'an image for linux on arm64; nodes run linux on amd64' "one for another machine"
oci_archive bad.tar latest root
refused 'an image in it has no name' "OCI's form with a tag only"
mkdir x
tar -C x -xf tiny.tar && rm x/layer/layer.tar && image_pack x bad.tar
refused 'incomplete: it has no layer layer/layer\.tar' "a layer that lacks"
rm -rf x && mkdir x && tar -C x -xf tiny.tar && echo '[1' >x/manifest.json && image_pack x bad.tar
refused 'damaged: manifest\.json is no JSON' "broken JSON"
rm -rf x && mkdir x && tar -C x -xf oci.tar
layer=$(find x/blobs -type f -size +3k | head -1)
printf x | dd of="$layer" conv=notrunc status=none
image_pack x bad.tar
refused 'damaged: blobs/sha256/[0-9a-f]* has another digest' "a blob that was changed"
rm "$layer" && image_pack x bad.tar
refused 'incomplete: it has no blobs/sha256/' "a blob that lacks"
build twice 'containerImages: [tiny.tar, tiny.tar.gz]'
like "$status:$log" '1:.*tiny\.tar\.gz: docker\.io/library/tiny:1 is in another archive, too' "an image twice"
build absent 'containerImages: [absent.tar]'
like "$status:$log" '1:.*absent\.tar: No such file or directory; name an archive' "a file that is not there"

# ---- a real containerd ----

mkdir bin
components=$("$OLDPWD/qemu-tests/make-components") || exit 1
tar -C bin --strip-components=1 -xzf "$components"/containerd-*.tar.gz
sed "s|/usr/lib/nodebake/images|$tmp/images|" "$import" >import-images
chmod 755 import-images
out=$(unshare -rm bash "$script" inside "$tmp" "$tmp/bin" 2>err)
is "$?:$out" "0:imported docker.io/library/tiny:1
imported k8s.gcr.io/pause:3.4.1
imported other.example:5000/a/b:2
docker.io/library/tiny:1
k8s.gcr.io/pause:3.4.1
other.example:5000/a/b:2
--
--
docker.io/library/tiny:1
imported docker.io/library/tiny:1" "containerd has them; again nothing is done, but for one that was removed"
diag "$(<err)"
done_testing
