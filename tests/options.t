#!/usr/bin/env bash
# What each option of cluster.yaml changes in an image, file by file: golden/options/NAME.yaml is
# added to a cluster file, and NAME.diff is what the image has then that it has not without it.
# `REGOLD=1 tests/options.t` writes the differences anew.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home TMPDIR=$tmp
unset XDG_CACHE_HOME
cd "$tmp" || exit 1

# extend_system DIR: what the options need of a base.
extend_system()
{
    cp -r --no-preserve=mode,ownership "$golden/options/system/." "$1"
    chmod 0640 "$1"/etc/{shadow,gshadow}
    chmod 0755 "$1/usr/sbin/sshd"
    find "$1" -exec touch -hd @1500000000 {} +
}

# contents RAW DIR: the files of an image that nodebake put there, and how they lie there.
contents()
{
    mkdir -p "$2"
    debugfs -R "rdump / $2" "$1?offset=$((variant_root * 512))" 2>/dev/null
    jq -r '.entries[] | "\(.type) \(.mode // "") \(.uid // "") \(.gid // "") \(.path) \(.target // "")"' \
        "$2/usr/lib/nodebake/manifest.json" >"$2/entries"
    rm -rf "$2"/usr/lib/nodebake/{manifest,image}.json "$2"/boot/initrd.img-*
}

# build CLUSTER OUT: sets status and log.
build()
{
    "$nodebake" build worker --quiet --writer ext4 --cluster "$1" --out "$2" >/dev/null 2>log
    status=$?
    log=$(<log)
    [ $status -ne 0 ] || contents "$2/worker.raw" "$2/files"
}

make_artifacts .
make_system system
extend_system system
make_variant 4k base.raw system
cp -r "$golden/options/host/." .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
build cluster.yaml plain
is "$status:$log" 0: "an image without options"

for option in "$golden"/options/*.yaml; do
    name=$(basename "$option" .yaml)
    cat cluster.yaml "$option" >"with-$name.yaml"
    rm -rf with
    build "with-$name.yaml" with
    is "$status:$log" 0: "$name: the image is built"
    (diff -rN -U0 --no-dereference plain/files with/files 2>/dev/null |
        sed 's/^\(---\|+++\) \([^\t]*\).*/\1 \2/; s/^@@.*/@@/') >changes
    [ -z "${REGOLD:-}" ] || cp changes "$golden/options/$name.diff"
    diff -u "$golden/options/$name.diff" changes >diff
    ok $? "$name: changes what it should"
    diag "$(<diff)"
    "$nodebake" plan worker --cluster "with-$name.yaml" >plan 2>err
    is "$?:$(<err)" 0: "$name: is planned"
done
done_testing
