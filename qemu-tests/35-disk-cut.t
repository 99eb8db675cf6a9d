#!/bin/bash
# The power fails while firstboot writes. A first boot is recorded at the disk, write by write; from the
# disk as it was at points of that record, at flushes and between them, also with some of the writes lost
# that no flush had covered, the next boot ends where the uncut one did. 20 points, 200 with FULL=1.
# NB_FIRSTBOOT=FILE takes that firstboot for the recorded boot; with build/no-fsync/firstboot this has to
# fail.
set -euo pipefail
wants=(worker-0)
. "$(dirname "$0")/lib.sh"
. "$here/disk-cut.sh"
need debugfs e2fsck sfdisk bsdtar

points=20
[[ ${FULL:-0} -ne 1 ]] || points=200
program=image
[[ -z ${NB_FIRSTBOOT:-} ]] || program=other
metadata_start "$NB_IMAGES/cluster.yaml"
cut_prepare "$(image_of worker-0)"
cut_state "$cut_image" >"$here_cut/fresh"
cut_initrd
passes "a machine is saved before it mounts its root" cut_save

# record GO: a recorded boot.
record() {
    rm -f "$here_cut/entries"
    cut_record "$1" || { cat "$NB_RUN/$cut_name/console" "$NB_RUN/$cut_name/qemu.log"; return 1; }
}

# ended: the state that it ended in.
ended() {
    cut_disk "$(wc -l <"$here_cut/entries")" && cut_state "$here_cut/disk.raw"
}

# choose COUNT: "N SEED" lines. Half of them are flushes; a seed of those between is "" or a number.
choose() {
    local half=$(($1 / 2))
    awk -v half=$half '
        { if ($2 ~ /^flush/) at[++flushes] = $1; else between[++writes] = $1 }
        END {
            for (i = 1; i <= half; i++) {
                print at[1 + int((i - 1) * (flushes - 1) / (half - 1))]
                print between[1 + int((i - 1) * (writes - 1) / (half - 1))], i % 2 ? i : ""
            }
        }' "$here_cut/entries" | sort -n
}

# try_sound N [SEED]
try_sound() {
    cut_disk "$@" || return
    cut_state "$here_cut/disk.raw" >"$here_cut/now"
    cut_sound "$here_cut/now" "$here_cut/fresh" "$here_cut/whole" >"$here_cut/wrong"
    cat "$here_cut/wrong"
    [[ ! -s $here_cut/wrong ]]
}

# try N [SEED]: what the cut left is sound, and the next boot ends as an uncut one does.
try() {
    try_sound "$@" || return
    cut_boot "y 0 image" -drive "if=none,id=disk,file=$here_cut/disk.raw,format=raw,cache=unsafe" ||
        { tail -n 20 "$NB_RUN/$cut_name/console"; return 1; }
    cut_state "$here_cut/disk.raw" | diff "$here_cut/whole" - &&
        grep -aE 'nodebake: node [^ ]+ (is ready|was finished before)' "$NB_RUN/$cut_name/console"
}

# points_of NAME COUNT: all points of what was recorded.
points_of() {
    local name=$1 began=$SECONDS point bad=0 output again=0 tried=0
    while read -ra point; do
        output=$(try "${point[@]}" 2>&1) || { bad=$((bad + 1)); diag "${point[*]}: $output"; }
        tried=$((tried + 1))
        [[ $output != *'is ready'* ]] || again=$((again + 1))
    done < <(choose "$2")
    ok $((bad > 0 || tried != $2)) "$name: $tried points of $(wc -l <"$here_cut/entries") entries, $again first boots finished \
anew, $(((SECONDS - began) * 10 / $2))/10 s a point"
}

# As images boot: mounted read-only, writable only for firstboot. When the root is writable from the
# start, no remount syncs what firstboot did not, and the machine idles until the journal is written.
for mode in read-only writable; do
    go="y 0 $program"
    [[ $mode == read-only ]] || go="n 2 $program"
    passes "$mode: a first boot is recorded" record "$go"
    [[ -s $here_cut/entries ]] || continue
    ended >"$here_cut/whole"
    is "$(cut_sound "$here_cut/whole" "$here_cut/fresh" "$here_cut/whole"; grep -c none "$here_cut/whole")" 0 \
        "$mode: it wrote all"
    points_of "$mode" $((points / 2))
done

# A firstboot without fsync writes the same, and not in time: this test notices, without a boot.
passes "no fsync: a first boot is recorded" record 'n 7 no-fsync'
wrong="" tried=0
while read -r number _; do
    tried=$((tried + 1))
    output=$(try_sound "$number" 2>&1) || wrong+="$number: $output"$'\n'
done < <(choose "$points")
status=0
[[ -n $wrong && $tried -eq $points ]] || status=1
ok $status "no fsync: what a cut leaves is not sound"
diag "$(head -n 5 <<<"$wrong")"
done_testing
