# shellcheck shell=bash
# The cache of what the test bed makes: a folder a result, named after the digest of its inputs.
#
#   ~/.cache/nodebake/KIND-DIGEST/       complete: it appears by rename
#   ~/.cache/nodebake/.KIND.lock         held by whoever makes that kind
#   ~/.cache/nodebake/.KIND.work/        half made; removed by its maker, or by the next one
#
# To be sourced after host.sh.

suite=bookworm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nodebake

# cache_key FILE…: the digest that stands for these inputs.
cache_key() {
    {
        printf '%s %s\n' "$suite" "$(dpkg --print-architecture)"
        cat -- "$@"
    } | sha256sum | cut -c 1-16
}

# cache_make KIND NAME MAKER: calls `MAKER WORK` with a new folder, in which it leaves the result
# as WORK/out, and publishes that as NAME. Two makers of a kind do not run at once; who waited
# finds the result there. With REFRESH=1 an old result is replaced.
cache_make() {
    local kind=$1 name=$2 maker=$3
    work=$cache/.$kind.work
    mkdir -p "$cache"
    exec {cache_lock}>"$cache/.$kind.lock"
    flock -n "$cache_lock" || { say "waiting for another run"; flock "$cache_lock"; }
    if [[ ! -e $cache/$name || ${REFRESH:-0} -eq 1 ]]; then
        trap cache_clean EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        cache_remove "$work"
        mkdir -p "$work/out"
        "$maker" "$work"
        cache_publish "$work/out" "$cache/$name"
        cache_clean
        trap - EXIT HUP INT TERM
    fi
    exec {cache_lock}>&-
}

cache_publish() {
    find "$1" -type f -exec sync -- {} +
    if [[ -e $2 ]]; then
        mv -T -- "$2" "$work/old"
    fi
    mv -T -- "$1" "$2"
    sync -- "$cache"
}

cache_clean() {
    child_end
    cache_remove "$work"
}

# What was unpacked for an ordinary user belongs to others outside of its namespace.
cache_remove() {
    [[ -e $1 ]] || return 0
    local options
    mapfile -t options < <(users_options)
    enclosed "${options[@]}" -- rm -rf --one-file-system -- "$1"
}

# apt_sources TYPE: lines for sources.list (TYPE is deb or deb-src), from the mirrors that this
# host uses for the suite or for its own, else from Debian's.
apt_sources() {
    local signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]' uri codename
    apt_mirrors | while read -r uri codename; do
        printf '%s %s %s %s main\n' "$1" "$signed" "$uri" "$codename"
    done
}

apt_mirrors() {
    local found own
    own=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    for own in "$suite" "$own"; do
        found=$(apt_mirrors_of "$own")
        if grep -q " $own\$" <<<"$found"; then
            printf '%s\n' "${found// $own/ $suite}"
            return
        fi
    done
    printf '%s\n' "http://deb.debian.org/debian $suite" \
        "http://deb.debian.org/debian $suite-updates" \
        "http://deb.debian.org/debian-security $suite-security"
}

# apt_mirrors_of SUITE: "URI CODENAME" lines of the host's sources.
apt_mirrors_of() {
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' \
        'Origin: Debian' 'Component: main' |
        grep -E "^https?://[^ ]+ $1(-updates|-security)?\$" | sort -u || true
}
