# shellcheck shell=bash
# A first boot whose writes are recorded, disks as a power cut would have left them, and boots from
# those. To be sourced after lib.sh. One machine boots until it is about to mount its root, and is saved;
# every boot goes on from there, with a disk of its own, and ends by a reset when firstboot is done.
#
#   image's root ── overlay ── blklogwrites ── machine      log: every write and flush, in order
#   image's root ── copy ── log-replay log N                the disk after the first N of them

here_cut=$NB_RUN/cut
cut_name=worker-0
cut_address=10.240.0.20
cut_stamp=/var/lib/nodebake/stamp

# cut_prepare IMAGE: takes its root out of it, as a disk of its own (e2fsck can replay no journal inside
# of a disk), and from there kernel, initrd and contract.
cut_prepare() {
    local file boot place
    mkdir "$here_cut"
    cut_image=$here_cut/image.raw
    place=$(sfdisk -J "$1" | jq -r '[.partitiontable.partitions[] | select(.type |
        IN("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"))][0] |
        "skip=\(.start * 512) count=\(.size * 512)"')
    # shellcheck disable=SC2086 # two words
    dd if="$1" of="$cut_image" bs=1M iflag=skip_bytes,count_bytes conv=sparse status=none $place
    truncate -s $((${place##*=})) "$cut_image"
    # The words of the first entry: linux, kernel, arguments.
    read -r -a boot < <(cut_debugfs "$cut_image" 'cat /boot/grub/grub.cfg' | grep -E '^\s*linux\s')
    for file in "${boot[@]:2}"; do
        [[ $file != root=* ]] || cut_root=$file
    done
    cut_debugfs "$cut_image" "dump ${boot[1]} $here_cut/kernel"
    cut_debugfs "$cut_image" "dump ${boot[1]/vmlinuz-/initrd.img-} $here_cut/initrd.image"
    cut_debugfs "$cut_image" "dump /usr/lib/nodebake/contract $here_cut/contract"
    cut_paths >"$here_cut/paths"
    vm_create "$cut_name" "$cut_image" "$cut_address"
    # The firmware's words for one and the same machine.
    printf '9b3c2f0e-0000-4000-8000-000000000001\n' >"$NB_RUN/$cut_name/uuid"
}

cut_debugfs() { debugfs -R "$2" "$1" 2>/dev/null; }

# cut_initrd: the image's initrd, with what stops the boot before the root is mounted, and what ends it.
# Later members replace earlier ones; init reads the file ORDER as its own commands. The line stays open
# between two reads: what came after the first is lost when it is closed.
cut_initrd() {
    local dir=$here_cut/more
    mkdir -p "$dir/scripts/local-premount" "$dir/scripts/init-bottom" "$dir/nodebake"
    cat >"$dir/scripts/local-premount/ORDER" <<'SCRIPT'
wait_for_udev 10
sync
echo 3 >/proc/sys/vm/drop_caches
echo "nodebake-test: about to mount" >/dev/console
exec 9</dev/ttyS1
until [ "${nodebake_go}:${nodebake_end}" = go:end ]; do
    read -r nodebake_go readonly nodebake_wait nodebake_program nodebake_end <&9
done
exec 9<&-
echo "nodebake-test: goes on" >/dev/console
[ "${nodebake_program}" = image ] ||
    cat "/nodebake/${nodebake_program}" >/usr/lib/nodebake/firstboot
SCRIPT
    cat >"$dir/scripts/init-bottom/ORDER" <<'SCRIPT'
sleep "${nodebake_wait}"
echo "nodebake-test: the end" >/dev/console
echo b >/proc/sysrq-trigger
sleep 600
SCRIPT
    cp "$build/no-fsync/firstboot" "$dir/nodebake/no-fsync"
    [[ -z ${NB_FIRSTBOOT:-} ]] || cp "$NB_FIRSTBOOT" "$dir/nodebake/other"
    cp "$here_cut/initrd.image" "$here_cut/initrd"
    truncate -s %4 "$here_cut/initrd"
    bsdtar -c -f - --format newc -C "$dir" scripts nodebake >>"$here_cut/initrd"
}

# cut_start QEMU-ARGUMENT…: the machine, the same each time but for what is behind its disk. Its journal is
# written each second, well before the kernel thinks of file content: as when another program syncs.
cut_start() {
    local vm_memory=512
    vm_start "$cut_name" -no-reboot -kernel "$here_cut/kernel" -initrd "$here_cut/initrd" \
        -append "$cut_root rootflags=commit=1 console=ttyS0,115200 loglevel=6 panic=-1" \
        -serial "unix:$here_cut/go,server=on,wait=off" \
        -monitor "unix:$here_cut/monitor,server=on,wait=off" "$@"
}

# cut_save: $here_cut/saved, the machine before it mounts its root. It runs until the end: one that was
# stopped would be stopped when it is loaded.
cut_save() {
    cut_start
    vm_awake "$cut_name"
    vm_wait_console "$cut_name" 'nodebake-test: about to mount' 300 || return
    printf 'migrate "exec:cat >%s"\nquit\n' "$here_cut/saved" |
        socat -t 60 - "UNIX-CONNECT:$here_cut/monitor" >"$here_cut/monitor.log"
    cut_ends 60
    [[ -s $here_cut/saved ]]
}

# cut_ends SECONDS: waits until the machine is gone.
cut_ends() {
    local end=$((SECONDS + $1))
    while vm_running "$cut_name" && [[ $SECONDS -lt $end ]]; do sleep 0.05; done
    vm_kill "$cut_name"
}

# cut_go GO: bytes that come before the saved machine is loaded are lost, and those that the machine did not
# take yet when the connection ends.
cut_go() {
    { printf '\ngo %s end\n' "$1" && sleep 0.7; } | socat -u - "UNIX-CONNECT:$here_cut/go" 2>/dev/null || return
    [[ -s $NB_RUN/$cut_name/console ]]
}

# cut_boot GO QEMU-ARGUMENT…: goes on with that disk, to the end. GO: y or n, whether the root is mounted
# read-only; how many seconds pass after firstboot; whose firstboot: image, no-fsync, other.
cut_boot() {
    local go=$1
    shift
    vm_drive=("$@")
    cut_start -incoming "exec:cat $here_cut/saved"
    vm_until "$cut_name" 60 "way on" cut_go "$go" || { vm_kill "$cut_name"; return 1; }
    cut_ends 120
    # What is said last may be lost in the reset.
    grep -aqE 'nodebake-test: the end|sysrq: Resetting' "$NB_RUN/$cut_name/console"
}

# cut_record GO: $here_cut/log of a first boot; the disk itself is thrown away.
cut_record() {
    local json
    rm -f "$here_cut/log" "$here_cut/recorded.qcow2"
    : >"$here_cut/log"
    qemu-img create -q -f qcow2 -b "$cut_image" -F raw "$here_cut/recorded.qcow2"
    json=$(jq -cn --arg disk "$here_cut/recorded.qcow2" --arg log "$here_cut/log" \
        '{driver: "blklogwrites", "node-name": "disk",
          file: {driver: "qcow2", file: {driver: "file", filename: $disk}},
          log: {driver: "raw", file: {driver: "file", filename: $log}}}')
    cut_boot "$1" -blockdev "$json" || return
    rm "$here_cut/recorded.qcow2"
    "$build/tests/log-replay" "$here_cut/log" "$cut_image" >"$here_cut/entries"
}

# cut_disk N [SEED]: $here_cut/disk.raw as it was after N entries; its file system repaired as a boot does.
cut_disk() {
    local status=0
    rm -f "$here_cut/disk.raw"
    cp --sparse=always "$cut_image" "$here_cut/disk.raw"
    "$build/tests/log-replay" "$here_cut/log" "$here_cut/disk.raw" "$@" || return
    # 1: something was repaired, such as the journal
    e2fsck -p "$here_cut/disk.raw" >"$here_cut/e2fsck.log" 2>&1 || status=$?
    [[ $status -le 1 ]] || { cat "$here_cut/e2fsck.log"; return 1; }
}

# cut_paths: what firstboot makes, a line each: file or unit, path.
cut_paths() {
    sed -nE "s/@NODE_NAME@/$cut_name/g; s/^(identity|template) .* /file /p
        s|^unit ([^ ]+) ([^ ]+) .*|unit /etc/systemd/system/\2.wants/\1|p" "$here_cut/contract"
    printf 'file %s\n' "$cut_stamp"
}

# cut_state DISK: a line a path: file or unit, path, type and mode, owner, what it holds; "none" for what
# is not there. Then what was left half made.
cut_state() {
    local kind path work=$here_cut/state
    rm -rf "$work"
    mkdir "$work"
    while read -r kind path; do
        printf 'stat %s\ndump %s %s\n' "$path" "$path" "$work/${path//\//+}"
    done <"$here_cut/paths" | debugfs -f - "$1" >"$work/stat" 2>/dev/null
    while read -r kind path; do
        printf '%s %s %s ' "$kind" "$path" "$(awk -v path="$path" '/^debugfs: / { on = $0 == "debugfs: stat " path }
            on && /Type:/ { t = $4 " " $6 } on && /User:/ { o = $2 ":" $4 } on && /link dest/ { l = $NF }
            END { print t ? t " " o " " l : "none" }' "$work/stat")"
        if [[ -s $work/${path//\//+} ]]; then sha256sum <"$work/${path//\//+}"; else echo; fi
    done <"$here_cut/paths"
    sed 's|^[a-z]* ||; s|/[^/]*$||' "$here_cut/paths" | sort -u | sed 's|^|ls -p |' |
        debugfs -f - "$1" 2>/dev/null | awk -F/ '$6 ~ /^\..*\.nodebake/ { print "left", $6 }'
}

# cut_sound STATE FRESH WHOLE: says what a boot would find that must not be: a file that is neither as
# in the image nor as it is to be, a unit before its files, a stamp before its units.
cut_sound() {
    awk -v preset=/etc/systemd/system-preset/00-nodebake.preset -v stamp="$cut_stamp" '
        $1 == "left" { next }
        FILENAME == ARGV[1] { fresh[$2] = $0; next }
        FILENAME == ARGV[2] { whole[$2] = $0; next }
        $0 != fresh[$2] && $0 != whole[$2] { print $2 ": half written: " $0 }
        $2 == stamp { stamped = $0 == whole[$2]; next }
        $1 == "unit" { if ($3 != "none") linked++; else unlinked++; next }
        $2 == preset { set = $0 == whole[$2]; next }
        $0 != whole[$2] { missing = missing " " $2 }
        END {
            if (linked && (missing || !set)) print linked " units enabled without" missing (set ? "" : " " preset)
            if (set && missing) print "the preset stands without" missing
            if (stamped && (unlinked || missing || !set)) print "the stamp stands before all else"
        }' "$2" "$3" "$1"
}
