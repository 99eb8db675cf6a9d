#!/bin/bash
# A base that truly lacks packages gets them from a folder of .deb files: what nodebake writes is
# compared with what dpkg itself makes of the same root. It needs no machine.
set -euo pipefail
. "$(dirname "$0")/host.sh"
. "$here/../tests/tap.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
need jq debugfs e2fsck qemu-img zstd dpkg-deb ldconfig
[[ $EUID -eq 0 ]] || need_users
[[ -x $build/nodebake ]] || die "$build/nodebake is not there: run make"
export LIBGUESTFS_BACKEND=direct
bare=$("$here/make-bare")
components=$("$here/make-components")
base=$bare/base.qcow2
work=$(mktemp -d)
as_root() {
    local options
    mapfile -t options < <(users_options)
    enclosed "${options[@]}" -- "$@"
}
trap 'as_root rm -rf "$work"' EXIT
trap 'exit 143' TERM
export XDG_CACHE_HOME=$work/cache
mkdir "$XDG_CACHE_HOME" "$work/debs"
cp "$bare"/debs/*.deb "$work/debs/"

# Where the layout of make-bare has the root.
root_at=$((262144 * 512))
# The profile's, and one that the cluster file asks for.
wanted='socat conntrack ipset iptables extra'
mkdir -p "$work/extra/DEBIAN" "$work/extra/etc"
echo setting >"$work/extra/etc/extra.conf"
echo /etc/extra.conf >"$work/extra/DEBIAN/conffiles"
printf '%s\n' 'Package: extra' 'Version: 1:2.0-1' 'Architecture: all' 'Maintainer: a <a@b>' \
    'Depends: netbase' 'Description: asked for by the cluster file' >"$work/extra/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/extra" "$work/debs/extra_2.deb" >/dev/null

sed "s|@BASE@|$base|; s|@COMPONENTS@|$components|; s|^artifacts:|debs: $work/debs\n&|" \
    "$here/cluster.yaml.in" >"$work/cluster.yaml"
echo 'packages: [extra]' >>"$work/cluster.yaml"
nodebake() {
    "$build/nodebake" build worker --cluster "$work/cluster.yaml" --out "$work/out" --quiet "$@"
}
prepared() { find "$XDG_CACHE_HOME/nodebake/bases" -name '*.raw' -newer "$work/mark"; }

# extract RAW FOLDER: its root, as root of namespaces. rdump knows no sparse files and no times.
extract() {
    mkdir "$2"
    as_root debugfs -R "rdump / $2" "$1?offset=$root_at" >/dev/null 2>&1
}

# in_root FOLDER COMMAND…
in_root() {
    as_root chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "${@:2}" 2>&1
}

# agrees FOLDER NAME: dpkg's and apt's own opinion.
agrees() {
    local package bad=()
    is "$(in_root "$1" dpkg -V)" '' "$2: dpkg -V has nothing to say"
    is "$(in_root "$1" dpkg --audit)" '' "$2: dpkg --audit has nothing to say"
    is "$(in_root "$1" apt-get check -qq)" '' "$2: apt-get check has nothing to say"
    for package in $wanted; do
        in_root "$1" dpkg -l "$package" | grep -q "^ii  $package " || bad+=("$package")
    done
    is "${bad[*]}" '' "$2: dpkg -l lists the packages as installed"
    is "$(in_root "$1" apt-mark showmanual | grep -cxE "${wanted// /|}|netbase|libwrap0")" 5 \
        "$2: apt knows which ones were asked for"
    like "$(in_root "$1" iptables --version)" '^iptables v.*nf_tables' "$2: iptables runs"
    like "$(in_root "$1" ipset --version)" '^ipset v' "$2: ipset runs"
    like "$(in_root "$1" conntrack --version)" '^conntrack v' "$2: conntrack runs"
    like "$(in_root "$1" socat -V)" 'socat version' "$2: socat runs"
}

# dpkg_root FOLDER PACKAGE…: the same root, in which dpkg installs them.
dpkg_root() {
    local package debs=()
    mkdir "$1"
    zstd -qdc "$bare/root.tar.zst" | as_root tar -C "$1" --numeric-owner --xattrs -xf -
    as_root mkdir "$1/debs"
    for package in "${@:2}"; do
        as_root cp "$work/debs/${package}_"*.deb "$1/debs/"
        debs+=("/debs/$(basename "$work/debs/${package}_"*.deb)")
    done
    in_root "$1" dpkg -i "${debs[@]}" >/dev/null
    as_root rm -r "$1/debs"
}

# meta FOLDER: type, mode, owner and target of all files that packages may have. rdump loses set-id
# and sticky bits.
meta() {
    as_root find "$1" -mindepth 1 \( -path "$1/dev" -o -path "$1/run" -o -path "$1/var/log" \
        -o -path "$1/var/cache" -o -path "$1/boot" -o -path "$1/lost+found" \) -prune -o \
        ! -path "$1/etc/fstab" ! -name '*-old' -printf '%P %y %m %U %G %l\n' |
        sed -E 's/^(.* [a-z]) [0-7]([0-7]{3}) /\1 \2 /' | LC_ALL=C sort
}

# ---- without the guest ----

before=$(sha256sum <"$base")
touch "$work/mark"
status=0
said=$(nodebake --dry-run 2>&1) || status=$?
is "$status" 0 "a dry run succeeds"
like "$said" 'would install .*extra.*iptables.* without starting it' "and says what would be installed"
is "$(prepared)$(ls "$work/out" 2>/dev/null)" '' "and makes nothing"

status=0
said=$(nodebake 2>&1) || status=$?
is "$status" 0 "a worker is built on a base without its packages"
diag "$said"
like "$said" 'installed .*libip6tc2.*iptables.*socat.* without starting it' "the packages are named"
direct=$(prepared)
is "$(e2fsck -fn "$direct?offset=$root_at" >/dev/null 2>&1; echo $?)" 0 "e2fsck finds it clean"
extract "$direct" "$work/ours"
agrees "$work/ours" "written"

mapfile -t chosen < <(sed -n '2s/^installed \(.*\) into a copy of .*/\1/p' "${direct%.raw}.txt" |
    sed 's/, /\n/g')
dpkg_root "$work/theirs" "${chosen[@]}"
for file in status info alternatives diversions triggers; do
    is "$(as_root diff -r "$work/theirs/var/lib/dpkg/$file" "$work/ours/var/lib/dpkg/$file" 2>&1)" \
        '' "/var/lib/dpkg/$file is what dpkg makes"
done
is "$(diff <(meta "$work/theirs") <(meta "$work/ours"))" '' \
    "so are all files, modes, owners and links"
for folder in etc usr; do
    is "$(as_root diff -r --no-dereference -x ld.so.cache -x fstab "$work/theirs/$folder" \
        "$work/ours/$folder" 2>&1)" '' "/$folder has the same content"
done
is "$(as_root ldconfig -p -C "$work/ours/etc/ld.so.cache" | tail -n +2)" \
    "$(as_root ldconfig -p -C "$work/theirs/etc/ld.so.cache" | tail -n +2)" \
    "the loader's cache has the same libraries in the same order"

said=$(nodebake 2>&1)
is "$said" "$work/out/worker.raw is up to date" "a second build does nothing"
XDG_CACHE_HOME=$work/cache2 nodebake >/dev/null
second=$(find "$work/cache2/nodebake/bases" -name '*.raw')
status=0
cmp "$direct" "$second" >/dev/null || status=$?
ok "$status" "another cache has the same bytes"
is "$(basename "$second")" "$(basename "$direct")" "under the same key"
rm -r "$work/cache2" "$work/out"

# ---- refused ----

rm "$work"/debs/libnsl2_*
status=0
said=$(nodebake 2>&1) || status=$?
is "$status" 1 "a folder without what is needed is refused"
like "$said" 'has libnsl2 .*needed by libwrap0' "what and who needs it is named"
is "$(find "$work/out" -type f -size +0 2>/dev/null)" '' "no image is made"
cp "$bare"/debs/libnsl2_*.deb "$work/debs/"

# ---- in the guest: a script that nodebake does not follow ----

dpkg-deb -R "$work"/debs/conntrack_*.deb "$work/conntrack"
cat >"$work/conntrack/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
id -u root >/etc/conntrack-made-by-its-script
invoke-rc.d conntrack start || echo refused >>/etc/conntrack-made-by-its-script
POSTINST
chmod 0755 "$work/conntrack/DEBIAN/postinst"
rm "$work"/debs/conntrack_*.deb
dpkg-deb --root-owner-group -b "$work/conntrack" "$work/debs/conntrack_1.deb" >/dev/null
touch "$work/mark"
status=0
said=$(nodebake 2>&1) || status=$?
is "$status" 0 "a worker is built with a package that only the guest can install"
like "$said" "by its own dpkg: conntrack: postinst: line 3: " "the reason is told"
guest=$(prepared)
diag "$said"
extract "$guest" "$work/guest"
agrees "$work/guest" "installed"
is "$(as_root head -n 1 "$work/guest/etc/conntrack-made-by-its-script")" 0 "its script ran"
is "$(as_root ls "$work/guest/usr/sbin/policy-rc.d" "$work/guest/var/cache/nodebake-debs" \
    "$work/guest/var/log/dpkg.log" "$work/guest/var/log/alternatives.log" 2>/dev/null)" '' \
    "what was there for the installation is gone"
is "$(sha256sum <"$base")" "$before" "the base image is as it was"
done_testing
