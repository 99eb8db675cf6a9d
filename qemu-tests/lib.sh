# shellcheck shell=bash
# What a scenario sources first: it goes on in the private network, with dnsmasq running.

. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
[[ $here != *[[:space:],]* ]] || die "qemu cannot take a path with blanks or commas: $here"

build=${BUILD:-$here/../build}
nodebake=$build/nodebake

# Images are made before, in the network of the host: packages have to come from somewhere.
lib_prepare() {
    if [[ ${scenario_needs:-images} == images ]]; then
        NB_IMAGES=$("$here/images")
        export NB_IMAGES
    else
        NB_BASE=$("$here/make-base")
        export NB_BASE
    fi
}

if [[ -z ${NB_RUN:-} ]]; then
    need qemu-system-x86_64 qemu-img dnsmasq socat jq ip
    lib_prepare
    export NB_LOGS=${NB_LOGS:-$build/qemu-logs/$(basename "$0" .t)}
    rm -rf -- "$NB_LOGS"
    exec "$here/net" bash "$0" "$@"
fi

. "$here/net.sh"
. "$here/machine.sh"
. "$here/tap.sh"
net_dhcp_start
