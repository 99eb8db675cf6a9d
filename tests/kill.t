#!/usr/bin/env bash
# Whatever ends a build, and whenever: nothing incomplete stands under its final name, the base is as
# it was, no process goes on, and the next build makes the same bytes. FULL=1: at 100 points.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
export HOME=$tmp/home TMPDIR=$tmp
unset XDG_CACHE_HOME
cd "$tmp" || exit 1

points=$([ -n "${FULL:-}" ] && echo 100 || echo 20)
formats=(--format raw --format qcow2 --format gce)

# start OUT: a build in a session of its own; sets pid. SIGINT is ignored by what a shell starts in
# the background, unless it is told otherwise.
start()
{
    env --default-signal=INT,HUP setsid "$nodebake" build worker-0 --quiet --writer ext4 "${formats[@]}" \
        --out "$1" 2>log >/dev/null &
    pid=$!
}

# build OUT: sets status.
build()
{
    start "$1"
    wait $pid
    status=$?
}

microseconds() { echo "${EPOCHREALTIME/./}"; }

# pause NUMERATOR DENOMINATOR: that part of a build's duration.
pause() { sleep "$(printf '%d.%06d' $((duration * $1 / $2 / 1000000)) $((duration * $1 / $2 % 1000000)))"; }

# Zombies run no more; it may take init seconds to fetch them.
nobody_runs() { ! pgrep -r D,R,S,T -s "$pid" >/dev/null; }

# whole OUT: what stands there under a final name is what the reference has.
whole()
{
    local file
    for file in "$1"/*; do
        [[ ! -e $file || $file == *.nodebake-tmp ]] || cmp "$file" "reference/${file##*/}" || return 1
    done
    [ "$(base_state)" = "$base" ]
}

# base_state: nobody writes to a file without its time of modification telling.
base_state() { stat -c '%i %s %y' base.raw; }

# complete OUT: all of it, and no temporary file beside it.
complete()
{
    whole "$1" && [ "$(cd "$1" && echo *)" = "$(cd reference && echo *)" ] && no_temporary "$1"
}

# The record of the build is no image, and the next one replaces it.
no_image() { [ -z "$(find "$1" -name '*nodebake-tmp*' ! -name '.nodebake.json.*')" ]; }

no_temporary() { [ -z "$(find "$1" pki home -name '*nodebake-tmp*' 2>/dev/null)" ]; }

# passes NAME COMMAND...
passes()
{
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ok $status "$name"
    [ $status -eq 0 ] || diag "$output"$'\n'"$(<log)"$'\n'"$(ls -lA out 2>&1)"
}

# ended SIGNAL WHEN: what has to be true when the build is gone; sets status.
ended()
{
    wait $pid 2>/dev/null
    status=$?
    passes "SIG$1 $2: nothing half made" whole out
    within 10 nobody_runs
    [ "$1" = KILL ] || passes "SIG$1 $2: no temporary image" no_image out
}

make_artifacts .
sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
make_system system
variant_mib=40 # each build is compared byte by byte
make_variant 4k base.raw system
cp base.raw base.copy
base=$(base_state)
build reference
is "$status:$(<log)" 0: "the reference is built"
cp -r pki pki.copy
rm -rf first
before=$(microseconds)
build first
duration=$(($(microseconds) - before))
passes "a second build makes the same" complete first

# Half of them from nothing, half from what the one before left.
for ((i = 1; i <= points; i++)); do
    if [ $((i % 2)) -eq 1 ] || [ $status -eq 0 ]; then rm -rf out; fi
    start out
    pause $i "$points"
    kill -KILL $pid 2>/dev/null
    ended KILL "after $i/$points"
done
build out
is "$status" 0 "the next build succeeds"
passes "and makes the same" complete out

for signal in TERM INT HUP; do
    for i in 1 3 5 7 9; do
        rm -rf out
        start out
        pause $i 10
        kill -s $signal $pid 2>/dev/null
        ended $signal "after $i/10"
    done
done

# Certificates and unpacked files are made by the first build alone; keys differ each time.
for i in 1 2 3 4 5; do
    rm -rf out pki home
    start out
    pause $i 20
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    within 10 nobody_runs
    build out
    is "$status:$(<log)" 0: "SIGKILL among the certificates, after $i/20: the next build succeeds"
    passes "and leaves no temporary file" no_temporary out
done
rm -rf pki
cp -r pki.copy pki

# At once in one folder: the second waits or refuses.
rm -rf out
start out
first=$pid
sleep 0.02
build out
[ $status -eq 0 ] || like "$(<log)" 'another nodebake holds the lock' "a second build at once is refused"
wait $first
is "$?" 0 "while the first succeeds"
passes "and makes the same" complete out

# A full disk. The sizes are in KiB; with the last all fits.
full=0
for size in 128 256 512 768 1024 1280 1536 1792 2048 16384; do
    mkdir -p small
    # shellcheck disable=SC2016 # for the shell inside
    unshare --user --map-root-user --mount bash -c '
        mount -t tmpfs -o size="$1k" none small && shift && "$@" --out small/out 2>log >/dev/null
        status=$?
        [ ! -e small/out ] || cp -r --sparse=always small/out small.copy
        exit $status' _ $size "$nodebake" build worker-0 --quiet --writer ext4 "${formats[@]}"
    status=$?
    mkdir -p small.copy
    passes "$size KiB of room: nothing half made" whole small.copy
    if [ $status -ne 0 ]; then
        full=$((full + 1))
        like "$(<log)" 'No space left' "$size KiB of room: the cause is said"
        passes "$size KiB of room: no temporary file" no_temporary small.copy
    else
        passes "$size KiB of room: enough" complete small.copy
    fi
    rm -rf small.copy
done
is "$((full > 2)):$status" 1:0 "little room is too little, much is enough"

# Inputs that go away while they are read: an error, or the whole image.
for input in base.raw artifacts/runc.amd64 pki/worker-0-key.pem home; do
    for i in 1 2 3 4 5 6 7 8; do
        rm -rf out
        start out
        pause $i 10
        mv "$input" gone
        wait $pid
        status=$?
        [ -e home ] && [ "$input" = home ] && rm -rf home
        mv gone "$input"
        passes "$input goes after $i/10: nothing half made" whole out
        if [ $status -eq 0 ]; then
            passes "$input goes after $i/10: all is there" complete out
        else
            # What the cluster file names and is gone before it is read is a problem with its place.
            is "$(grep -cv '^cluster\.yaml:' log)" 1 "$input goes after $i/10: one line says why"
            passes "$input goes after $i/10: no temporary file" no_temporary out
        fi
    done
done
passes "the base is as it was" cmp base.raw base.copy
done_testing
