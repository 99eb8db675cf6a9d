# shellcheck shell=bash
# What several scenarios look at in a worker. To be sourced after lib.sh.

worker_units=(containerd.service kubelet.service kube-proxy.service)

# said NAME: what firstboot said on the console.
said() { tr -d '\r' <"$NB_RUN/$1/console" | sed -nE 's/^.*nodebake: /nodebake: /p'; }

# boots NAME: the whole way to a login prompt and the agent.
boots() {
    vm_awake "$1"
    passes "$1: a login prompt" vm_wait_console "$1" ' login:' 300
    passes "$1: the guest agent answers" vm_wait_agent "$1" 120
}

# becomes NAME SECONDS WANTED SCRIPT: waits until the script prints what is wanted.
becomes() { vm_until "$1" "$2" "'$3' from $4" prints "$1" "$3" "$4"; }
prints() { [[ $(vm_sh "$1" "$3" 2>&1) == "$2" ]]; }

# finds NAME SECONDS SCRIPT: waits until the script succeeds.
finds() { vm_until "$1" "$2" "success of $3" vm_sh "$1" "$3"; }

# refused NAME REGEX: firstboot gave up, says why in one line, and left the machine as it was.
refused() {
    local name=$1 unit
    is "$(said "$name" | wc -l)" 1 "$name: one line on the console"
    like "$(said "$name")" "$2" "$name: it names the cause"
    like "$(said "$name")" 'nothing was enabled' "$name: it says that nothing was enabled"
    for unit in "${worker_units[@]}"; do
        is "$(vm_sh "$name" "systemctl is-enabled $unit; systemctl is-active $unit")" \
            $'disabled\ninactive' "$name: $unit is disabled and inactive"
    done
    passes_not "$name: no stamp" vm_exec "$name" test -e /var/lib/nodebake/stamp
    is "$(vm_sh "$name" 'ls -A /var/lib/kubelet')" '' "$name: no key, certificate or config for kubelet"
    is "$(vm_sh "$name" 'find / -xdev -name ".*.nodebake"')" '' "$name: nothing half written"
}
