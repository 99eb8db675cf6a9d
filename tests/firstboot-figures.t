#!/usr/bin/env bash
# What firstboot costs, in figures that are exact: system calls, memory, bytes; and what it leaves in its
# memory and in /run. Inside user, mount and network namespaces of its own. Needs: unshare, nsenter, ip,
# perl, strace, dnsmasq, jq; python3 for one case.
set -u
cd "$(dirname "$0")/.." || exit 1
[ "${1:-}" = inside ] || exec unshare -Urmn "$0" inside
. tests/tap.sh
. tests/fake-root.sh
. tests/fake-cloud.sh
firstboot=$PWD/${BUILD:-build}/firstboot
memory_try=$PWD/${BUILD:-build}/tests/memory-try
tmp=$(mktemp -d)
R=$tmp/root
trap 'kill $(jobs -p) 2>/dev/null; umount -l "$R" 2>/dev/null; rm -rf "$tmp"' EXIT
make_dmi "$tmp/gce" 9b3c2f0e-0000-4000-8000-000000000001
echo none >"$tmp/gce/board_asset_tag"
begin_fake_cloud
make_values "$tmp/values"
serve "$tmp/values" "$tmp/log"
values=$!
make_facts >"$tmp/facts"
touch "$tmp/kmsg"
mount --bind "$tmp/kmsg" /dev/kmsg

# mounted_root [CONTRACT]: as the initramfs has it, read-only.
mounted_root()
{
    umount -l "$R" 2>/dev/null
    rm -rf "$tmp/made"
    make_root "$tmp/made" "$@"
    mkdir -p "$R"
    mount -t tmpfs -o mode=0755 tmpfs "$R"
    cp -a "$tmp/made/." "$R"
    mount -o remount,ro "$R"
}

# boot [OPTION...]: as the hook does, in a /run that holds nothing; sets status and calls, those of both
# processes together.
boot()
{
    rm -rf "$tmp/run"
    boot_again "$@"
}

# boot_again [OPTION...]: the same, with what the run before left in /run.
boot_again()
{
    : >"$tmp/kmsg"
    timeout 60 strace -f -qq -o "$tmp/trace" "$firstboot" --root "$R" --dmi "$tmp/gce" --kmsg \
        --state "$tmp/run" "$@" >"$tmp/out" 2>&1 </dev/null
    status=$?
    calls=$(grep -cE '^[0-9]+ +[a-z_0-9]+\(' "$tmp/trace")
}

json()
{
    jq -r "$1" "$tmp/run/firstboot.json"
}

# --- system calls ---

mounted_root
boot
is "$status" 0 "a first boot: a source, 8 files, 4 units"
like "$(<"$tmp/kmsg")" "8 files, 4 units, source gce" "is what the figure is about"
[ "$calls" -le 300 ]
ok $? "at most 300 system calls ($calls)"
boot
is "$status:$(json .outcome)" 0:already "a second boot"
[ "$calls" -le 32 ]
ok $? "at most 32 system calls, firstboot.json included ($calls)"
is "$(grep -cE '^[0-9]+ +(socket|mount|fork|clone)' "$tmp/trace")" 0 "no packet, no process, no mount"

# The same with a lease to fetch.
if command -v dnsmasq >/dev/null || PATH=$PATH:/usr/sbin command -v dnsmasq >/dev/null; then
    ip addr flush dev v0
    ip link set v0 down
    PATH=$PATH:/usr/sbin there dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=far --no-ping \
        --dhcp-authoritative --dhcp-range=10.240.0.20,10.240.0.20 --dhcp-option=3,10.240.0.1 \
        --dhcp-leasefile="$tmp/leases" --log-dhcp >"$tmp/dnsmasq.log" 2>&1 &
    within 10 grep -qs 'DHCP, IP range' "$tmp/dnsmasq.log"
    mounted_root
    boot
    is "$status" 0 "a first boot that fetches a lease"
    [ "$calls" -le 300 ]
    ok $? "at most 300 system calls ($calls)"
    ip addr add 10.240.0.20/24 dev v0
    ip link set v0 up
    ip route add default via 10.240.0.1
fi

# --- what is told ---

mounted_root
boot
is "$(json '[.version, .outcome, .cause, .node, .source, .identity, .instance, .before] | tojson')" \
    '[1,"ready",null,"worker-0","gce","product_uuid:9b3c2f0e-0000-4000-8000-000000000001","4711",null]' \
    "firstboot.json says who this is"
is "$(json '.facts | tojson')" \
    '{"NODE_NAME":"worker-0","INTERNAL_IP":"10.240.0.20","POD_CIDR":"10.200.0.0/24"}' "with its facts"
is "$(json '[.steps[].name] | tojson')" '["contract","network","metadata","stage","publish","enable"]' \
    "and its steps"
is "$(json '[.steps[].ms] | all(. >= 0) and add <= 60000')" true "each with its time"
is "$(stat -c %a "$tmp/run" "$tmp/run/firstboot.json" | tr '\n' ' '):$(ls "$tmp/run")" \
    "755 644 :firstboot.json" "for all to read"
mv "$tmp/values/instance/attributes/pod-cidr" "$tmp/pod-cidr"
mounted_root
boot
is "$status:$(json .outcome):$(json .cause)" \
    "1:failed:gce: POD_CIDR: instance/attributes/pod-cidr is not set" "a failure has its cause"
is "$(<"$tmp/run/firstboot.failed")" \
    "firstboot: gce: POD_CIDR: instance/attributes/pod-cidr is not set; nothing was enabled" "and its line"
mv "$tmp/pod-cidr" "$tmp/values/instance/attributes/pod-cidr"
boot_again
is "$status:$(ls "$tmp/run")" "0:firstboot.json" "which goes when it is mended"
echo stale >"$tmp/run/firstboot.failed"
boot_again
is "$status:$(json .outcome):$(ls "$tmp/run")" "0:already:firstboot.json" "and where it was finished before"
echo '"quoted\' >"$tmp/odd"
boot --facts "$tmp/odd"
is "$status:$(json .cause)" "1:file: line 1: no '='; right is NAME=VALUE" "odd bytes leave it JSON"
boot --state "$tmp/none/none"
is "$status" 0 "where nothing can be told, the node is finished all the same"

# --- what follows a failure ---

sed 's/^deadline .*/deadline 1/; s/^on-failure .*/on-failure shell/; /^from POD_CIDR/d' \
    tests/golden/contract-worker-0 >"$tmp/shell"
sed 's/shell/poweroff/' "$tmp/shell" >"$tmp/poweroff"
mounted_root "$tmp/shell"
boot
is "$status" 1 "on-failure is not obeyed unasked"
boot --obey
is "$status" 3 "on-failure shell: the hook is to start one"
# (strace lets nothing of it come to pass)
mounted_root "$tmp/poweroff"
rm -rf "$tmp/run"
timeout 60 strace -f -qq -o "$tmp/trace" -e inject=reboot:retval=0 "$firstboot" --root "$R" --dmi "$tmp/gce" \
    --state "$tmp/run" --obey >"$tmp/out" 2>&1 </dev/null
is "$?:$(grep -c 'reboot(.*LINUX_REBOOT_CMD_POWER_OFF' "$tmp/trace")" 1:1 "on-failure poweroff: it is powered off"
is "$(grep -oE ' (sync|reboot|umount2|mount)\(' "$tmp/trace" | tail -n 2 | tr -d ' \n')" "sync(reboot(" \
    "after a sync"
like "$(<"$tmp/out")" "nothing was enabled
nodebake: the machine is powered off, as the contract says$" "and the console says why"

# --- memory ---

sed -e 's/^fact POD_CIDR cidr/&\nfact JOIN token\nfrom JOIN gce instance\/attributes\/join/' \
    tests/golden/contract-worker-0 >"$tmp/token"
printf 'S3CR3T-JOIN-T0KEN' >"$tmp/values/instance/attributes/join"
mounted_root "$tmp/token"
mount -o remount,rw "$R"
echo 'S3CR3T-K3Y-T0KEN' >"$R/usr/lib/nodebake/identity/worker-0-key.pem"
echo 'token: "@JOIN@"' >>"$R/usr/lib/nodebake/templates/var/lib/kubelet/kubelet-config.yaml"
out=$(timeout 60 "$memory_try" T0KEN "$firstboot" --root "$R" --dmi "$tmp/gce" --state "$tmp/run" 2>&1 </dev/null)
status=$?
like "$(<"$R/var/lib/kubelet/kubelet-config.yaml")" 'token: "S3CR3T-JOIN-T0KEN"' "a token and a key were written"
is "$status:$(grep -c 'holds' <<<"$out")" 0:0 "neither process holds a secret when it ends"
like "$(timeout 60 "$memory_try" worker-0 "$firstboot" --root "$R" --dmi "$tmp/gce" 2>&1 | grep -c holds)" '^[1-9]' \
    "(it would be seen: the stamp that was read is)"
is "$(grep -c S3CR3T "$tmp/run/firstboot.json")" 0 "nor does firstboot.json"
most=$(awk '/^memory / { sum += $2 } END { print sum }' <<<"$out")
[ "${most:-9999}" -le 512 ]
ok $? "both processes together take at most 512 KiB ($most)"
diag "$out"

# A bundle, as it came and as it was read.
sed -e 's/^fact POD_CIDR cidr/&\nfact ID bundle\nfrom ID gce instance\/attributes\/node-identity/' \
    tests/golden/contract-worker-0 >"$tmp/bundled"
sed 's/^a key @NODE_NAME@/S3CR3T-K3Y-T0K3N1/' tests/golden/bundle-worker-0 >"$tmp/bundle"
base64 -w 0 "$tmp/bundle" >"$tmp/values/instance/attributes/node-identity"
for text in K3Y-T0K3N "$(cut -c 61-90 "$tmp/values/instance/attributes/node-identity")"; do
    mounted_root "$tmp/bundled"
    mount -o remount,rw "$R"
    out=$(timeout 60 "$memory_try" "$text" "$firstboot" --root "$R" --dmi "$tmp/gce" --state "$tmp/run" 2>&1 </dev/null)
    status=$?
    is "$(<"$R/var/lib/kubelet/worker-0-key.pem")" S3CR3T-K3Y-T0K3N1 "a key of a bundle was written"
    is "$status:$(grep -c 'holds' <<<"$out")" 0:0 "neither process holds it when it ends"
done
is "$(grep -c 'S3CR3T\|"ID"' "$tmp/run/firstboot.json")" 0 "nor does firstboot.json"
mounted_root "$tmp/bundled"
boot
is "$status" 0 "a first boot with a bundle"
[ "$calls" -le 300 ]
ok $? "takes at most 300 system calls ($calls)"
is "$(cat "$tmp/run"/* "$tmp/kmsg" | grep -c S3CR3T)" 0 "and tells nothing of it"

# The token of AWS, which only the questions hold.
if command -v python3 >/dev/null; then
    sed -e 's/^source gce .*/source aws product_uuid/; /^from /d' -e '/^fact NODE_NAME/s|$|\nfrom NODE_NAME aws meta-data/tags/instance/Name|' \
        -e '/^fact INTERNAL_IP/s|$|\nfrom INTERNAL_IP aws meta-data/local-ipv4|' \
        -e '/^fact POD_CIDR/s|$|\nfrom POD_CIDR aws meta-data/tags/instance/pod-cidr|' \
        tests/golden/contract-worker-0 >"$tmp/aws-contract"
    cp -r "$tmp/gce" "$tmp/aws"
    echo 'Amazon EC2' >"$tmp/aws/sys_vendor"
    kill $values
    wait $values 2>/dev/null
    echo 'aws ' >"$tmp/case"
    there tests/hostile/serve "$tmp/case" >"$tmp/hostile.log" 2>&1 &
    within 20 grep -qs listening "$tmp/hostile.log"
    mounted_root "$tmp/aws-contract"
    out=$(timeout 60 "$memory_try" AQAEAtoken "$firstboot" --root "$R" --dmi "$tmp/aws" 2>&1 </dev/null)
    status=$?
    like "$out" "node worker-0 is ready: 8 files, 4 units, source aws" "a first boot on AWS"
    is "$status:$(grep 'holds' <<<"$out")" 0: "neither process holds the token when it ends"
else
    diag "SKIP the token of AWS: no python3 here"
fi

# --- size ---

is "$(stat -c %s "$firstboot" | awk '{print ($1 <= 98304)}')" 1 "at most 98304 bytes ($(stat -c %s "$firstboot"))"
is "$(readelf -dW "$firstboot" | grep -c NEEDED):$(readelf -SW "$firstboot" | grep -c '\.dynamic\|\.interp')" 0:0 \
    "static, without a dynamic section"

done_testing
