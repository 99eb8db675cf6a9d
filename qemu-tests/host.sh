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

# need_namespaces: the right to make a user namespace; need_users: one of many users. unshare itself
# may leave a helper behind that waits for ever when it is refused.
need_namespaces() {
    unshare --user --map-root-user true 2>/dev/null ||
        die "this system lets $(id -un) make no user namespaces (a chroot, or a sysctl)"
}

need_users() {
    local file
    need_namespaces
    need newuidmap newgidmap
    for file in /etc/subuid /etc/subgid; do
        grep -qE "^($(id -un)|$EUID):" "$file" || die "$file has no line for $(id -un)"
    done
}

# users_options: how unshare lets an ordinary user own files of any uid; root needs nothing.
users_options() {
    [[ $EUID -ne 0 ]] || return 0
    printf '%s\n' --map-root-user --map-auto
}

# enclosed OPTION… -- COMMAND…: the command in a mount and a pid namespace of its own (and in
# those that the options of unshare ask for). Whatever it starts, and every mount, is gone when it
# ends, when this shell is killed, or on `child_end`.
#
#   this shell ── unshare ── setpriv ── unshare ── COMMAND is pid 1
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
    child_wait $! KILL
}

# attended COMMAND…: a command that cleans up after itself, and is told when this shell is killed.
attended() {
    setpriv --pdeathsig TERM -- "$@" <&0 &
    child_wait $! TERM
}

# child_wait PID SIGNAL: returns its exit status; until then child_end ends it by that signal.
child_wait() {
    local status=0
    child_pid=$1 child_signal=$2
    wait "$child_pid" || status=$?
    child_pid=
    return "$status"
}

child_end() {
    # Not a bare `return`: in a trap that hands on the status from before it.
    [[ -n ${child_pid:-} ]] || return 0
    kill -s "$child_signal" "$child_pid" 2>/dev/null || true
    wait "$child_pid" 2>/dev/null || true
    child_pid=
}
