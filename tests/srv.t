#!/usr/bin/env bash
# The profile srv-kubernetes, and what is chosen of runtime, network, cloud and identity: golden
# plans, and the texts that an image gets. `REGOLD=1 tests/srv.t` writes the golden files anew.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden/srv
example=$PWD/profiles/srv-kubernetes.cluster.yaml
hard_way=$PWD/tests/golden/cluster.yaml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home TMPDIR=$tmp
unset XDG_CACHE_HOME
cd "$tmp" || exit 1
make_artifacts .
mkdir calico-plugins flannel-plugins
for name in calico calico-ipam bandwidth; do echo "$name" >"calico-plugins/$name"; done
echo flannel >flannel-plugins/flannel
echo 'kind: Secret' >calico.yaml

# describe EDIT: the example of `nodebake init`, with this base and the release of the tests.
describe()
{
    sed -e 's/^image: .*/image: base.raw/' -e 's/^kubernetes: .*/&\nrelease: release.yaml/' \
        -e 's/^repositories: .*//' -e "$1" "$example" >cluster.yaml
}

# planned NAME TARGET: the plan is the golden one.
planned()
{
    "$nodebake" plan "$2" >plan 2>err
    is "$?:$(<err)" 0: "$1: planned"
    golden "$1" plan "$1: the plan is the golden one"
}

# refused EDIT WHY
refused()
{
    describe "$1"
    "$nodebake" plan worker >said 2>err
    is "$?:$(wc -c <said)" 1:0 "refused: $2"
    like "$(<err)" "$2" "and why"
}

# golden NAME FILE WHAT
golden()
{
    [ -z "${REGOLD:-}" ] || cp "$2" "$golden/$1"
    diff -u "$golden/$1" "$2" >diff
    ok $? "$3"
    diag "$(<diff)"
}

# texts NAME TARGET FILE...: an image's files, or what firstboot makes them of, are the golden ones.
texts()
{
    local name=$1 target=$2 file
    shift 2
    "$nodebake" build "$target" --quiet --writer ext4 --pki "$(awk '/^profile/ {print "pki-" $2}' cluster.yaml)" --out made 2>err
    is "$?" 0 "$name: built"
    contents "made/$target.raw"
    for file; do
        printf '=== %s\n' "$file"
        cat "files/usr/lib/nodebake/templates/$file" 2>>err || cat "files/$file"
    done >texts
    golden "texts-$name" texts "$name: and so are its texts"
}
kubelet=etc/systemd/system/kubelet.service
control_plane='etc/systemd/system/kube-apiserver.service etc/systemd/system/kube-controller-manager.service'
give=usr/lib/nodebake/cluster

make_system system
for package in apparmor docker.io nginx openssl; do
    printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n' $package
done >>system/var/lib/dpkg/status
mkdir -p system/usr/lib/systemd/system
for unit in docker nginx; do
    printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n'
done >system/usr/lib/systemd/system/docker.service
cp system/usr/lib/systemd/system/{docker,nginx}.service
make_variant 4k base.raw system

# --- the layout ---

describe ''
planned worker worker

# A machine's name is its instance's id: images are those of roles.
sed -i 's/^nodes:/&\n  - {name: worker-0, role: worker, address: 10.240.0.20}/' cluster.yaml
"$nodebake" build --dry-run --out all >said 2>err
is "$?:$(grep -o 'all/[^:]*' said | paste -sd ' ')" "0:all/worker.raw all/controller.raw" "every node: an image a role"
for node in controller-0 worker-0; do
    for command in plan 'build --dry-run'; do
        # shellcheck disable=SC2086 # an option
        "$nodebake" $command $node >said 2>err
        is "$?:$(<said):$(<err)" "1::nodebake: $node: with profile srv-kubernetes a machine gets its name when it is \
launched, so no image can be that of one node; name the role, \`${node%-0}\`, whose image serves all of them" \
            "$command $node is refused"
    done
done

# contents IMAGE: its files are below files/.
contents()
{
    rm -rf files && mkdir files
    debugfs -R "rdump / files" "$1?offset=$((variant_root * 512))" 2>/dev/null
}
"$nodebake" build worker --quiet --writer ext4 --out out 2>err
is "$?:$(<err)" 0: "a worker's image is built"
contents out/worker.raw
templates=files/usr/lib/nodebake/templates
for name in etc/systemd/system/kubelet.service srv/kubernetes/cni/net.d/10-calico.conflist \
    var/lib/calico/nodename; do
    [ -z "${REGOLD:-}" ] || cp "$templates/$name" "$golden/$(basename $name)"
    diff -u "$golden/$(basename $name)" "$templates/$name" >diff
    ok $? "$name is the golden one"
    diag "$(<diff)"
done
for name in conf/kube-proxy-config.yml script/init.sh script/clean.sh; do
    golden "$(basename $name)" "files/srv/kubernetes/$name" "$name is the golden one"
done
golden contract files/usr/lib/nodebake/contract "the contract is the golden one"
is "$(readlink files/srv/kubernetes/.lock)" ../../var/lib/nodebake/stamp "the lock is the stamp"
is "$(stat -c %a files/srv/kubernetes/kubeconfig/bootstrap.kubeconfig)" 600 "the token is root's"
like "$(<files/srv/kubernetes/kubeconfig/bootstrap.kubeconfig)" 'token: "[a-z0-9]{6}\.[a-z0-9]{16}' "and there"
is "$(find files/srv files/usr/lib/nodebake -name '*-key.pem')" "" "a worker's image holds no key of a node"
is "$(jq -r '.bridge, .iptables, ."exec-opts"[0]' files/etc/docker/daemon.json | paste -sd ' ')" \
    "none false native.cgroupdriver=systemd" "docker leaves firewall and bridge alone"
is "$(ls files/srv/kubernetes/cni/bin | paste -sd ' ')" \
    "bandwidth bridge calico calico-ipam host-local loopback portmap tuning" "the user's plugins are beside the release's"
"$nodebake" inspect out/worker.raw >inspected 2>err
is $? 0 "inspect reads it"
like "$(<inspected)" 'kubelet.service' "and tells its units"

"$nodebake" build controller --quiet --writer ext4 --out out 2>err
is "$?:$(<err)" 0: "a controller's image is built"
contents out/controller.raw
is "$(cat files/usr/lib/nodebake/cluster/manifests/000-calico.yaml)" 'kind: Secret' "it has the manifest"
is "$(stat -c %a files/usr/lib/nodebake/cluster/{bootstrap-token.yaml,manifests/000-calico.yaml} | paste -sd ' ')" \
    "600 600" "which, as the token, is root's alone"
like "$(<files/usr/lib/nodebake/cluster/bootstrap-token.yaml)" 'expiration: "20..-..-..T..:..:..Z"' "the token has an end"
like "$(openssl x509 -noout -ext subjectAltName -in pki/kubernetes.pem)" 'default\.svc\.cluster\.nonprod$' \
    "the API's certificate names the profile's domain, as cluster.yaml names none"
like "$(<files/usr/lib/nodebake/approver/reserved)" '203\.0\.113\.10' "the approver knows what no node may be called"
like "$(<files/usr/lib/nodebake/cluster-give)" '/srv/kubernetes/kubeconfig/admin.kubeconfig' "the layout's path is in scripts"
like "$(<files/usr/lib/nodebake/templates/etc/systemd/system/etcd.service)" \
    'name @INTERNAL_IP@.*initial-cluster 10.240.0.10=https://10.240.0.10:2380,10' "members are called by their address"

# --- the operator's scripts, with stand-ins for what they run ---

mkdir bin root
export PATH=$tmp/bin:$PATH
for name in systemctl hostnamectl umount pkill ip; do
    printf '#!/bin/sh\necho "%s $*" >>"%s/ran"\n' $name "$tmp" >bin/$name
done
# The runtimes have the containers that the file pods names; with the file stuck none goes.
cat >bin/docker <<'STANDIN'
#!/bin/sh
echo "${0##*/} $*" >>ran
[ ! -e dead ] || exit 1
for id; do :; done
case $* in
'ps -aq --filter label=io.kubernetes.pod.name' | '--namespace k8s.io containers list --quiet') cat pods ;;
"rm -f $id" | "--namespace k8s.io containers delete $id") [ -e stuck ] || sed -i "/^$id\$/d" pods ;;
"--namespace k8s.io tasks delete --force $id") exit 1 ;; # has ended
esac
STANDIN
cp bin/docker bin/ctr
touch pods
chmod +x bin/*
mkdir -p root/{srv/kubernetes/{kubeconfig,pki,script},usr/lib/nodebake,var/lib/{nodebake,kubelet/pods/x,cni},run/netns,etc/systemd/system/multi-user.target.wants}
cp "$golden"/{init,clean}.sh root/srv/kubernetes/script/
cp "$golden/contract" root/usr/lib/nodebake/
ln -s ../../var/lib/nodebake/stamp root/srv/kubernetes/.lock
cat >root/usr/lib/nodebake/firstboot <<'STANDIN'
#!/bin/sh
[ ! -e fails ] || exit 1
echo "firstboot $*" >>ran
echo i-1 >root/etc/hostname
echo stamp >root/var/lib/nodebake/stamp
ln -sfn x root/etc/systemd/system/multi-user.target.wants/kubelet.service
STANDIN
chmod +x root/usr/lib/nodebake/firstboot

# script NAME: runs it in the root; sets status, and what it ran.
script()
{
    : >ran
    NODEBAKE_PAUSE=0 NODEBAKE_ROOT=root sh root/srv/kubernetes/script/$1.sh >said 2>&1
    status=$?
    ran=$(<ran)
}
touch fails
script init
is "$status:$ran" 1: "init: when firstboot cannot finish, nothing is started"
rm fails
script init
is "$status:$ran" "0:firstboot --root root/
systemctl daemon-reload
hostnamectl set-hostname i-1
systemctl restart docker.service kubelet.service kube-proxy.service nodebake-bootstrap.service" "init makes a node"
before=$(find root -printf '%p %T@ %l\n' | sort)
script init
is "$status:$ran:$(find root -printf '%p %T@ %l\n' | sort)" "2::$before" "a second one ends with 2, and changes nothing"
touch root/srv/kubernetes/{kubeconfig/{kubelet,bootstrap,kube-proxy}.kubeconfig,pki/{ca,kubelet-client-current}.pem}
printf '%s\n' c1 c2 >pods
script clean
is "$status:$(head -n 1 <<<"$ran")" "0:systemctl stop nodebake-bootstrap.service kubelet.service kube-proxy.service" "clean stops the node's services"
is "$(cd root && find srv etc/systemd var/lib/kubelet var/lib/nodebake ! -type d | sort | paste -sd ' ')" \
    "srv/kubernetes/.lock srv/kubernetes/kubeconfig/bootstrap.kubeconfig srv/kubernetes/kubeconfig/kube-proxy.kubeconfig \
srv/kubernetes/pki/ca.pem srv/kubernetes/script/clean.sh srv/kubernetes/script/init.sh var/lib/nodebake/stamp-before" \
    "its certificates, links and state are gone, its stamp is put aside, what joins it again stays"
is "$(<pods):$(grep -c '^docker rm' <<<"$ran")" :2 "docker has no container of a pod"
[ ! -e root/srv/kubernetes/.lock ]
ok $? "and so is the lock"
script init
is "$status:$([ -e root/srv/kubernetes/.lock ] && echo locked)" 0:locked "init makes it a node again"

sed -i 's/^case docker.service/case containerd.service/' root/srv/kubernetes/script/clean.sh
printf '%s\n' c1 c2 >pods
touch root/run/netns/{cni-1,mine} stuck
script clean
like "$status:$(<said)" '^1:clean.sh: containers of pods could not be removed; .*: c1 c2$' "clean ends with 1 when containers stay"
is "$(ls root/run/netns | paste -sd ' ')" "cni-1 mine" "and goes no further"
rm stuck
script clean
is "$status:$(<said):$(<pods):$(ls root/run/netns)" 0:::mine "once more: they are gone from containerd, and their networks"
like "$ran" 'ctr --namespace k8s.io tasks delete --force c2.*containers delete c2' "their processes first"
like "$ran" 'containers delete c2.*pkill -KILL -f containerd-shim.* -namespace k8s' "and a shim that stays, last"
touch dead
script clean
like "$status:$(<said)" '^1:clean.sh: containers of pods could not be removed' "a runtime that does not answer is no success"
rm dead

# --- versions ---

# at VERSION: a worker with containerd of that version; what plan says of flags is in the file flags.
at()
{
    describe "s/^kubernetes: .*/kubernetes: $1/; s/^runtime: .*/release: release-$1.yaml/"
    sed -i '0,/^release/{/^release: release.yaml/d}' cluster.yaml
    sed "s/^kubernetes: .*/kubernetes: $1/" release.yaml >"release-$1.yaml"
    "$nodebake" plan worker >plan 2>err
    is "$?:$(<err)" 0: "$1: planned"
    grep -o 'kubelet 1.*left out' plan | sort -u >flags
}
at 1.24.0
like "$(<flags)" 'has no --allow-privileged: left out.*has no --cni-bin-dir.*--cni-conf-dir.*--network-plugin' \
    "1.24: flags that went are told"
at 1.36.0
like "$(<flags)" 'has no --log-dir: left out.*has no --logtostderr' "1.36: more of them"

# --- choices, of both profiles ---

# srv NAME TARGET EDIT FILE...: the profile srv-kubernetes with an edit of its example.
srv()
{
    describe "$3"
    planned "$1" "$2"
    [ $# -eq 3 ] || texts "$1" "$2" "${@:4}"
}
cni=srv/kubernetes/cni/net.d
proxy=srv/kubernetes/conf/kube-proxy-config.yml
containerd='s/^runtime: .*/runtime: containerd/'
srv worker-containerd worker "$containerd" $kubelet etc/containerd/config.toml
srv worker-bridge worker "$containerd; s/^cni: .*/cni: bridge/; s/^cniPlugins/podNetworks: controllers\n&/" \
    usr/lib/nodebake/cni-bridge.conflist etc/containerd/config.toml
srv worker-pods-by-metadata worker 's/^cni: .*/cni: bridge/' $cni/10-bridge.conf usr/lib/nodebake/contract
srv worker-flannel worker 's/^cni: .*/cni: flannel/; s/calico-plugins/flannel-plugins/' $cni/10-flannel.conflist
srv worker-none worker 's/^cni: .*/cni: none/'
srv worker-external worker 's/^cloudProvider: .*/cloudProvider: external/' $kubelet $proxy
aws='s/^cloudProvider: .*/cloudProvider: aws/'
srv worker-aws worker "$aws" $kubelet $proxy $cni/10-calico.conflist var/lib/calico/nodename usr/lib/nodebake/contract
srv worker-mirrors worker 's/^runtime: .*/&\nregistries: {docker.io: {mirrors: ["https:\/\/a", "https:\/\/b"]}}/' \
    etc/docker/daemon.json
# shellcheck disable=SC2086 # two files
{
    srv controller controller '' $control_plane $give/{calico-plugin,bootstrap}.yaml $give/node-roles
    srv controller-aws controller "$aws" $control_plane
    srv controller-external controller 's/^cloudProvider: .*/cloudProvider: external/' $control_plane
    srv controller-pods-by-metadata controller 's/^cni: .*/cni: bridge/' $control_plane
}

# hard_way NAME TARGET LINES EDIT FILE...: of hard-way, with these lines.
hard_way()
{
    sed -e 's/^image: .*/image: base.raw/' -e "$4" "$hard_way" >cluster.yaml
    printf '%s\n' "$3" >>cluster.yaml
    planned "$1" "$2"
    [ $# -eq 4 ] || texts "$1" "$2" "${@:5}"
}
bootstrap='s/^identity: .*/identity: bootstrap/; s/, labels: {[^}]*}//'
no_cidr='s/, podCIDR: [^,}]*//'
config=var/lib/kubelet/kubelet-config.yaml
cni=etc/cni/net.d
hard_way hard-way-bootstrap worker '' "$bootstrap" $kubelet $config
hard_way hard-way-docker worker 'runtime: docker' '' $kubelet $config etc/docker/daemon.json
hard_way hard-way-calico worker $'cni: calico\ncniPlugins: calico-plugins' "$no_cidr" $cni/10-calico.conflist $config
hard_way hard-way-flannel worker $'cni: flannel\ncniPlugins: flannel-plugins' "$no_cidr" $cni/10-flannel.conflist
hard_way hard-way-none worker 'cni: none' "$no_cidr"
hard_way hard-way-given worker 'podNetworks: controllers' "$no_cidr" usr/lib/nodebake/cni-bridge.conflist etc/containerd/config.toml \
    usr/lib/nodebake/contract
hard_way hard-way-external worker 'cloudProvider: external' '' $kubelet
hard_way hard-way-aws worker 'cloudProvider: aws' "$bootstrap; s/^metadata: .*/metadata: [aws]/" \
    $kubelet var/lib/kube-proxy/kube-proxy-config.yaml
# shellcheck disable=SC2086 # two files
{
    hard_way hard-way-bootstrap-controller controller '' "$bootstrap" $control_plane $give/bootstrap.yaml
    hard_way hard-way-calico-controller controller $'cni: calico\ncniPlugins: calico-plugins' "$no_cidr" \
        $control_plane $give/calico-plugin.yaml
    hard_way hard-way-external-controller controller 'cloudProvider: external' '' $control_plane
}

sed -e 's/^image: .*/image: base.raw/' -e 's/^kubernetes: 1.*/kubernetes: 1.28.0/' -e "$no_cidr" -e "$bootstrap" \
    -e 's/^release: .*/release: release-1.28.0.yaml/' "$hard_way" >cluster.yaml
sed "s/^kubernetes: .*/kubernetes: 1.28.0/" release.yaml >release-1.28.0.yaml
printf '%s\n' 'cni: flannel' 'cloudProvider: external' >>cluster.yaml
"$nodebake" plan worker >said 2>err
is "$?" 1 "flannel without its plugin"
like "$(<err)" 'cni: flannel needs the plugin flannel, which neither the release nor `cniPlugins` has' "is refused"

# --- what does not go together ---

refused "s|^nodeLabels: .*|nodeLabels: {net: '@POD_CIDR@'}|" 'nodeLabels: net: the fact POD_CIDR is a cidr'
refused 's/^kubernetes: .*/kubernetes: 1.24.0/' 'Kubernetes 1.24.0 has no dockershim \(it went in 1.24\); take containerd'
refused 's/^identity: .*/identity: image/' 'profile srv-kubernetes does not lay out `identity: image`; take `bootstrap`'
refused 's/^cniPlugins: .*//' "no release has Calico's plugins; name a folder"
refused 's/^cni: .*/cni: bridge\npodNetworks: controllers/' 'docker does not tell the bridge.s plugin'
refused 's/^cloudProvider: .*/cloudProvider: google/' "'google'"
refused 's/^runtime: .*/runtime: docker\ncontainerdRuntime: io.containerd.runc.v2/' 'docker is not configured by `containerdRuntime`'
refused 's/^runtime: .*/runtime: docker\nregistries: {quay.io: {mirrors: ["https:\/\/m"]}}/' 'docker takes mirrors of docker.io only'
refused 's/generation: "2"/generation: "a b"/' 'a b'
refused 's/k8s.non-prod.io\/env/node-role.kubernetes.io\/node/' 'node-role.kubernetes.io'
refused 's/pods: 10.200.0.0\/16/pods: 10.200.0.0\/25/' 'the controllers give each node a /24'
describe 's/^runtime: .*/runtime: containerd/; s/^kubernetes: .*/kubernetes: 1.27.0/; s/^cloudProvider: .*/cloudProvider: aws/'
"$nodebake" plan worker 2>err
like "$(<err)" 'Kubernetes 1.27.0 does not know AWS any more \(it went in 1.27\); take `external`' "AWS has left"
sed -e 's/^cloudProvider: .*//' -e 's/^metadata: .*/&\ncloudProvider: aws/' "$hard_way" >cluster.yaml
"$nodebake" plan worker 2>err
like "$(<err)" "a node's name is AWS's private DNS name" "and its names are in no certificate of an image"
done_testing
