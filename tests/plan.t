#!/usr/bin/env bash
# The golden plans of a worker and a controller. `REGOLD=1 tests/plan.t` writes the golden files anew.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home

make_artifacts "$tmp"
cp "$golden/cluster.yaml" "$tmp"
cd "$tmp" || exit 1
"$nodebake" plan worker-0 >plan 2>err
is "$?:$(<err)" "0:" "plan worker-0 succeeds"
[ -z "${REGOLD:-}" ] || cp plan "$golden/plan-worker-0"
diff -u "$golden/plan-worker-0" plan >diff
ok $? "the plan is the golden one"
diag "$(<diff)"

"$nodebake" plan controller-0 >plan-controller 2>err
is "$?:$(<err)" "0:" "plan controller-0 succeeds"
[ -z "${REGOLD:-}" ] || cp plan-controller "$golden/plan-controller-0"
diff -u "$golden/plan-controller-0" plan-controller >diff
ok $? "the plan is the golden one"
diag "$(<diff)"
# layout LINES: the pki files of a controller with another layout.
layout()
{
    { cat cluster.yaml; echo "$1"; } >laid-out.yaml
    "$nodebake" plan --json controller-0 --cluster laid-out.yaml |
        jq -r '.images[0].entries[] | select(.from | startswith("pki/")) | "\(.mode) \(.path) \(.from)"'
    rm laid-out.yaml
}
is "$(layout 'pki: {layout: separate, cas: each}' | grep -v kubeconfig)" "$(<"$golden/pki-separate")" \
    "the keys of the separate layout"
is "$(layout 'pki: {layout: separate}' | grep -c -e etcd-ca -e front-proxy-ca)" 0 "one CA signs all"
rm plan-controller

# Keys in the metadata: an image for the role.
sed -e 's/^identity: .*/identity: metadata/' -e 's/, labels: {[^}]*}//' cluster.yaml >shared.yaml
"$nodebake" plan worker --cluster shared.yaml >plan-shared 2>err
is "$?:$(<err)" "0:" "a plan with the keys in the metadata"
[ -z "${REGOLD:-}" ] || cp plan-shared "$golden/plan-worker-metadata"
diff -u "$golden/plan-worker-metadata" plan-shared >diff
ok $? "the plan is the golden one"
diag "$(<diff)"
"$nodebake" plan --cluster shared.yaml | sed '/^image worker/,$!d' >all
is "$(diff all plan-shared)" "" "which is that of all workers"
rm plan-shared shared.yaml all

"$nodebake" plan worker >role
is "$(grep -c '/usr/lib/nodebake/identity/' role)" 0 "a role's plan has no identity"
is "$(diff <(grep -v -e identity/worker-0 -e '^image' -e '^the machine' plan) \
    <(grep -v -e '^image' -e '^the machine' role))" "" "and is otherwise the node's"

"$nodebake" plan --json worker-0 >json
is "$(jq -r '.images[0].entries[] | select(.secret) | .path' json | sort | tr '\n' ' ')" \
    "/usr/lib/nodebake/identity/worker-0-key.pem /usr/lib/nodebake/identity/worker-0.kubeconfig \
/var/lib/kube-proxy/kubeconfig " "JSON marks the secrets"
is "$(jq -r '.images[0].absent[] | select(.name == "crictl") | .required' json)" false \
    "crictl is absent and not required"
sed '/name: containerd-shim,/d; /name: containerd-shim-runc-v1,/d; s/version: 1.4.4/version: 2.0.5/' release.yaml >containerd-2.yaml
sed 's/^release: .*/release: containerd-2.yaml/' cluster.yaml >containerd-2.cluster.yaml
"$nodebake" plan --json --cluster containerd-2.cluster.yaml worker-0 >json2 2>err
is "$?:$(<err):$(jq -r '[.images[0].absent[] | select(.name | test("^containerd")) | .name + "=" + (.required | tostring)] | join(" ")' json2)" \
    "0::containerd-shim=false containerd-shim-runc-v1=false" "containerd 2 has one shim, and that is enough"
rm containerd-2* json2
is "$(jq '.images[0] | .memory, .disk' json | tr '\n' ' ')" "1073741824 10737418240 " \
    "memory and disk are there"

for option in --quiet --dry-run; do
    "$nodebake" build worker-0 --out images $option >out 2>err
    is "$?:$(<out):$(<err)" "1::cluster.yaml:8:8: base.qcow2: No such file or directory; name the disk \
image of a base system, raw or qcow2
nodebake: cluster.yaml: 1 problem" \
        "build $option refuses a base that is not there"
done
rm out
[ ! -e pki ] && [ ! -e images ] && [ ! -e home ]
ok $? "before it makes anything"
qemu-img create -q -f raw base.qcow2 1M
"$nodebake" build worker-0 --out images --dry-run >out 2>err
is "$?:$(<out):$(<err)" "0:would write images/worker-0.raw: 65 entries, 0.0 MiB of files:" \
    "build --dry-run says what it would write"
rm out

rm artifacts/runc.amd64
"$nodebake" plan worker-0 >plan
like "$(<plan)" 'runc \(/usr/local/bin/runc\), required: runc.amd64 is not in artifacts' \
    "a file that the folder lacks is named as absent"
"$nodebake" build worker-0 --out images 2>err
is "$?" 1 "build refuses it"
is "$(ls)" "$(printf '%s\n' artifacts base.qcow2 cluster.yaml diff err json plan release.yaml role)" \
    "and writes nothing"

sed -i 's/kubernetes: 1.21.0/kubernetes: 1.21.1/' release.yaml
"$nodebake" plan worker-0 2>err >plan
like "$(<err)" 'kubernetes is 1.21.0, but the release file release.yaml is for 1.21.1' \
    "a release of another version is refused"
done_testing
