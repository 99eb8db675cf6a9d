# shellcheck shell=bash
# What every script of the test bed wants from the host: messages, tools, and a place that dies with
# the script. To be sourced under `set -euo pipefail`.

# shellcheck disable=SC2034 # for those who source this
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# need TOOL…: a missing tool is a failure, never a skip. Daemons are in sbin, which an ordinary
# user's PATH lacks.
need() {
    local tool missing=()
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    for tool in "$@"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [[ ${#missing[@]} -eq 0 ]] || die "not installed: ${missing[*]} (make deps installs what the tests use)"
}

# users_options: how unshare lets an ordinary user own files of any uid; root needs nothing.
users_options() {
    [[ $EUID -ne 0 ]] || return 0
    printf '%s\n' --map-root-user --map-auto
}

# enclosed OPTION… -- COMMAND…: the command in a mount and a pid namespace of its own (and in
# those that the options of unshare ask for). Whatever it starts, and every mount, is gone when it
# ends, when this shell is killed, or when `enclosed_pid` is.
#
#   this shell ── unshare ── setpriv ── unshare (enclosed_pid) ── COMMAND is pid 1
#
# A new user namespace clears the parent-death signal; so it is set after that, by setpriv.
enclosed() {
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    unshare "${options[@]}" --mount -- setpriv --pdeathsig KILL -- \
        unshare --pid --fork --kill-child --mount-proc -- "$@" <&0 &
    enclosed_pid=$!
    local status=0
    wait "$enclosed_pid" || status=$?
    enclosed_pid=
    return "$status"
}

# enclosed_kill: ends what `enclosed` runs.
enclosed_kill() {
    # Not a bare `return`: in a trap that hands on the status from before it.
    [[ -n ${enclosed_pid:-} ]] || return 0
    kill -KILL "$enclosed_pid" 2>/dev/null || true
    wait "$enclosed_pid" 2>/dev/null || true
}
