#!/usr/bin/env bash
# nodebake inspect: what it shows, that it finds a changed byte in any file, and that it changes none.
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
cd "$tmp" || exit 1

root_at=$((variant_root * 512))
initrd=/boot/initrd.img-$variant_kernel
lib=/usr/lib/nodebake

make_artifacts .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
make_system system
cat >system/boot/grub/grub.cfg <<CFG
menuentry 'Debian GNU/Linux' {
	linux	/boot/vmlinuz-$variant_kernel root=UUID=1 ro console=ttyS0
}
menuentry 'Debian GNU/Linux, recovery' {
	linux	/boot/vmlinuz-$variant_kernel root=UUID=1 ro single
}
CFG
mkdir -p system/usr/lib/systemd/system
echo '[Service]' >system/usr/lib/systemd/system/nginx.service
make_variant "${VARIANT:-4k}" base.raw system
"$nodebake" build worker-0 --quiet --writer ext4 --format raw --format qcow2 --format gce >build.log 2>&1
is "$?:$(grep -v -e ^wrote -e ^pki build.log)" "0:" "an image to look at"

# inspect ARG...: its status, output and errors into $status, $out and $err; without a cluster file.
mkdir elsewhere
inspect()
{
    status=0
    (cd elsewhere && "$nodebake" inspect --quiet "$@" >../out.txt 2>../err.txt) || status=$?
    out=$(<out.txt) err=$(<err.txt)
}

# found PATH TEXT NAME: one problem, with that file.
found()
{
    inspect ../work.raw --json
    is "$status:$err:$(jq -r '[.problems[] | .path + " " + .text] | join("; ")' out.txt | cut -c "1-${4:-200}")" \
        "1:nodebake: ../work.raw: 1 problem:$1 $2" "$3"
}

fresh() { cp --sparse=always out/worker-0.raw work.raw; }

# edit COMMAND...: has debugfs change work.raw.
edit() { variant_debugfs "work.raw?offset=$root_at" "$@" 2>debugfs.log; }

# flip FILE OFFSET: changes a byte.
flip()
{
    perl -e 'open my $f, "+<", $ARGV[0] or die; seek $f, $ARGV[1], 0; read $f, my $c, 1;
        seek $f, $ARGV[1], 0; print $f chr(ord($c) ^ 1)' "$1" "$2"
}

# offset_of PATH BYTE: where it lies in the image.
offset_of()
{
    local blocks
    read -ra blocks < <(debugfs -R "blocks $1" "work.raw?offset=$root_at" 2>/dev/null)
    echo $((root_at + blocks[$2 / 4096] * 4096 + $2 % 4096))
}

state() { stat -c '%n %s %y %z' "$@"; sha256sum "$@"; }

# Whole images.
before=$(state out/worker-0.raw out/worker-0.qcow2 out/worker.qcow2)
inspect ../out/worker-0.raw
is "$status:$err" "0:" "a whole image"
like "$out" '^\.\./out/worker-0\.raw: raw, 64 MiB' "what it is"
like "$out" 'node +worker-0' "the node"
like "$out" 'role +worker of kubernetes-the-hard-way' "the role"
like "$out" 'Kubernetes +1\.21\.0' "the version"
like "$out" 'base +base\.raw' "the base"
like "$out" 'booted +no' "whether it was booted"
like "$out" 'system +Debian GNU/Linux 12 \(bookworm\) \(amd64\)' "the system"
like "$out" "kernel +$variant_kernel, initrd, with firstboot" "kernel, initrd and firstboot in it"
like "$out" 'kernel line +root=UUID=1 ro console=ttyS0' "the kernel line"
like "$out" 'containerd +1\.4\.4 +containerd\.tar\.gz +sha256:[0-9a-f]{16}…' "components"
like "$out" '36[45] days +20[0-9-]+ +/usr/lib/nodebake/identity/worker-0\.pem +system:node:worker-0, system:nodes' \
    "certificates with days left"
like "$out" '
  key +0600  0:0  /usr/lib/nodebake/identity/worker-0-key\.pem
' "keys with their modes"
like "$out" '
  kubeconfig +0600  0:0  /usr/lib/nodebake/identity/worker-0\.kubeconfig
' "kubeconfigs with theirs"
like "$out" '36[45] days +20[0-9-]+ +/usr/lib/nodebake/identity/worker-0\.kubeconfig +system:node:worker-0' \
    "and the days of what is in them"
like "$out" 'kubelet\.service +multi-user\.target +enabled by firstboot' "units"
like "$out" 'preset: keeps them down' "the preset"
like "$out" 'POD_CIDR \(cidr\) gce instance/attributes/pod-cidr' "facts"
like "$out" '
  /var/lib/kubelet/kubelet-config\.yaml
' "templates"
like "$out" 'machine-id +uninitialized' "hygiene"
like "$out" 'files: ([0-9]+) of ([0-9]+) as in the manifest' "the files"
is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "all of them"
is "$(grep -c -e PRIVATE -e "$(sed -n 3p pki/worker-0-key.pem)" out.txt)" 0 "no key"

inspect ../out/worker-0.raw --json
is "$status:$(jq -c '[.version, .ok, .problems, .remarks]' out.txt)" '0:[1,true,[],[]]' "--json"
is "$(jq -r '.nodebake | [.role, .node, .kubernetes, .base, .files.listed == .files.same] | @tsv' out.txt)" \
    "worker	worker-0	1.21.0	base.raw	true" "says the same"
is "$(jq -r '.nodebake.build' out.txt)" \
    "$(fs_cat "out/worker-0.raw?offset=$root_at" $lib/manifest.json | jq -r .build)" "the build id"
is "$(jq -c '[.nodebake.components[] | select(.name == "runc")]' out.txt)" \
    "[{\"name\":\"runc\",\"version\":\"1.0.0-rc93\",\"file\":\"runc.amd64\",\"digest\":\"sha256:$(sha256sum <artifacts/runc.amd64 | cut -d' ' -f1)\",\"paths\":[\"/usr/local/bin/runc\"]}]" \
    "components with digest and paths"
is "$(jq -r '.nodebake.certificates[] | select(.path | endswith("worker-0.pem")) | .notAfter' out.txt)" \
    "$(date -u -d "$(openssl x509 -in pki/worker-0.pem -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)" \
    "the day on which a certificate ends"
is "$(jq -r '.system.bootEntries[] | .title' out.txt)" "Debian GNU/Linux
Debian GNU/Linux, recovery" "all entries of grub.cfg"
is "$(jq -r '.nodebake.credentials[] | [.kind, .mode, .uid, .gid, .path] | @tsv' out.txt | sort)" \
    "certificate	0644	0	0	$lib/identity/worker-0.pem
certificate	0644	0	0	/var/lib/kubernetes/ca.pem
key	0600	0	0	$lib/identity/worker-0-key.pem
kubeconfig	0600	0	0	$lib/identity/worker-0.kubeconfig
kubeconfig	0600	0	0	/var/lib/kube-proxy/kubeconfig" "keys, certificates and kubeconfigs"
jq -S 'del(.image)' out.txt >raw.json

inspect ../out/worker-0.qcow2 --json
is "$status:$(jq -c '.image | [.format, .below]' out.txt)" '0:["qcow2",["../out/worker.qcow2"]]' "an overlay"
is "$(jq -S 'del(.image)' out.txt)" "$(<raw.json)" "shows the same"
inspect ../out/worker.qcow2 --json
is "$status:$(jq -c '[.ok, .nodebake.role, .nodebake.node]' out.txt)" '0:[true,"worker",null]' "a role's image"
is "$(state out/worker-0.raw out/worker-0.qcow2 out/worker.qcow2)" "$before" "no byte and no time has changed"
strace -f -e trace=openat -o trace "$nodebake" inspect --quiet out/worker-0.raw >/dev/null
is "$(grep -c 'worker-0\.raw".*\(O_RDWR\|O_WRONLY\)' trace)" 0 "it was opened for reading only"

# A byte in every file that the manifest lists.
inspect ../out/worker-0.raw
fs_cat "out/worker-0.raw?offset=$root_at" $lib/manifest.json >manifest.json
fresh
missed=
while read -r path size; do
    at=$(offset_of "$path" $((size - 1)))
    flip work.raw "$at"
    inspect ../work.raw --json
    [ "$status:$(jq -r '[.problems[] | select(.kind == "content") | .path] | join(" ")' out.txt)" = "1:$path" ] ||
        missed+=" $path"
    flip work.raw "$at"
done < <(jq -r '.entries[] | select(.size > 0) | "\(.path) \(.size)"' manifest.json)
is "$missed" "" "a changed byte is found in each of $(jq '[.entries[] | select(.size > 0)] | length' manifest.json) files"
cmp work.raw out/worker-0.raw
ok $? "(and each was changed back)"
flip work.raw "$(offset_of $lib/manifest.json 20)"
inspect ../work.raw --json
is "$status:$(jq -r '.problems[0] | .kind + " " + .path' out.txt)" "1:manifest $lib/manifest.json" \
    "so is one in the manifest"

# All else of a file.
fresh && edit "set_inode_field /etc/crictl.yaml mode 0100666"
found /etc/crictl.yaml "has mode 0666 instead of 0644" "another mode"
fresh && edit "set_inode_field /var/lib/kubelet mode 040755"
found /var/lib/kubelet "has mode 0755 instead of 0700" "another mode of a directory"
fresh && edit "set_inode_field $lib/identity/worker-0-key.pem uid 1000"
found $lib/identity/worker-0-key.pem "belongs to 1000:0 instead of 0:0" "another owner"
fresh && edit "set_inode_field $lib/identity/worker-0-key.pem mode 0100644"
inspect ../work.raw --json
is "$status:$(jq -r '.problems[] | .kind + " " + .text' out.txt)" "1:mode has mode 0644 instead of 0600
exposed holds a secret (key), and mode 0644 shows it to others" "a key that others can read"
fresh && edit "rm /etc/sysctl.d/99-zz-nodebake.conf"
found /etc/sysctl.d/99-zz-nodebake.conf "is missing" "a file less"
fresh && edit "rm /etc/systemd/system/swap.target" "symlink /etc/systemd/system/swap.target /dev/zero"
found /etc/systemd/system/swap.target "leads to /dev/zero instead of /dev/null" "another link"
fresh && edit "ea_set /etc/crictl.yaml user.x y"
found /etc/crictl.yaml "has the extended attribute user.x, too" "an extended attribute"
fresh && edit "write cluster.yaml $lib/identity/other-key.pem"
found $lib/identity/other-key.pem "is not in the manifest" "a file that nobody put there"
fresh && edit "rm $lib/manifest.json"
inspect ../work.raw
is "$status" 1 "no manifest"
like "$out" "$lib/manifest.json is missing: no file can be verified" "is a problem"
fresh && edit "set_inode_field $lib/manifest.json mode 0100666"
found $lib/manifest.json "is not a file of mode 0644 that belongs to 0:0" "another mode of the manifest"
fresh && edit "set_inode_field /etc/crictl.yaml mode 0100666" "rm /etc/sysctl.d/99-zz-nodebake.conf" \
    "rm /usr/local/bin/kubectl"
inspect ../work.raw
is "$status:$err:$(grep -c -e 'crictl.yaml has mode' -e 'nodebake.conf is missing' -e 'kubectl is missing' out.txt)" \
    "1:nodebake: ../work.raw: 3 problems:3" "all problems are shown"

# Certificates.
openssl req -x509 -newkey rsa:2048 -nodes -keyout new-key.pem -out old.pem -subj /O=system:nodes/CN=old -days 1 \
    >openssl.log 2>&1
faketime -f -60h openssl req -x509 -key new-key.pem -out old.pem -subj /O=system:nodes/CN=old -days 1
fresh && edit "rm $lib/identity/worker-0.pem" "write old.pem $lib/identity/worker-0.pem"
inspect ../work.raw --json
is "$status:$(jq -r '.problems[] | select(.kind == "expired") | .path + " " + .text' out.txt)" \
    "1:$lib/identity/worker-0.pem holds the certificate of old, system:nodes, which expired on $(date -u -d '36 hours ago' +%F)" "an expired certificate"
is "$(jq -r '.nodebake.certificates[] | select(.subject | contains("CN=old")) | .daysLeft' out.txt)" -2 "its days"

# The initrd.
fresh
size=$(fs_cat "work.raw?offset=$root_at" "$initrd" | wc -c)
flip work.raw "$(offset_of "$initrd" $((size - 100)))"
found "$initrd" "cannot be read: what nodebake appended is damaged" "a changed byte in what was appended to the initrd"
fresh && edit "rm $initrd" "write system$initrd $initrd"
found "$initrd" "does not hold firstboot: the machine would not become a node" "an initrd without firstboot"
fresh && edit "rm $lib/firstboot" "write artifacts/runc.amd64 $lib/firstboot" \
    "set_inode_field $lib/firstboot mode 0100755"
inspect ../work.raw
like "$out" "kernel +$variant_kernel, initrd, with firstboot" "the initrd is measured by the manifest"

# After a boot that did not finish, and after one that did.
printf 'nodebake-stamp 1\nsource gce\nidentity product_uuid:1\nnode -\n' >stamp
fresh && edit "write stamp /var/lib/nodebake/stamp-before"
inspect ../work.raw
like "$status:$out" '^0:.*remark +firstboot did not finish here, as no node yet \(gce, product_uuid:1\): the next machine' \
    "a machine that did not finish"
printf 'nodebake-stamp 1\nsource gce\nidentity product_uuid:1\nnode worker-0\n' >stamp
printf '%032x\n' 7 >machine-id
head -c 5000 /dev/urandom >seed
fresh && edit "write stamp /var/lib/nodebake/stamp" "rm /etc/machine-id" "write machine-id /etc/machine-id" \
    "mkdir /etc/ssh" "write new-key.pem /etc/ssh/ssh_host_rsa_key" "mkdir /var/lib/systemd" \
    "write seed /var/lib/systemd/random-seed" "mkdir /var/log" "write seed /var/log/syslog" \
    "mkdir /var/log/journal" "mkdir /var/log/journal/7" "write seed /var/log/journal/7/system.journal" \
    "feature needs_recovery"
inspect ../work.raw
is "$status:$err" "0:" "a machine that came up"
like "$out" 'booted +as worker-0 \(gce, product_uuid:1\)' "says so"
like "$out" 'remark +/: needs recovery, for it was not shut down' "and that it was not shut down"
like "$out" '/etc/machine-id: written when the machine came up' "what it wrote is no problem"
like "$out" 'machine-id +set' "machine-id"
like "$out" 'SSH host keys +1 file, [0-9.]+ KiB: /etc/ssh/ssh_host_rsa_key' "host keys"
like "$out" 'random seed +1 file, 4\.9 KiB: /var/lib/systemd/random-seed' "random seed"
like "$out" 'logs +2 files, 9\.8 KiB: /var/log/journal/7/system.journal /var/log/syslog' "logs"
like "$out" 'kubelet-config\.yaml \(missing\)' "a template that was not rendered"
like "$out" 'kubelet\.service +multi-user\.target +not enabled' "a unit that is not enabled"

# Others.
inspect ../base.raw
is "$status:$err" "0:" "a stock system"
like "$out" 'no: this image was not made by nodebake' "is none of ours"
like "$out" 'system +Debian GNU/Linux 12 \(bookworm\)' "and is shown"
inspect ../base.raw --json
is "$status:$(jq -c '[.nodebake, .ok]' out.txt)" "0:[null,true]" "also as JSON"

# refused FILE REGEX NAME
refused()
{
    inspect "$1"
    is "$status:$out" "1:" "$3"
    like "$err" "^nodebake: .*$2" "says why"
}
refused nowhere 'nowhere: No such file or directory' "no file"
refused .. 'not a disk image' "a folder"
yes "not an image" | head -c 1M >elsewhere/text
refused text 'text: no system: none of' "a text"
: >elsewhere/empty
refused empty 'empty: not a disk image: it is empty' "an empty file"
head -c 40M out/worker-0.raw >elsewhere/cut.raw
refused cut.raw 'cut.raw: .*was it cut short' "a raw image that was cut"
head -c 200K out/worker.qcow2 >elsewhere/cut.qcow2
refused cut.qcow2 'cut.qcow2: is damaged or cut short' "a qcow2 image that was cut"
refused ../out/worker-0.tar.gz 'is compressed with gzip; `tar -xSzf` unpacks the disk.raw' "an image for GCE"
fresh
for format in raw qcow2; do
    qemu-img convert -O $format work.raw elsewhere/busy.$format
    qemu-nbd -f $format -k "$tmp/socket" elsewhere/busy.$format &
    within 20 test -S "$tmp/socket"
    refused busy.$format "busy.$format: a machine runs from it" "a $format image that is in use"
    kill $!
    wait $!
    rm -f "$tmp/socket"
done
cp out/worker-0.qcow2 elsewhere/alone.qcow2
refused alone.qcow2 'alone.qcow2 lies on other files: worker.qcow2: No such file' "an overlay without what it lies on"
qemu-img create -q -f qcow2 -u -b nbd:127.0.0.1:1 -F raw elsewhere/nbd.qcow2 64M
refused nbd.qcow2 'lies on nbd:127.0.0.1:1, which is no plain path' "an overlay on something in the network"
qemu-img create -q -f vmdk elsewhere/x.vmdk 1M
refused x.vmdk 'a vmdk image; convert it to raw or qcow2' "another format"
tar -xSzf out/worker-0.tar.gz -C elsewhere
inspect disk.raw --json
is "$status:$(jq -S 'del(.image)' out.txt)" "0:$(<raw.json)" "what is in an image for GCE"

# Command line.
inspect
is "$status:$err" "2:nodebake inspect: an argument is missing: IMAGE" "no image is a usage error"
inspect a b
is "$status:$err" "2:nodebake inspect: 'b' is one argument too many" "so are two"
inspect ../out/worker-0.raw --writer xyz
is "$status:$err" "1:nodebake: --writer xyz: no such writer; there are: auto, ext4, guestfs" "an unknown writer"
(cd elsewhere && "$nodebake" inspect ../out/worker-0.raw >/dev/null 2>../err.txt)
like "$(<err.txt)" '^read [0-9]+ files of \.\./out/worker-0\.raw$' "without --quiet it says what it does"
# Units that hold facts of the machine are templates until firstboot.
"$nodebake" build controller-0 --quiet --writer ext4 --out controllers >build.log 2>&1
inspect ../controllers/controller-0.raw --json
is "$status:$err:$(jq -c '[.problems, [.nodebake.contract.units[].name]]' out.txt)" '0::[[],["etcd.service","kube-apiserver.service","kube-controller-manager.service","kube-scheduler.service","nginx.service","nodebake-cluster.service"]]' \
    "a controller's image has all of its units"
done_testing
