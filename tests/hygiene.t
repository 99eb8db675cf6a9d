#!/usr/bin/env bash
# A base that has run leaves nothing of that in the images: neither files nor bytes in free blocks.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
. tests/ext4.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
export HOME=$tmp/home TMPDIR=$tmp
unset SOURCE_DATE_EPOCH XDG_CACHE_HOME
mkdir "$HOME"
cd "$tmp" || exit 1

machine=0123456789abcdef0123456789abcdef

# What goes: path, and the kind under which inspect counts it. A slash at the end: the directory
# goes, too. Each file holds its path after a word that stands nowhere else.
dirty="\
/etc/ssh/ssh_host_ed25519_key sshHostKeys
/etc/ssh/ssh_host_ed25519_key.pub sshHostKeys
/etc/ssh/ssh_host_rsa_key sshHostKeys
/home/user/.bash_history shellHistories
/root/.bash_history shellHistories
/root/.python_history shellHistories
/tmp/.hidden/ temporaryFiles
/tmp/.hidden/file temporaryFiles
/tmp/build/ temporaryFiles
/tmp/build/deep/ temporaryFiles
/tmp/build/deep/file temporaryFiles
/var/cache/apt/archives/curl_1_amd64.deb packageCaches
/var/cache/apt/archives/partial/wget_1_amd64.deb packageCaches
/var/cache/apt/pkgcache.bin packageCaches
/var/crash/_usr_bin_x.0.crash crashDumps
/var/lib/NetworkManager/internal-1-eth0.lease dhcpLeases
/var/lib/NetworkManager/secret_key machineIdentity
/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease packageCaches
/var/lib/cloud/data/instance-id cloudInit
/var/lib/cloud/instances/i-0123/ cloudInit
/var/lib/cloud/instances/i-0123/sem/ cloudInit
/var/lib/cloud/instances/i-0123/sem/config_ssh cloudInit
/var/lib/cloud/sem/config_scripts_per_once.once cloudInit
/var/lib/dbus/machine-id machineIdentity
/var/lib/dhcp/dhclient.eth0.leases dhcpLeases
/var/lib/dhcpcd/eth0.lease dhcpLeases
/var/lib/systemd/coredump/core.x.zst crashDumps
/var/lib/systemd/random-seed randomSeed
/var/log/apt/history.log logs
/var/log/cloud-init.log logs
/var/log/journal/$machine/ logs
/var/log/journal/$machine/system.journal logs
/var/log/syslog logs
/var/tmp/cloud-init/ temporaryFiles
/var/tmp/cloud-init/x temporaryFiles"
dirty_paths=$(cut -d' ' -f1 <<<"$dirty")

# What stays, with the same meaning.
clean="\
/etc/apparmor.d/usr.sbin.x
/etc/ssh/sshd_config
/home/user/.ssh/authorized_keys
/root/.bashrc
/var/cache/apparmor/cache
/var/lib/apt/extended_states
/var/lib/cloud/scripts/per-boot/x
/var/lib/cloud/seed/nocloud/user-data
/var/lib/systemd/timesync/clock
/var/log/journal/
/var/lib/apt/lists/partial/
/var/lib/cloud/instances/"

# put_all SYSTEM WORD PATHS: secret are those that their programs keep secret.
put_all()
{
    local path
    while read -r path; do
        if [ "${path: -1}" = / ]; then
            mkdir -p "$1$path"
            continue
        fi
        mkdir -p "$1${path%/*}"
        printf '%s of %s\n%.0s' "$2" "$path" {1..200} >"$1$path"
        case $path in
        *_key | *_history | *random-seed | *secret_key) chmod 0600 "$1$path" ;;
        esac
    done <<<"$3"
}

# present FS PATHS: how many of them are there.
present()
{
    fs_tree "$1" | cut -f1 | grep -c -x -F -f <(sed 's|/$||' <<<"$2")
}

count() { wc -l <<<"$1"; }
root_of() { echo "$1?offset=$((variant_root * 512))"; }

inspect()
{
    status=0
    "$nodebake" inspect --quiet "$1" --json >out.json 2>err.txt || status=$?
}

# kinds: those that inspect has counted.
kinds() { jq -r '.hygiene | to_entries[] | select(.value.count? > 0) | .key' out.json | sort | tr '\n' ' '; }

make_artifacts .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
make_system system
make_grub system
put_all system DIRT-5c1b "$dirty_paths"
put_all system KEPT-77e2 "$clean"
: >system/var/log/lastlog
: >system/var/lib/apt/lists/lock
: >system/root/.lesshst
: >system/tmp/empty
ln -s /var/lib/cloud/instances/i-0123 system/var/lib/cloud/instance
ln -s ../../usr/share/doc/README system/var/log/README
# One name of a file goes, the other one is somebody's.
echo "the other name" >system/tmp/linked
ln system/tmp/linked system/srv/other-linked

variants="4k 1k inode-128"
[ -z "${FULL:-}" ] || variants=${variants_good[*]}
for variant in $variants; do
    rm -rf out cache "$HOME"
    mkdir "$HOME"
    make_variant $variant base.raw system
    base=$(root_of base.raw) image=$(root_of out/worker-0.raw)
    is "$(present "$base" "$dirty_paths")" "$(count "$dirty_paths")" "$variant: the base is dirty"
    "$nodebake" build worker-0 --quiet --writer ext4 --format raw --format qcow2 >build.log 2>&1
    is "$?:$(grep -v -e ^wrote -e ^pki build.log)" "0:" "$variant: an image is made of it"
    e2fsck -fn "$image" >fsck.txt 2>&1
    ok $? "$variant: e2fsck finds nothing"
    is "$(present "$image" "$dirty_paths")" 0 "$variant: all dirt is gone"
    is "$(present "$image" "/var/lib/cloud/instance
/tmp/empty
/tmp/linked")" 0 "$variant: so are links and empty files"
    is "$(present "$image" "$clean
/var/log/README
/var/log/lastlog
/var/lib/apt/lists/lock")" "$(($(count "$clean") + 3))" "$variant: what is no dirt stays"
    is "$(fs_tree "$image" | awk -F'\t' '$1 == "/srv/other-linked" { print $7 }')" 1 \
        "$variant: a file that had another name has that one only"
    is "$(grep -c -a DIRT-5c1b base.raw):$(grep -c -a DIRT-5c1b out/worker-0.raw)" \
        "$(grep -c -a DIRT-5c1b base.raw):0" "$variant: no byte of it is left in the image"
    [ "$(grep -c -a KEPT-77e2 out/worker-0.raw)" -gt 0 ]
    ok $? "$variant: (bytes that stay are found)"
done

inspect base.raw
is "$(kinds)" "$(printf '%s\n' authorizedKeys $(cut -d' ' -f2 <<<"$dirty") | sort -u | tr '\n' ' ')" \
    "inspect sees every kind in the base"
inspect out/worker-0.raw
is "$status:$(<err.txt)" 0: "inspect finds nothing wrong with the image"
is "$(kinds)" "authorizedKeys " "and nothing dirty; the base's authorized keys are told only"
is "$(jq -r .hygiene.machineId out.json)" uninitialized "its machine-id is that of a machine to come"
inspect out/worker-0.qcow2
is "$status:$(kinds)" "0:authorizedKeys " "so is the image that lies on its role's"
qemu-img convert -O raw out/worker-0.qcow2 flat.raw
cmp flat.raw out/worker-0.raw
ok $? "which is the same disk"

# The same bytes again, from scratch, and by an update.
"$nodebake" build worker-0 --quiet --out again >build.log 2>&1
cmp out/worker-0.raw again/worker-0.raw
ok $? "a second build gives the same bytes"
rm pki/worker-0{.pem,-key.pem,.kubeconfig}
"$nodebake" build worker-0 --out again >build.log 2>&1
like "$(<build.log)" "copy the last worker-0" "a new certificate: the last image is updated"
"$nodebake" build worker-0 --quiet --out scratch >build.log 2>&1
cmp again/worker-0.raw scratch/worker-0.raw
ok $? "with the bytes of a build from scratch"
strace -e trace=openat -o trace "$nodebake" build --quiet worker-0 --out again >/dev/null
is "$(grep -c 'base\.raw", O_R' trace)" 0 "without changes the base is not even opened"

# What is there again.
manifest=$(debugfs -R 'cat /usr/lib/nodebake/manifest.json' "$(root_of again/worker-0.raw)" 2>/dev/null)
is "$(jq -c '[.entries[] | select(.type == "gone") | keys] | unique' <<<"$manifest")" '[["path","type"]]' \
    "the manifest names what went"
is "$(jq -r '.entries[] | select(.type == "gone" and (.path | startswith("/tmp/"))) | .path' <<<"$manifest" | tr '\n' ' ')" \
    "/tmp/.hidden /tmp/build /tmp/empty /tmp/linked " "directories as a whole"
cp again/worker-0.raw work.raw
echo a new key >key
variant_debugfs "$(root_of work.raw)" "write key /etc/ssh/ssh_host_rsa_key"
inspect work.raw
is "$status:$(jq -r '.problems[] | .kind + " " + .path' out.json)" "1:present /etc/ssh/ssh_host_rsa_key" \
    "a host key that is there again is a problem"
is "$(jq .hygiene.sshHostKeys.count out.json)" 1 "and counted"
printf 'nodebake-stamp 1\nsource gce\nidentity product_uuid:1\nnode worker-0\n' >stamp
variant_debugfs "$(root_of work.raw)" "write stamp /var/lib/nodebake/stamp"
inspect work.raw
is "$status:$(jq -r '.nodebake.files.writtenByBoot | join(" ")' out.json)" "0:/etc/ssh/ssh_host_rsa_key" \
    "on a machine that came up it is none"
done_testing
