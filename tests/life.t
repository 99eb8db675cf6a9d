#!/usr/bin/env bash
# What the programs of a system make of the files that an image gets: apt of the packages that
# unattended upgrades leave alone, ufw and iptables of rules that let the cluster through, and
# whether a user's overlay that changes makes a new image. Needs: apt, ufw, iptables, unshare, perl.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
if [ "${1:-}" = inside ]; then # NAME FOLDER: root of private namespaces
    mount --bind "$3" /etc/ufw && mount -t tmpfs none /run && ip link set lo up || exit 1
    case $2 in
    test) iptables-restore --test <"$3/user.rules" ;;
    show) ufw --force enable >/dev/null && ufw status && iptables -S ;;
    esac
    exit
fi
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
script=$PWD/tests/life.t
PATH=$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home TMPDIR=$tmp
unset XDG_CACHE_HOME
cd "$tmp" || exit 1

# build NAME LINE…: builds the worker with these lines in the cluster file; sets status and log.
build()
{
    local name=$1
    shift
    { cat cluster.yaml; printf '%s\n' "$@"; } >"$name.yaml"
    "$nodebake" build worker --quiet --writer ext4 --cluster "$name.yaml" --out "images-$name" >out 2>log
    status=$?
    log=$(<log)
}

# from IMAGE PATH TO: a file of an image.
from()
{
    debugfs -R "dump $2 $3" "$1?offset=$((variant_root * 512))" 2>/dev/null
}

# An active ufw, as its package sets it up.
add_ufw()
{
    mkdir -p "$1/etc/ufw" "$1/etc/systemd/system/multi-user.target.wants" "$1/usr/lib/systemd/system"
    cp /usr/share/ufw/iptables/*.rules "$1/etc/ufw"
    echo '#net/ipv4/ip_forward=1' >"$1/etc/ufw/sysctl.conf"
    printf 'ENABLED=yes\nLOGLEVEL=low\n' >"$1/etc/ufw/ufw.conf"
    echo '[Unit]' >"$1/usr/lib/systemd/system/ufw.service"
    ln -s /lib/systemd/system/ufw.service \
        "$1/etc/systemd/system/multi-user.target.wants/ufw.service"
}

make_artifacts .
make_system system
make_grub system
make_variant 4k plain.raw system
add_ufw system
make_variant 4k ufw.raw system
sed 's/^image: .*/image: plain.raw/' "$golden/cluster.yaml" >cluster.yaml

mkdir -p site/etc
echo 'site @CLUSTER_NAME@' >site/etc/site
head -c 300000 /dev/urandom >site/etc/large
build site 'overlays: [site]'
is "$status:$log" 0: "an image with an overlay of the user's"
from images-site/worker.raw /etc/large large
cmp -s site/etc/large large
ok $? "a large file of it is in the image as it is"
build site 'overlays: [site]'
is "$(<out)" "images-site/worker.raw is up to date" "the same overlay makes no new image"
echo 'site 2' >site/etc/site
build site 'overlays: [site]'
from images-site/worker.raw /etc/site text
is "$status:$(<text)" "0:site 2" "a changed one does"
printf x | dd of=site/etc/large conv=notrunc status=none
build site 'overlays: [site]'
from images-site/worker.raw /etc/large large
cmp -s site/etc/large large
is "$status:$?" 0:0 "so does a changed byte of a large file"
chmod 0755 site/etc/site
build site 'overlays: [site]'
is "$(debugfs -R 'stat /etc/site' "images-site/worker.raw?offset=$((variant_root * 512))" 2>/dev/null |
    grep -o 'Mode: *[0-7]*')" "Mode:  0755" "and a changed mode"
mkfifo site/etc/fifo
build site 'overlays: [site]'
like "$status:$log" "1:.*site/etc/fifo: neither file, link nor folder" "a FIFO is refused"

# The patterns of the unattended upgrades of an image, a line each.
patterns()
{
    rm -rf parts && mkdir parts
    from "$1" /etc/apt/apt.conf.d/60nodebake parts/60nodebake
    from "$1" /etc/apt/apt.conf.d/60nodebake-containerd parts/60nodebake-containerd
    from "$1" /etc/apt/apt.conf.d/60nodebake-kernel parts/60nodebake-kernel
    printf 'Unattended-Upgrade::Package-Blacklist {\n"libc6$";\n};\n' >parts/50unattended-upgrades
    echo "Dir::Etc::Parts \"$tmp/parts\";" >apt.conf
    APT_CONFIG=$tmp/apt.conf apt-config dump | sed -n 's/^Unattended.*:: "\(.*\)";$/\1/p'
}

# held PATTERNS PACKAGE…: those that one of the patterns matches at the beginning of the name.
held()
{
    perl -e 'open my $f, "<", shift; chomp(my @p = <$f>);
        print join " ", grep { my $n = $_; grep { $n =~ /^(?:$_)/ } @p } @ARGV' "$@"
}

packages="libc6 libc6-dev bash linux-base linux-libc-dev runc runc-doc containerd containerd.io
    kubelet kubernetes-cni kubecolor"
kernels="linux-image-cloud-amd64 linux-image-6.1.0-18-amd64 linux-headers-amd64
    linux-modules-extra-6.8.0-31-generic linux-virtual linux-gcp linux-aws-6.8"
patterns images-site/worker.raw >held
is "$(sed -n 1p held)" 'libc6$' "the base's own patterns stay"
# shellcheck disable=SC2086 # words
is "$(held held $packages)" "libc6 runc containerd containerd.io kubelet kubernetes-cni" \
    "apt reads that what nodebake brings is held"
# shellcheck disable=SC2086
is "$(held held $kernels)" "$(echo $kernels)" "and every kernel"
build allow 'kernelUpdates: allow'
patterns images-allow/worker.raw >allowed
# shellcheck disable=SC2086
is "$status:$(held allowed $kernels runc)" "0:runc" "kernelUpdates: allow holds no kernel"

sed -i 's/^image: .*/image: ufw.raw/' cluster.yaml
build refuse
like "$status:$log" "1:.*the base has an active firewall, ufw, " "an active ufw is refused"
build disable 'firewall: disable'
from images-disable/worker.raw /etc/ufw/ufw.conf conf
is "$status:$log:$(head -1 conf)" "0::ENABLED=no" "firewall: disable switches it off"
build open 'firewall: open'
mkdir -p ufw/applications.d
for file in ufw.conf user.rules user6.rules before.rules before6.rules after.rules after6.rules \
    sysctl.conf; do
    from images-open/worker.raw "/etc/ufw/$file" "ufw/$file"
done
is "$status:$log:$(head -1 ufw/ufw.conf)" "0::ENABLED=yes" "firewall: open leaves it on"
touch ufw/{before,after}.init
find ufw -type f -exec chmod 0640 {} +
if ! unshare -Urnm true 2>/dev/null; then
    echo "Bail out! private namespaces are not possible here"
    exit 1
fi
unshare -Urnm "$script" inside test "$tmp/ufw" 2>err
is "$?:$(<err)" 0: "iptables-restore takes the rules"
unshare -Urnm "$script" inside show "$tmp/ufw" >shown 2>err
is "$?:$(<err)" 0: "ufw starts with them"
is "$(grep -c '# nodebake' shown)" 7 "ufw status lists them by their comment"
like "$(<shown)" "10.200.0.0/16 +ALLOW FWD +Anywhere" "pods are forwarded to"
is "$(grep -e '^-P' -e '^-A ufw-user-\(input\|forward\) ' shown)" \
    "-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-A ufw-user-forward -s 10.200.0.0/16 -j ACCEPT
-A ufw-user-forward -d 10.200.0.0/16 -j ACCEPT
-A ufw-user-input -s 10.240.0.0/24 -j ACCEPT
-A ufw-user-input -s 10.200.0.0/16 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
-A ufw-user-input -p tcp -m multiport --dports 30000:32767 -j ACCEPT
-A ufw-user-input -p udp -m multiport --dports 30000:32767 -j ACCEPT" \
    "the kernel has them"
done_testing
