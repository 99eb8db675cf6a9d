# shellcheck shell=bash
# What the scenarios of the AWS layout share. To be sourced after cluster.sh.

script=/srv/kubernetes/script
# id_of NODE: the instance id that the machine is called after.
id_of() { on "$1" hostname; }
# node_has NODE TEMPLATE: of its Node object.
node_has() { kube get node "$(id_of "$1")" -o "jsonpath={$2}"; }
