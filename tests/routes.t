#!/usr/bin/env bash
# Pod routes: on this machine by ip, in a network of its own; on GCE and AWS by what stands in the
# place of their clients. Needs: ip, jq, unshare.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
if [ "${1:-}" = inside ]; then # NODEBAKE CLUSTER: in a network namespace
    ip link add net0 type bridge && ip address add 10.240.0.1/24 dev net0 && ip link set net0 up || exit 1
    ip route add 10.200.1.0/24 via 10.240.0.99
    "$2" routes --provider linux --apply --cluster "$3" && echo -- &&
        "$2" routes --provider linux --apply --cluster "$3" && echo -- && ip route show | sed "s|linkdown *||"
    exit
fi
nodebake=$PWD/${BUILD:-build}/nodebake
script=$PWD/tests/routes.t
clients=$PWD/tests/clients
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$nodebake" init c >/dev/null
cluster=c/cluster.yaml
export CLOUD=$tmp/cloud
mkdir cloud

# run CMD...: sets out, err and status.
run()
{
    out=$(PATH=$clients:$PATH "$@" 2>err </dev/null)
    status=$?
    err=$(<err)
}
# made: the routes of the fake, a line each.
routes() { jq -r 'map([.name, .destRange, .nextHopIp, (.network | sub(".*/"; ""))] | join(" ")) | sort[]' cloud/routes; }

# ---- by ip ----

run "$nodebake" routes --provider linux --cluster "$cluster"
printed=$out
is "$status:$out" "0:ip route replace 10.200.0.0/24 via 10.240.0.20
ip route replace 10.200.1.0/24 via 10.240.0.21
ip route replace 10.200.2.0/24 via 10.240.0.22" "linux: a command for each worker, and none for controllers"
run unshare -rn bash "$script" inside "$nodebake" "$PWD/$cluster"
is "$status:$out" "0:10.200.0.0/24 via 10.240.0.20 (worker-0): made
10.200.1.0/24 via 10.240.0.21 (worker-1): replaced
10.200.2.0/24 via 10.240.0.22 (worker-2): made
--
10.200.0.0/24 via 10.240.0.20 (worker-0): kept
10.200.1.0/24 via 10.240.0.21 (worker-1): kept
10.200.2.0/24 via 10.240.0.22 (worker-2): kept
--
10.200.0.0/24 via 10.240.0.20 dev net0 
10.200.1.0/24 via 10.240.0.21 dev net0 
10.200.2.0/24 via 10.240.0.22 dev net0 
10.240.0.0/24 dev net0 proto kernel scope link src 10.240.0.1 " "--apply makes them, and again changes nothing"
run unshare -rn "$nodebake" routes --provider linux --apply --cluster "$cluster"
is "$status" 1 "a network without a way to the nodes is a failure"
like "$err" 'route to 10\.200\.0\.0/24 \(worker-0\): ip: ' "which names route and program"

# ---- GCE ----

echo '[]' >cloud/routes
run "$nodebake" routes --cluster "$cluster"
like "$out" '^gcloud compute routes create pods-kubernetes-the-hard-way-10-200-0-0-24 --network=kubernetes-the-hard-way --destination-range=10\.200\.0\.0/24 --next-hop-address=10\.240\.0\.20' \
    "gce is the provider when machines ask GCE's metadata"
is "$(routes)" "" "and printing changes nothing"
run "$nodebake" routes --cluster "$cluster" --provider gce --apply --json
is "$status:$(jq -c '[.provider, (.routes[] | .outcome)]' <<<"$out")" '0:["gce","made","made","made"]' \
    "gce: --apply makes them"
wanted="pods-kubernetes-the-hard-way-10-200-0-0-24 10.200.0.0/24 10.240.0.20 kubernetes-the-hard-way
pods-kubernetes-the-hard-way-10-200-1-0-24 10.200.1.0/24 10.240.0.21 kubernetes-the-hard-way
pods-kubernetes-the-hard-way-10-200-2-0-24 10.200.2.0/24 10.240.0.22 kubernetes-the-hard-way"
is "$(routes)" "$wanted" "as asked"
: >cloud/log
run "$nodebake" routes --cluster "$cluster" --apply
is "$out" "10.200.0.0/24 via 10.240.0.20 (worker-0): kept
10.200.1.0/24 via 10.240.0.21 (worker-1): kept
10.200.2.0/24 via 10.240.0.22 (worker-2): kept" "again it changes nothing"
is "$(<cloud/log)" "gcloud compute routes list --format=json --quiet" "and only asks"
jq '.[0].nextHopIp = "10.240.0.9"' cloud/routes >new && mv new cloud/routes
run "$nodebake" routes --cluster "$cluster" --apply
like "$out" 'worker-0\): replaced' "one that leads elsewhere is replaced"
is "$(routes)" "$wanted" "by the right one"
jq '.[0].network = "https://x/global/networks/other"' cloud/routes >new && mv new cloud/routes
before=$(<cloud/routes)
run "$nodebake" routes --cluster "$cluster" --apply
is "$status:$(<cloud/routes)" "1:$before" "one of another network stays"
like "$err" 'a route pods-.* is there already, of another network' "and is named"
touch cloud/broken
run "$nodebake" routes --cluster "$cluster" --apply
like "$status:$err" '^1:.*list the routes: .*gcloud.*active account' "gcloud's own error is told"
rm cloud/broken
sed 's/^name: .*/name: a-very-long-name-of-a-cluster-that-has-sixty-three-characters-x/' "$cluster" >long.yaml
echo '[]' >cloud/routes
run "$nodebake" routes --cluster long.yaml --apply
is "$status:$(jq length cloud/routes)" 0:3 "a long name is cut to what GCE takes"

# ---- AWS ----

cat >cloud/table <<'JSON'
{"RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [
  {"DestinationCidrBlock": "10.240.0.0/24", "GatewayId": "local"},
  {"DestinationCidrBlock": "10.200.1.0/24", "InstanceId": "i-old"}]}]}
JSON
cat >cloud/instances <<'JSON'
{"Reservations": [{"Instances": [
  {"InstanceId": "i-0", "PrivateIpAddress": "10.240.0.20", "SourceDestCheck": true},
  {"InstanceId": "i-1", "PrivateIpAddress": "10.240.0.21", "SourceDestCheck": false}]},
 {"Instances": [{"InstanceId": "i-2", "PrivateIpAddress": "10.240.0.22", "SourceDestCheck": true}]}]}
JSON
aws=("$nodebake" routes --cluster "$cluster" --provider aws --route-table rtb-1)
run "${aws[@]}"
like "$out" 'Name=private-ip-address,Values=10\.240\.0\.20 .*--destination-cidr-block 10\.200\.0\.0/24' \
    "aws: the commands"
run bash -n <<<"$out"
is "$status:$err" "0:" "which a shell can read"
run "${aws[@]}" --apply
is "$status:$out" "0:10.200.0.0/24 via 10.240.0.20 (worker-0): made
10.200.1.0/24 via 10.240.0.21 (worker-1): replaced
10.200.2.0/24 via 10.240.0.22 (worker-2): made" "--apply makes and replaces"
is "$(jq -c '[.RouteTables[0].Routes[] | .InstanceId // empty] | sort' cloud/table)" '["i-0","i-1","i-2"]' \
    "the table leads to the instances"
is "$(jq '[.. | .SourceDestCheck? // empty | select(.)] | length' cloud/instances)" 0 \
    "which take packets for others now"
: >cloud/log
run "${aws[@]}" --apply
is "$(grep -cv ' describe-' cloud/log)" 0 "again it only asks"
jq 'del(.Reservations[1])' cloud/instances >new && mv new cloud/instances
run "${aws[@]}" --apply
like "$status:$err" '^1:.*worker-2\): no running instance has the address 10\.240\.0\.22' "a machine that is not there"
run "$nodebake" routes --cluster "$cluster" --provider aws --apply
like "$status:$err" "^1:.*needs --route-table ID" "no route table"
run "$nodebake" routes --cluster "$cluster" --provider aws --route-table rtb-9 --apply
like "$status:$err" "^1:.*InvalidRouteTableID" "a wrong one"

# ---- what is refused ----

run "$nodebake" routes --cluster "$cluster" --provider azure
like "$status:$err" '^1:.*--provider azure: must be one of linux, gce, aws' "an unknown provider"
run "$nodebake" routes --cluster "$cluster" --provider linux --network x
like "$status:$err" '^1:.*--network is not for the provider linux' "an option of another provider"
run "$nodebake" routes --cluster "$cluster" --provider gce --network 'x; rm -rf ~'
like "$status:$err" '^1:.*--network .*letters, digits' "what a shell would take apart"
echo 'no JSON' >cloud/routes
run "$nodebake" routes --cluster "$cluster" --apply
like "$status:$err" '^1:.*its answer is no JSON' "an answer that is none"
sed 's/, podCIDR: [^,}]*//; /^ *podCIDR:/d; s/^metadata: .*/&\npodNetworks: controllers/' "$cluster" >by-controllers.yaml
run "$nodebake" routes --cluster by-controllers.yaml --apply
like "$status:$out:$err" '^1::.*no node has a podCIDR.*the CNI.s to make' "networks that the controllers choose"
ln -s "$(command -v ip)" only-ip
PATH='' run "$nodebake" routes --cluster "$cluster" --provider aws --route-table rtb-1 >/dev/null
is "$status:$(grep -c . <<<"$printed")" 0:3 "printing needs no client"
done_testing
