#!/usr/bin/env bash
# The same inputs give the same bytes: in another folder, time zone, language, at another time, by
# another user with another umask, on one core.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
export TMPDIR=$tmp
unset SOURCE_DATE_EPOCH XDG_CACHE_HOME
chmod 0755 "$tmp"
cd "$tmp" || exit 1

options=(--format raw --format qcow2 --format gce)

# build FOLDER [COMMAND...]: builds there, run by the command; sets status.
build()
{
    local folder=$1
    shift
    mkdir "$folder/tmp"
    (cd "$folder" && HOME=$PWD/home TMPDIR=$PWD/tmp "$@" "$nodebake" build worker-0 worker-1 --quiet \
        --writer ext4 "${options[@]}" 2>log >/dev/null)
    status=$?
}

# sums FOLDER: of all that was made.
sums() { (cd "$1/out" && sha256sum -- *); }

# input FOLDER: a copy of everything that a build reads.
input()
{
    mkdir -p "$1"
    cp -r --sparse=always inputs/. "$1"
}

mkdir inputs
make_artifacts inputs
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >inputs/cluster.yaml
make_system system
make_variant "${VARIANT:-4k}" inputs/base.raw system
input first
build first env TZ=UTC LC_ALL=C
is "$status:$(<first/log)" 0: "a build"
reference=$(sums first)
is "$(cd first/out && echo *)" \
    "worker-0.qcow2 worker-0.raw worker-0.tar.gz worker-1.qcow2 worker-1.raw worker-1.tar.gz worker.qcow2" \
    "has these files"
cp -r first/pki inputs/

# same NAME FOLDER COMMAND...
same()
{
    local name=$1 folder=$2
    shift 2
    mkdir -p "${folder%/*}"
    input "$folder"
    build "$folder" "$@"
    is "$status:$(<"$folder/log")" 0: "$name: builds"
    is "$(sums "$folder")" "$reference" "$name: the same bytes"
    rm -rf "$folder"
}

# Root becomes nobody, who must be able to read the program; anybody else the root of a namespace.
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
as_other_user()
{
    if [ "$(id -u)" -eq 0 ] && "${nobody[@]}" test -x "$nodebake"; then
        chown -R 65534:65534 "$PWD"
        "${nobody[@]}" "$@"
    else
        unshare --user --map-root-user "$@"
    fi
}

sleep 1.1
same "later, in another folder" "another folder/of another length/here" env
same "another time zone and language" tz env TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=de_DE.UTF-8
same "another umask" umask bash -c 'umask 0077; exec "$@"' _
same "one core" core taskset -c 0
same "low priority, few files" nice nice -n 19 bash -c 'ulimit -n 64; exec "$@"' _
same "another day" day faketime -f +3d
same "another user" user as_other_user
# The same content, with blocks for all of its zeros.
without_holes()
{
    cp --sparse=never base.raw whole.raw
    mv whole.raw base.raw
    "$@"
}
same "a base without holes" holes without_holes
same "no network, root of a namespace" namespace unshare --user --map-root-user --net

# The date that is given is that of all files.
SOURCE_DATE_EPOCH=1577836800 same "SOURCE_DATE_EPOCH as the default" epoch env
export SOURCE_DATE_EPOCH=1600000000
input epoch
build epoch env
is "$status:$(<epoch/log)" 0: "another SOURCE_DATE_EPOCH: builds"
is "$(sort <(sums epoch) <(echo "$reference") | uniq -d)" '' "another SOURCE_DATE_EPOCH: other bytes in every file"
reference=$(sums epoch)
same "the same SOURCE_DATE_EPOCH again" epoch2 env TZ=America/New_York
unset SOURCE_DATE_EPOCH

options=(--format qcow2 --full --compression zlib)
input full
build full env
is "$status:$(<full/log)" 0: "whole qcow2 images, zlib"
reference=$(sums full)
same "whole qcow2 images, zlib, on one core" full2 taskset -c 0
done_testing
