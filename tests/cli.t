#!/usr/bin/env bash
# The command line of nodebake: help, usage errors, init, plan, refusals.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
nodebake=$PWD/${BUILD:-build}/nodebake
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# run CMD...: sets out, err and status.
run()
{
    out=$("$@" 2>"$tmp/err" </dev/null)
    status=$?
    err=$(<"$tmp/err")
}

commands=$("$nodebake" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z -]*[a-z]\)  .*/\1/p')
is "$(wc -l <<<"$commands")" 25 "--help lists the commands"

while read -r command; do
    run "$nodebake" $command --help
    is "$status" 0 "$command --help succeeds"
    like "$out" "^usage: nodebake $command " "$command --help shows the usage"
done <<<"$commands"

run "$nodebake" --version
like "$out" '^nodebake [0-9]+\.[0-9]+\.[0-9]+$' "--version shows a version"
run "$nodebake"
is "$status" 2 "no command is a usage error"
run "$nodebake" bake
is "$status:$err" "2:nodebake: no such command; \`nodebake --help\` lists them" "unknown command"
run "$nodebake" plan --bogus
is "$status:$err" \
    "2:nodebake plan: unknown option --bogus; \`nodebake plan --help\` lists them" "unknown option"
run "$nodebake" plan --cluster
is "$status:$err" "2:nodebake plan: --cluster needs a value: FILE" "option without its value"
run "$nodebake" plan --json=yes
is "$status:$err" "2:nodebake plan: --json takes no value" "flag with a value"
run "$nodebake" init a b
is "$status:$err" "2:nodebake init: 'b' is one argument too many" "one argument too many"
run bash -c "'$nodebake' --help >/dev/full"
is "$status" 1 "output that cannot be written is a failure"

run "$nodebake" init "$tmp/c"
is "$status" 0 "init writes a cluster.yaml"
before=$(sha256sum <"$tmp/c/cluster.yaml")
run "$nodebake" init "$tmp/c"
is "$status:$(sha256sum <"$tmp/c/cluster.yaml")" "1:$before" "init leaves one that is there"
like "$err" "cluster.yaml is there already" "init says so"
run "$nodebake" init "$tmp/d" --profile nothing
is "$status" 1 "init refuses an unknown profile"
[ ! -e "$tmp/d" ]
ok $? "and writes nothing then"

run "$nodebake" plan --cluster "$tmp/c/cluster.yaml"
is "$status:$err" "0:" "the file that init wrote can be planned"
is "$(grep -c '^image worker-' <<<"$out")" 3 "plan without arguments shows every worker"
like "$out" "kubelet \(/usr/local/bin/kubelet\), required: " "plan names absent components"

cp -r "$tmp/c" "$tmp/before"
run env HOME="$tmp/home" "$nodebake" plan --json --cluster "$tmp/c/cluster.yaml" worker
is "$status:$(jq -r '.images[0].name' <<<"$out")" "0:worker" "plan --json of a role"
is "$(jq -r '.images[0].node' <<<"$out")" null "a role's plan has no node"
diff -r "$tmp/c" "$tmp/before" && [ ! -e "$tmp/home" ]
ok $? "plan writes nothing"

run "$nodebake" plan --cluster "$tmp/c/cluster.yaml" worker-7
is "$status:$err" \
    "1:nodebake: 'worker-7' is neither a role nor a node of $tmp/c/cluster.yaml" "unknown node"
run "$nodebake" plan --cluster "$tmp/nowhere.yaml"
is "$status:$err" "1:nodebake: $tmp/nowhere.yaml: No such file or directory" "absent cluster file"

sed 's/^kubernetes: .*/kubernetes: 1.24.0/' "$tmp/c/cluster.yaml" >"$tmp/c/new.yaml"
run "$nodebake" plan --cluster "$tmp/c/new.yaml"
like "$err" "no release file for Kubernetes 1.24.0" "no release for the version"

run "$nodebake" build --cluster "$tmp/c/cluster.yaml"
is "$status:$(grep -c "^$tmp/c/cluster.yaml:[0-9]*:[0-9]*: .*: No such file or directory; " <<<"$err")" 1:2 \
    "build needs the image and the artifacts that the file names"
truncate -s 1M "$tmp/c/debian-12.qcow2"
mkdir "$tmp/c/artifacts"
run "$nodebake" build --cluster "$tmp/c/cluster.yaml" --format floppy
like "$status:$err" "^1:nodebake: --format floppy: no such format; there are: raw, qcow2, gce$" \
    "unknown format"
run "$nodebake" build worker-0 --cluster "$tmp/c/cluster.yaml" --out "$tmp/out"
is "$status" 1 "build refuses absent components"
like "$err" "worker-0 needs files that are absent: kubectl, kubelet, .*; runc \(" "and names them"
[ ! -e "$tmp/out" ] && [ ! -e "$tmp/c/pki" ]
ok $? "and writes nothing"
firstboot=$PWD/${BUILD:-build}/firstboot
is "$(stat -c %s "$firstboot" | awk '{print ($1 <= 98304)}')" 1 "firstboot has at most 98304 bytes"
like "$(file -b "$firstboot")" "statically linked" "firstboot is static"
done_testing
