# shellcheck shell=bash
# Clocks and tables of the benchmarks. To be sourced behind host.sh; $work is a folder that the script
# made. RUNS=N: rounds (default 3), of which the median counts.

runs=${RUNS:-3}

# once COMMAND: the seconds that it takes.
once() {
    local started
    # What was left to be written would be written in this one's time.
    sync
    started=$EPOCHREALTIME
    "$1" >"$work/log" 2>&1 || die "$1 failed: $(tail -n 3 "$work/log")"
    awk "BEGIN { printf \"%.2f\n\", $EPOCHREALTIME - $started }"
}

# race COMMAND…: the median of each in $runs rounds, a line each, and all times on stderr. They take
# turns, so that what slows the machine for a while slows all of them.
race() {
    local round command
    for ((round = 0; round < runs; round++)); do
        for command; do
            once "$command" >>"$work/times-$command" || exit 1
        done
    done
    for command; do
        say "$command: $(tr '\n' ' ' <"$work/times-$command")"
        sort -n "$work/times-$command" | sed -n "$(((runs + 1) / 2))p"
    done
}

# row NAME SECONDS OF: a line of a table, with the ratio to OF.
row() { printf '| %s | %.2f | %.2f |\n' "$1" "$2" "$(awk "BEGIN { print $2 / $3 }")"; }
