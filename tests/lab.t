#!/usr/bin/env bash
# The lab from outside, with a stand-in for QEMU: starting, joining, stopping, what goes wrong, and
# that nothing is left. What boots is in qemu-tests/.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
nodebake=$PWD/${BUILD:-build}/nodebake
tmp=$(mktemp -d)
trap 'end_labs; rm -rf "$tmp"' EXIT
export FAKE=$tmp/fake PATH=$PWD/tests/lab:$PATH HOME=$tmp/home
mkdir "$FAKE" "$HOME"

end_labs()
{
    local file
    for file in "$tmp"/*/.lab/supervisor.json; do
        [ ! -e "$file" ] || kill -KILL "$(jq .pid "$file")"
    done
}

# run CMD...: sets out, err and status.
run()
{
    out=$("$@" 2>"$tmp/err" </dev/null)
    status=$?
    err=$(<"$tmp/err")
}

# lab WORD [ARGUMENT...]: in the cluster of the folder $c.
lab() { run "$nodebake" lab "$1" --cluster "$c/cluster.yaml" "${@:2}"; }
up() { lab up --out "$c/out" --timeout 20s "$@"; }

# state NODE
state()
{
    "$nodebake" lab status --json --cluster "$c/cluster.yaml" |
        jq -r --arg name "$1" '.nodes[] | select(.name == $name).state'
}
in_state() { [ "$(state "$1")" = "$2" ]; }

# alive FOLDER: how many processes work in or below it.
alive() { find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$1*" 2>/dev/null | wc -l; }

make_cluster()
{
    c=$tmp/$1
    "$nodebake" init "$c" >/dev/null
    mkdir "$c/out"
    truncate -s 1M "$c"/out/worker-{0,1,2}.raw
}

make_cluster a
lab status
is "$status:$err" "1:nodebake: there is no lab in $c/.lab; \`nodebake lab up\` starts one" \
    "status without a lab"
lab down
is "$status:$out" "0:there is no lab in $c/.lab" "down without a lab"
mkdir "$c/full" && touch "$c/full/thesis" "$c/full/lock"
up worker --state "$c/full"
like "$status:$err" '^1:.*/full has files in it that are not a lab.s' "a folder of somebody else's"
is "$(ls "$c/full" | paste -sd:)" lock:thesis "is left alone"
mkdir "$tmp/few"
for program in qemu-system-x86_64 qemu-img ip dnsmasq haproxy; do ln -s /bin/true "$tmp/few/$program"; done
PATH=$tmp/few up worker
is "$status:$err" "1:nodebake: kubectl is not installed (Debian: kubernetes-client)" "a program that is missing"
up worker --memory 900GiB
like "$status:$err" '^1:nodebake: too little memory: worker-0, worker-1, worker-2 need [0-9]+ MiB .* MiB are free' \
    "too little memory"
for bad in "--memory 7" "--memory 63MiB" "--memory 2097152GiB" "--port 0" "--port 65536" "--port 64x" \
    "--timeout 0s" "--timeout 25h" "--timeout 7"; do
    # shellcheck disable=SC2086
    up $bad
    like "$status:$err" "^1:nodebake: ${bad% *} ${bad#* }: write " "refused: $bad"
done
up worker-7
like "$status:$err" "^1:.*'worker-7' is neither a role nor a node" "a node that is not there"
rm "$c/out/worker-1.raw"
up worker-1
is "$status:$err" "1:nodebake: there is no image of worker-1 in $c/out; \`nodebake build worker-1 --cluster $c/cluster.yaml --out $c/out\` makes it" \
    "an image that is not there"
rm "$c/out/worker-2.raw"
up worker
like "$status:$err" '^1:nodebake: there are no images of worker-1 worker-2 in' "two of them"
[ ! -e "$c/.lab" ]
ok $? "nothing was started, and no folder made"
truncate -s 1M "$c"/out/worker-{1,2}.raw

python3 -c 'import socket, time; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(600)' \
    >"$tmp/port" &
holder=$!
within 10 test -s "$tmp/port"
up worker --port "$(<"$tmp/port")"
like "$status:$err" "^1:nodebake: port $(<"$tmp/port") of 127.0.0.1 is taken by python3, process $holder; .*--port" "a port that is taken"
[ ! -e "$c/.lab" ]
ok $? "leaves no folder"
kill $holder
wait $holder 2>/dev/null

mkdir -m 700 "$c/pki"
printf 'clusters:\n- cluster:\n    server: https://10.0.0.1:6443\n  name: x\n' >"$c/pki/admin-public.kubeconfig"
up worker-0
like "$status:$err" "^1:nodebake: .*admin-public.kubeconfig" "a kubeconfig that others can read"
[ ! -e "$c/.lab" ]
ok $? "leaves no folder"
chmod 600 "$c/pki/admin-public.kubeconfig"
exec 7<"$c/cluster.yaml"
up worker-0 worker-1
exec 7<&-
is "$status" 0 "two workers come up"
[ "$status" -eq 0 ] || diag "$out$err"
like "$err" "worker-0: created.*worker-1: created.*s  worker-0: up" "and their progress is told"
like "$out" 'worker-0 +worker +up +[0-9.]+ .*worker-2 +worker +absent' "and the table shown"
like "$out" "no controller runs here" "and that they cannot become ready"
like "$(<"$c/.lab/nodes/worker-0/arguments")" "ifname=tap-0af00014.*mac=42:01:0a:f0:00:14" \
    "tap and hardware address follow the address"
like "$(<"$c/.lab/nodes/worker-0/arguments")" "-m"$'\n'"1024" "memory is the profile's"
supervisor=$(jq .pid "$c/.lab/supervisor.json")
is "$(find /proc/"$supervisor"/fd -lname "$c/cluster.yaml" | wc -l)" 0 \
    "nothing that the client was called with stays open"
is "$(stat -c %a "$c/.lab" "$c/.lab/kubeconfig" "$c/.lab/control" | paste -sd:)" 700:600:700 \
    "the lab is its owner's alone"
server=$(sed -n 's/^ *server: //p' "$c/.lab/kubeconfig")
like "$server" '^https://127\.0\.0\.1:[0-9]+$' "the kubeconfig leads to the loopback port"
lab kubectl get pods --help -o=wide
is "$status:$out" "9:get"$'\n'"pods"$'\n'"--help"$'\n'"-o=wide"$'\n'"$server" \
    "kubectl has the arguments, the kubeconfig and its own exit status"
port=${server##*:}
is "$(timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && cat <&3; echo over")" over \
    "the port leads to the balancer, which has nobody to pass it to"

lab exec worker-0 -- sh -c 'echo out; echo err >&2; exit 3'
is "$status:$out:$err" 3:out:err "exec: output, errors, exit status"
lab exec worker-0 sh -c 'kill -9 $$'
is "$status" 137 "exec: a signal"
out=$(printf 'in\0put' | "$nodebake" lab exec --stdin --cluster "$c/cluster.yaml" worker-0 -- od -An -c | tr -d ' \n')
is "$out" 'in\0put' "exec --stdin"
lab exec worker-0 -- /nowhere
like "$status:$err" '^1:nodebake: worker-0: the guest agent: guest-exec: .*nowhere' "exec: no such program"
lab exec worker-2 true
is "$status:$err" "1:nodebake: worker-2 does not run: absent" "exec: a machine that does not run"
lab exec worker-0
is "$status" 2 "exec without a command"
lab logs worker-0 --console
like "$status:$out" '^0:.*nodebake: node worker-0 is ready' "logs --console"
run timeout 2 "$nodebake" lab console --cluster "$c/cluster.yaml" worker-1
like "$out" 'worker-1 login: .*you are connected' "console shows what was, and what comes"

lab partition worker-0
is "$status:$(state worker-0)" 0:partitioned "partition"
is "$(nsenter -t "$supervisor" -U -n --preserve-credentials cat /proc/sys/net/ipv4/conf/all/rp_filter)" 1 \
    "and the router takes nothing of it"
lab partition worker-0
is "$status:$err" "1:nodebake: worker-0 is cut off already" "twice"
lab partition worker-0 --heal
is "$status:$(state worker-0)" 0:up "partition --heal"

id=$(<"$c/.lab/nodes/worker-0/uuid")
lab stop worker-0
is "$status:$out:$(state worker-0)" "0:worker-0: stopped:stopped" "stop"
lab stop worker-0
is "$status:$err" "1:nodebake: worker-0 does not run" "stop twice"
lab start worker-0
within 10 in_state worker-0 up
is "$status:$(<"$c/.lab/nodes/worker-0/uuid")" "0:$id" "start: the same instance"
[ -e "$c/.lab/nodes/worker-0/console.log.1" ]
ok $? "the console of the boot before is kept"
lab kill worker-0
is "$status:$(state worker-0)" 0:killed "kill"
up worker-0
is "$status:$err" "0:worker-0: started"$'\n'"$(sed 1d <<<"$err")" "up again goes on with its disk"
is "$(<"$c/.lab/nodes/worker-0/uuid")" "$id" "as the same instance"
up worker-0
is "$status:$(grep -c 'worker-0: started' <<<"$err")" 0:0 "up when all is up does nothing"
up --port 1 worker-0
like "$status:$err" "^1:nodebake: --port 1: the lab runs already, with port $port" "another port"
up --relaunch worker-0
is "$status:$(grep -c 'worker-0: relaunched' <<<"$err")" 0:1 "--relaunch"
[ "$(<"$c/.lab/nodes/worker-0/uuid")" != "$id" ]
ok $? "makes another instance"
lab stop worker-1
truncate -s 2M "$c/out/worker-1.raw"
lab start worker-1
is "$status:$err:$(state worker-1)" \
    "1:nodebake: worker-1: its image has changed; \`nodebake lab up\` relaunches it:stopped" \
    "start refuses a disk whose image is new"
mv "$c/out/worker-1.raw" "$c/away"
lab start worker-1
is "$status:$err" "1:nodebake: worker-1: its image: $c/out/worker-1.raw: No such file or directory" \
    "or gone"
mv "$c/away" "$c/out/worker-1.raw"
up worker-1
is "$status:$(grep -c 'worker-1: relaunched' <<<"$err")" 0:1 "a node whose image is new is relaunched"

echo refuse >"$FAKE/worker-2"
up worker-2
like "$status:$err" '^1:.*worker-2 is failed: firstboot: source gce: no answer; nothing was enabled' \
    "a machine whose firstboot gave up"
lab logs worker-2
like "$status:$out" '^0:.*nothing was enabled' "has logs"
like "$err" "agent of worker-2 does not answer" "of the console only"
lab kill worker-2
echo die >"$FAKE/worker-2"
up worker-2
like "$status:$err" '^1:.*worker-2 is failed: qemu-system-x86_64: no such luck' "a QEMU that ends at once"
echo silent >"$FAKE/worker-2"
up --timeout 2s worker-2
like "$status:$err" '^1:.*worker-2 is booting after 2 s' "a machine that does not come"
is "$(state worker-0)" up "the lab goes on"
echo '# changed' >>"$c/cluster.yaml"
up worker-0
like "$status:$err" 'cluster.yaml has changed since the lab was started' "a cluster file that changed"
sed -i '$d' "$c/cluster.yaml"

truncate -s 3M "$c/out/worker-1.raw"
up worker-1
is "$status:$(grep -c 'worker-1: relaunched' <<<"$err")" 0:1 "also one that runs"

# Each service comes again, and the supervisor does not wait for it in circles.
child() { pgrep -P "$supervisor" -f "$1" | head -n 1; }
ticks() { awk '{ print $14 + $15 }' "/proc/$supervisor/stat"; }
others() { pgrep -P "$supervisor" | while read -r pid; do
    [[ $(readlink "/proc/$pid/exe") != */nodebake ]] || echo "$pid"; done; }
others >"$tmp/before"
is "$(wc -l <"$tmp/before")" 4 "metadata and time service, probe and relay run"
balancer=$(child '^haproxy')
# shellcheck disable=SC2046
kill -KILL $(<"$tmp/before") "$balancer"
all_again() { [ "$(others | grep -vxcf "$tmp/before")" = 4 ] && [ -n "$(child '^haproxy')" ]; }
within 10 all_again
ok 0 "all services are started again"
before=$(ticks)
sleep 2
[ $(($(ticks) - before)) -lt 60 ]
ok $? "in peace"
like "$(<"$c/.lab/supervisor.log")" 'the probe ended, wait status 9' "and it is noted"

a=$c
make_cluster b
up worker-0
is "$status" 0 "a second lab beside it"
c=$a
is "$(state worker-0)" up "the first goes on"

supervisor=$(jq .pid "$c/.lab/supervisor.json")
kill -KILL "$supervisor"
none_alive() { [ "$(alive "$c/.lab")" = 0 ]; }
within 10 none_alive
ok 0 "nothing outlives the supervisor"
lab status
is "$status:$err" "1:nodebake: the lab in $c/.lab does not run; \`nodebake lab up\` starts it again" \
    "status after that"
rm "$FAKE/worker-2"
id=$(<"$c/.lab/nodes/worker-0/uuid")
up worker
is "$status:$(state worker-0):$(<"$c/.lab/nodes/worker-0/uuid")" "0:up:$id" "up goes on with what is there"
kill -KILL "$(jq .pid "$c/.lab/supervisor.json")"
lab down
none_alive
ok $? "down waits for the end of all, too"
is "$status:$(ls -A "$c" | paste -sd:)" 0:cluster.yaml:full:out:pki "down after a crash leaves nothing"

"$nodebake" lab up worker-0 --cluster "$c/cluster.yaml" --out "$c/out" --timeout 20s >/dev/null \
    2>"$tmp/first" </dev/null &
first=$!
up worker-1
wait $first
is "$?:$status:$(state worker-0):$(state worker-1):$(grep ^nodebake: "$tmp/first")" 0:0:up:up: \
    "two ups at once make one lab"
touch "$c/.lab/notes"
lab down
is "$status:$(ls -A "$c/.lab")" 0:notes "down leaves what is not the lab's"
is "$(alive "$c/.lab")" 0 "and no process"
is "$(ls "$c/out" | wc -l)" 3 "and the images"

c=$tmp/b
echo deaf >"$FAKE/worker-1"
up worker-1
lab down --now
is "$status:$(ls -A "$c" | paste -sd:)" 0:cluster.yaml:out "down --now"
is "$(alive "$c")" 0 "leaves no process"

# Keys that lie encrypted, and a folder that was there before.
a=$c
make_cluster e
umask 077
echo 'correct horse battery' >"$tmp/passphrase"
umask 022
run "$nodebake" pki --cluster "$c/cluster.yaml" --passphrase-file "$tmp/passphrase"
is "$status" 0 "keys with a passphrase"
up worker-0
like "$status:$err" '^1:nodebake: .*passphrase' "up without the passphrase"
[ ! -e "$c/.lab" ]
ok $? "leaves no folder"
mkdir -m 755 "$c/.lab"
up --passphrase-file "$tmp/passphrase" worker-0
is "$status:$(stat -c %a "$c/.lab" "$c/.lab/kubeconfig" | paste -sd:)" 0:700:600 "with it there is a kubeconfig"
like "$(<"$c/.lab/kubeconfig")" 'server: https://127.0.0.1:[0-9]+.*client-key-data: ' "which is whole"
lab down --now

# Keys in the metadata, and one image for all workers.
make_cluster i
rm "$c"/out/*
sed -i -e 's/^identity: .*/identity: metadata/' -e '/^ *labels: /d' "$c/cluster.yaml"
echo 'pki: {key: ecdsa-p256}' >>"$c/cluster.yaml"
up worker
is "$status:$err" "1:nodebake: there is no image of worker in $c/out; \`nodebake build worker --cluster $c/cluster.yaml --out $c/out\` makes it" \
    "workers' one image that is not there"
truncate -s 1M "$c/out/worker.raw"
up worker-0
like "$status:$err" '^1:nodebake: pki folder .*: it is not there' "identities without keys"
[ ! -e "$c/.lab" ]
ok $? "leave no folder"
run "$nodebake" pki --cluster "$c/cluster.yaml"
up worker-0 worker-1
is "$status:$(state worker-0):$(state worker-1)" 0:up:up "two workers come up with the one image"
for n in 0 1; do qemu-img info -U --output=json "$c/.lab/nodes/worker-$n/disk.qcow2"; done >"$tmp/disks"
is "$(jq -r '."backing-filename"' "$tmp/disks" | sort -u)" "$c/out/worker.raw" "which both lie on"
lab down --now

# Machines that get their names at launch: the lab's have those of cluster.yaml, and their roles' images,
# or their own where somebody put it there.
make_cluster s
rm "$c"/out/*
sed -i -e 's/^profile: .*/profile: srv-kubernetes/' -e 's/^metadata: .*/metadata: [aws]/' \
    -e 's/^identity: .*/identity: bootstrap/' -e 's/^ *labels: .*//' "$c/cluster.yaml"
up
is "$status:$err" "1:nodebake: there are no images of controller worker in $c/out; \`nodebake build controller worker \
--cluster $c/cluster.yaml --out $c/out\` makes them" "images of roles that are not there"
truncate -s 1M "$c/out/worker.raw" "$c/out/worker-1.raw"
run "$nodebake" pki --cluster "$c/cluster.yaml"
up worker-0 worker-1
is "$status:$(state worker-0):$(state worker-1)" 0:up:up "two workers come up with names of cluster.yaml"
for n in 0 1; do qemu-img info -U --output=json "$c/.lab/nodes/worker-$n/disk.qcow2"; done >"$tmp/disks"
is "$(jq -r '."backing-filename"' "$tmp/disks" | paste -sd ' ')" "$c/out/worker.raw $c/out/worker-1.raw" \
    "one with its role's image, one with its own"
lab down --now
c=$a

# An interrupt ends the waiting, not the lab.
echo silent >"$FAKE/worker-0"
env --default-signal=INT "$nodebake" lab up worker-0 --cluster "$c/cluster.yaml" --out "$c/out" \
    --timeout 30s 2>"$tmp/err" &
client=$!
within 10 in_state worker-0 booting
kill -INT $client
wait $client
like "$?:$(<"$tmp/err")" '^1:.*interrupted; the lab goes on' "an interrupt"
is "$(state worker-0)" booting "leaves the lab"
supervisor=$(jq .pid "$c/.lab/supervisor.json")
rm -r "$c/.lab"
ended() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
within 10 ended "$supervisor"
is "$(alive "$c")" 0 "a lab whose folder is removed ends"
rm "$FAKE/worker-0"
up worker-0
mkdir -p "$c/.lab/nodes/worker-0/mine"
touch "$c/.lab/nodes/worker-0/mine/thesis" "$c/.lab/kubeconfig.nodebake-tmp"
lab down --now
is "$status:$(find "$c/.lab" ! -type d)" "0:$c/.lab/nodes/worker-0/mine/thesis" \
    "down leaves a folder of somebody else's, and nothing half written"
rm -r "$c/.lab"
up worker-0
kill -STOP "$(jq .pid "$c/.lab/supervisor.json")"
lab down --now
is "$status:$(ls -A "$c" | paste -sd:)" 0:cluster.yaml:out "down --now ends a lab that hangs, too"
done_testing
