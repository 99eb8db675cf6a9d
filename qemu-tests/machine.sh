# shellcheck shell=bash
# Machines: QEMU in the private network, and commands inside them through the guest agent. To be
# sourced by what `net` runs, after host.sh and net.sh. Everything of machine NAME is in
# $NB_RUN/NAME: its disk (an overlay, so that images stay clean), console, agent socket.

vm_memory=1536 # MiB
# As the lab's (builder/lab/qemu.c says why).
vm_cpu=max,vendor=GenuineIntel,family=6,model=28,stepping=10

vm_platform=gce # or aws: what the firmware says that a machine is

# vm_firmware UUID: QEMU's arguments, a line each.
vm_firmware() {
    if [[ $vm_platform == aws ]]; then
        local id=${1//-/}
        printf '%s\n' -smbios "type=0,vendor=Amazon EC2" \
            -smbios "type=1,manufacturer=Amazon EC2,product=m5.large,uuid=$1" \
            -smbios "type=2,manufacturer=Amazon EC2,asset=i-${id:0:17}"
    else
        printf '%s\n' -smbios "type=1,manufacturer=Google,product=Google Compute Engine,uuid=$1"
    fi
}

# vm_create NAME IMAGE ADDRESS [SIZE]: a machine that was never started, with an instance id of its
# own; its disk is as large as the image, or larger.
vm_create() {
    local dir=$NB_RUN/$1 format=raw
    mkdir "$dir"
    [[ $2 != *.qcow2 ]] || format=qcow2
    qemu-img create -q -f qcow2 -b "$(realpath "$2")" -F "$format" "$dir/disk.qcow2" ${4:+"$4"}
    cat /proc/sys/kernel/random/uuid >"$dir/uuid"
    printf '%s\n' "$3" >"$dir/address"
    net_host "$1" "$3"
}

# Arguments that make QEMU's node "disk", for machines that have another than vm_create's.
vm_drive=()

# vm_start NAME [QEMU-ARGUMENT…]: boots it; the console of the boot before is kept beside.
vm_start() {
    local name=$1 dir=$NB_RUN/$1 tap firmware drive=("${vm_drive[@]}")
    [[ ${#drive[@]} -gt 0 ]] ||
        drive=(-drive "if=none,id=disk,file=$dir/disk.qcow2,format=qcow2,cache=unsafe,discard=unmap")
    mapfile -t firmware < <(vm_firmware "$(<"$dir/uuid")")
    tap=tap-$(mac_of "$(<"$dir/address")" | tail -c +7 | tr -d :)
    ip tuntap add "$tap" mode tap
    ip link set "$tap" master br0 up
    printf '%s\n' "$tap" >"$dir/tap"
    { [[ $# -eq 1 ]] || printf '%s\0' "${@:2}"; } >"$dir/arguments"
    [[ ! -e $dir/console ]] || mv "$dir/console" "$dir/console.before"
    : >"$dir/console"
    qemu-system-x86_64 -name "$name" -machine q35 -accel tcg,thread=multi -cpu "$vm_cpu" -smp 2 \
        -m "$vm_memory" -nodefaults -display none -no-user-config \
        "${firmware[@]}" \
        "${drive[@]}" -device virtio-blk-pci,drive=disk -device virtio-rng-pci \
        -netdev "tap,id=net,ifname=$tap,script=no,downscript=no" \
        -device "virtio-net-pci,netdev=net,mac=$(mac_of "$(<"$dir/address")"),romfile=" \
        -serial "file:$dir/console" -device virtio-serial-pci \
        -chardev "socket,id=agent,path=$dir/agent,server=on,wait=off" \
        -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 \
        "${@:2}" >"$dir/qemu.log" 2>&1 &
    printf '%s\n' $! >"$dir/pid"
}

vm_running() { kill -0 "$(<"$NB_RUN/$1/pid")" 2>/dev/null; }

# vm_until NAME SECONDS WHAT COMMAND…: tries the command until it succeeds; 1 when the time is over
# or the machine is gone, and says so.
vm_until() {
    local name=$1 what=$3 end=$((SECONDS + $2))
    shift 3
    until "$@"; do
        if ! vm_running "$name"; then
            say "$name stopped before $what: $(cat "$NB_RUN/$name/qemu.log")"
            return 1
        elif [[ $SECONDS -ge $end ]]; then
            say "$name: no $what in time"
            return 1
        fi
        sleep 0.5
    done
}

# vm_wait_console NAME REGEX SECONDS
vm_wait_console() { vm_until "$1" "$3" "'$2' on the console" grep -Eaq -- "$2" "$NB_RUN/$1/console"; }

# vm_awake NAME: until something but the kernel speaks. One in some hundred kernels stops before that, with
# its processors waiting for each other in the emulator; nothing of ours has run then, and no disk was
# touched: it is started once more.
vm_awake() {
    local arguments
    ! vm_wait_console "$1" 'Run /init|Begin: |systemd\[1\]|nodebake| login:' 180 2>/dev/null || return 0
    vm_running "$1" || return 0
    say "$1: its kernel hangs in the emulator: $(tail -n 1 "$NB_RUN/$1/console"); once more"
    mapfile -d '' -t arguments <"$NB_RUN/$1/arguments"
    vm_kill "$1"
    vm_start "$1" "${arguments[@]}"
}

# vm_wait_agent NAME SECONDS: until commands can be run inside.
vm_wait_agent() { vm_until "$1" "$2" "guest agent" agent_ping "$NB_RUN/$1/agent"; }

agent_ping() { agent_call "$1" 2 '{"execute": "guest-ping"}' >/dev/null; }

# agent_call SOCKET SECONDS REQUEST: prints the one line of the answer. The agent may still answer
# somebody who gave up waiting; guest-sync tells where our own answers begin.
agent_call() (
    [[ -S $1 ]] || return 1
    id=$((SRANDOM & 0x7fffffff)) synced='' line=''
    coproc socat { exec socat - "UNIX-CONNECT:$1" 2>/dev/null; }
    # shellcheck disable=SC2154 # coproc sets it
    socat_pid=$socat_PID
    trap 'kill "$socat_pid" 2>/dev/null' EXIT
    printf '{"execute": "guest-sync", "arguments": {"id": %d}}\n%s\n' "$id" "$3" >&"${socat[1]}"
    while read -r -t "$2" line <&"${socat[0]}"; do
        if [[ -n $synced ]]; then
            printf '%s\n' "$line"
            return 0
        fi
        [[ $line != *"\"return\": $id}"* ]] || synced=yes
    done
    return 1
)

# agent_ask NAME FILTER COMMAND ARGUMENTS: calls the agent's command and prints what the jq filter
# takes from its answer.
agent_ask() {
    local answer
    answer=$(agent_call "$NB_RUN/$1/agent" 60 "{\"execute\": \"$3\", \"arguments\": $4}") ||
        { say "$1: the guest agent does not answer"; return 125; }
    jq -er ".return | $2" <<<"$answer" || { say "$1: $3: $answer"; return 125; }
}

# vm_exec NAME PROGRAM [ARGUMENT…]: its output, its errors and its exit status; 125 when it could
# not be run or asked for, 124 when it does not end in ten minutes.
vm_exec() {
    local name=$1 pid state request end=$((SECONDS + 600))
    request=$(jq -cn '{path: $ARGS.positional[0], arg: $ARGS.positional[1:], "capture-output": true}' \
        --args -- "${@:2}")
    pid=$(agent_ask "$name" .pid guest-exec "$request") || return
    while state=$(agent_ask "$name" . guest-exec-status "{\"pid\": $pid}") || return; do
        [[ $(jq .exited <<<"$state") == false ]] || break
        [[ $SECONDS -lt $end ]] || return 124
        sleep 0.2
    done
    jq -r '."out-data" // ""' <<<"$state" | base64 -d
    jq -r '."err-data" // ""' <<<"$state" | base64 -d >&2
    return "$(jq '.exitcode // (128 + .signal)' <<<"$state")"
}

# vm_sh NAME SCRIPT
vm_sh() { vm_exec "$1" sh -c "$2"; }

# vm_poweroff NAME: an orderly end.
vm_poweroff() {
    # Of this request the agent tells only failures.
    agent_call "$NB_RUN/$1/agent" 1 '{"execute": "guest-shutdown"}' >/dev/null || true
    local end=$((SECONDS + 120))
    while vm_running "$1"; do
        if [[ $SECONDS -ge $end ]]; then
            say "$1 did not power off"
            vm_kill "$1"
            return 1
        fi
        sleep 0.5
    done
    vm_gone "$1"
}

# vm_kill NAME: as if the plug was pulled.
vm_kill() {
    kill -KILL "$(<"$NB_RUN/$1/pid")" 2>/dev/null || true
    vm_gone "$1"
}

vm_gone() {
    wait "$(<"$NB_RUN/$1/pid")" 2>/dev/null || true
    ip link delete "$(<"$NB_RUN/$1/tap")"
}
