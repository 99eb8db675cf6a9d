# shellcheck shell=bash
# shellcheck disable=SC2154 # host.sh sets it
# The bases that scenarios name, and how make-base makes them. To be sourced after host.sh.

declare -A bases=(
    [base]=''
    [base-trixie]='--suite trixie'
    [base-ubuntu]='--layout ubuntu'
    [base-mbr]='--layout mbr'
    [base-lvm-xfs]='--layout lvm-xfs'
    [stock-debian]='--stock debian'
    [stock-trixie]='--stock debian --suite trixie'
    [stock-ubuntu]='--stock ubuntu --layout ubuntu'
    [stock-old]='--stock debian-11 --layout mbr'
)

# base_image NAME: its path.
base_image() {
    local options
    [[ -v bases[$1] ]] || die "no such base: $1"
    read -ra options <<<"${bases[$1]}"
    "$here/make-base" "${options[@]}"
}
