# Folders that look like the root of an image, for the scripts that test firstboot: source it;
# call begin_fake_root first.

# begin_fake_root: files are to be root's, so anybody else's script runs again as root of a user
# namespace. Sets firstboot, tmp (a folder that goes away at the end) and R (for make_root), and
# writes the facts of worker-0 to $tmp/facts.
begin_fake_root()
{
    [ "$(id -u)" -eq 0 ] || exec unshare -Ur "tests/${0##*/}"
    firstboot=$PWD/${BUILD:-build}/firstboot
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    R=$tmp/root
    make_facts >"$tmp/facts"
}

# make_root DIR [CONTRACT]: an image of worker-0 that was never booted.
make_root()
{
    local lib=$1/usr/lib/nodebake
    rm -rf "$1"
    mkdir -p "$lib/templates/etc/cni/net.d" "$lib/templates/var/lib/kubelet" \
        "$lib/templates/etc/systemd/system-preset" "$lib/identity" "$1/etc/systemd/system" \
        "$1/usr/bin" "$1/run" "$1/var/lib"
    chmod 0700 "$lib/templates" "$lib/identity"
    ln -s usr/bin "$1/bin"
    ln -s /run "$1/var/run"
    cp "${2:-tests/golden/contract-worker-0}" "$lib/contract"
    echo localhost >"$1/etc/hostname"
    echo '@NODE_NAME@' >"$lib/templates/etc/hostname"
    printf '127.0.0.1 localhost\n@INTERNAL_IP@ @NODE_NAME@\n' >"$lib/templates/etc/hosts"
    printf '{\n  "name": "bridge",\n  "subnet": "@POD_CIDR@"\n}\n' \
        >"$lib/templates/etc/cni/net.d/10-bridge.conf"
    printf 'podCIDR: "@POD_CIDR@"\nuser: a@@b @ c\n' \
        >"$lib/templates/var/lib/kubelet/kubelet-config.yaml"
    printf 'enable kubelet.service\n' >"$lib/templates/etc/systemd/system-preset/00-nodebake.preset"
    (
        umask 077
        echo 'a certificate' >"$lib/identity/worker-0.pem"
        echo 'a key @NODE_NAME@' >"$lib/identity/worker-0-key.pem" # no template: stays as it is
        echo 'a kubeconfig' >"$lib/identity/worker-0.kubeconfig"
    )
}

# The facts of worker-0.
make_facts()
{
    printf 'NODE_NAME=worker-0\nINTERNAL_IP=10.240.0.20\nPOD_CIDR=10.200.0.0/24\n'
}

# make_dmi DIR UUID [PRODUCT]: what the firmware of a GCE machine says.
make_dmi()
{
    mkdir -p "$1"
    echo Google >"$1/sys_vendor"
    echo Google >"$1/bios_vendor"
    echo "${3:-Google Compute Engine}" >"$1/product_name"
    echo "$2" >"$1/product_uuid"
}

# content DIR: every entry with its type, mode, owner, and what it holds.
content()
{
    (cd "$1" && find . -printf '%p %y %m %U:%G %l\n' | sort &&
        find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# state DIR: the content, and whether anything was touched.
state()
{
    content "$1" && (cd "$1" && find . -printf '%p %i %T@ %C@\n' | sort)
}

# left_over DIR: temporary files.
left_over()
{
    find "$1" -name '*.nodebake' -o -name '*.nodebake-tmp'
}

# enabled DIR: what would start.
enabled()
{
    find "$1"/etc/systemd/system/*.wants "$1/etc/systemd/system-preset" -mindepth 1 2>/dev/null
}
