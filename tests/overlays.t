#!/usr/bin/env bash
# What several profiles or roles need stands once: no two overlays hold the same file, whatever its
# path, and those that hold different files of one path are alternatives.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
overlays=${OVERLAYS:-overlays}

# Of each line, one overlay at most goes into an image.
alternatives='containerd docker
containerd containerd-v1-runtime
cni-bridge cni-calico cni-flannel cni-bridge-template
hard-way-worker srv-kubernetes-worker'

# are_alternatives NAME OTHER
are_alternatives()
{
    local line
    while read -r line; do
        [[ " $line " == *" $1 "* && " $line " == *" $2 "* ]] && return
    done <<<"$alternatives"
    return 1
}

# twice: files that have the content of one before, a line each.
twice()
{
    (cd "$overlays" && find . -type f -size +0 -exec sha256sum {} + | LC_ALL=C sort -k2 |
        awk '{ digest = $1; sub(/^[^ ]+ +\.\//, ""); split($0, a, "/"); if (!(digest in seen)) { seen[digest] = $0; of[digest] = a[1] } else if (of[digest] != a[1]) print $0, "is", seen[digest] }')
}
is "$(twice)" "" "no two overlays hold the same file"

# fights: paths that two overlays hold which are no alternatives.
fights()
{
    local path overlay other before=
    while read -r path overlay; do
        if [[ $path == "$before" ]]; then
            are_alternatives "$overlay" "$other" || echo "$path: $overlay, $other"
        fi
        before=$path other=$overlay
    done < <(cd "$overlays" && find . -mindepth 2 ! -type d -printf '%P\n' |
        sed -E 's,^([^/]+)/(.*),\2 \1,' | LC_ALL=C sort)
}
is "$(fights)" "" "no path is in two overlays of one image"

# A test that cannot fail is none.
if [ -z "${OVERLAYS:-}" ]; then
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    cp -r overlays "$tmp/overlays"
    mkdir -p "$tmp/overlays/other/etc/systemd/system"
    cp overlays/common-worker/etc/systemd/system/kube-proxy.service "$tmp/overlays/other/etc/"
    echo other >"$tmp/overlays/other/etc/systemd/system/kube-proxy.service"
    out=$(OVERLAYS=$tmp/overlays tests/overlays.t 2>&1)
    like "$out" 'not ok 1 .*other/etc/kube-proxy.service is common-worker/etc/systemd/system/kube-proxy.service' \
        "a copy is found"
    like "$out" 'not ok 2 .*etc/systemd/system/kube-proxy.service: other, common-worker' "and a fight for a path"
fi
done_testing
