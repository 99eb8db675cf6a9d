#!/bin/bash
# The scripts for operators: init.sh behind its lock, clean.sh, and init.sh again.
set -euo pipefail
. "$(dirname "$0")/../cluster/cluster.sh"
. "$(dirname "$0")/srv.sh"

id=$(id_of worker-0)
state() {
    on worker-0 "find /etc /srv/kubernetes /usr/lib/nodebake /var/lib/nodebake -xdev -not -path '*/log/*' \
        -printf '%p %i %m %u %s %T@ %l\n' | sort; systemctl show -p MainPID kubelet kube-proxy containerd"
}
before=$(state)
becomes "init.sh ends with 2: it was done before" 1 2 eval "on worker-0 '$script/init.sh; echo \$?'"
is "$(state)" "$before" "and changes nothing"

own="openssl x509 -noout -serial -in /srv/kubernetes/pki/kubelet-client-current.pem"
serial=$(on worker-0 "$own")
# What runs there of pods: containers, their processes, their networks.
pods="ctr -n k8s.io containers list -q | sort; ctr -n k8s.io tasks list -q | sort; \
    pgrep -ax containerd-shim; ls /run/netns || true"
before=$(on worker-0 "$pods")
status=0
[[ -n $before ]] || status=1
ok "$status" "pods run there"
passes "clean.sh" on worker-0 "$script/clean.sh"
is "$(on worker-0 'systemctl is-active kubelet kube-proxy; systemctl is-enabled kubelet')" \
    $'inactive\ninactive\ndisabled' "takes the services away"
is "$(on worker-0 'ls /srv/kubernetes/pki; ls -A /var/lib/kubelet; test ! -e /srv/kubernetes/.lock || echo locked')" ca.pem \
    "the certificates, and the lock"
is "$(on worker-0 "$pods; echo looked")" looked "and all containers of pods"
passes "the Node object is deleted" kube delete node "$id"
passes "init.sh makes it a node again" on worker-0 "$script/init.sh"
becomes "which joins" 240 True \
    kube get node "$id" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
status=0
[[ $(on worker-0 "$own") != "$serial" ]] || status=1
ok "$status" "with another certificate"
becomes "init.sh ends with 2 again" 1 2 eval "on worker-0 '$script/init.sh; echo \$?'"
done_testing
