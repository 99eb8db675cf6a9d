# shellcheck shell=bash
# What a scenario sources first, after it set `wants`: the images that it boots. Where they are not
# those of cluster.yaml.in as it is, it exports NB_BASE and NB_ADDS (see `images`), too. It then goes on
# in the private network, with dnsmasq running.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
. "$here/bases.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
nodebake=$build/nodebake

# Images are made before, in the host's network: packages have to come from somewhere.
lib_enter() {
    need qemu-system-x86_64 qemu-img dnsmasq socat jq openssl ip
    # shellcheck disable=SC2154 # the scenario's
    if [[ -v bases[${wants[0]}] ]]; then
        NB_IMAGES=$(lib_bases "${wants[@]}")
    else
        NB_IMAGES=$("$here/images" "${wants[@]}")
    fi
    NB_LOGS=${NB_LOGS:-$build/qemu-logs/$(basename "$0" .t)}
    export NB_IMAGES NB_LOGS
    rm -rf -- "$NB_LOGS"
    exec "$here/net" bash "$0" "$@"
}

# lib_bases NAME…: a folder with these bases.
lib_bases() {
    local name image folder=$build/qemu/bases
    mkdir -p "$folder"
    for name in "$@"; do
        image=$(base_image "$name")
        ln -sfn "$image" "$folder/$name.qcow2"
    done
    printf '%s\n' "$folder"
}

[[ -n ${NB_RUN:-} ]] || lib_enter "$@"

. "$here/../tests/tap.sh"
. "$here/net.sh"
. "$here/machine.sh"
net_services_start

# image_of NAME
image_of() {
    local file
    for file in "$NB_IMAGES/$1.raw" "$NB_IMAGES/$1.qcow2"; do
        [[ ! -e $file ]] || printf '%s\n' "$file"
    done
}

# passes NAME COMMAND…: a test that passes when the command succeeds; shows what it printed when not.
passes() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok "$status" "$name"
    [[ $status -eq 0 ]] || diag "status $status: $*"$'\n'"$output"
}

# passes_not NAME COMMAND…
passes_not() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok $((status == 0)) "$name"
    [[ $status -ne 0 ]] || diag "succeeded: $*"$'\n'"$output"
}
