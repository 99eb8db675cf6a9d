#!/usr/bin/env bash
# What .ci/count makes of logs that prove itself writes, brief and verbose.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
tap=$PWD/tests/tap.sh
count=$PWD/.ci/count
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# script NAME: with the functions of tap.sh; the rest is stdin.
script() { (echo ". $tap" && cat) >"$1.t"; }

# log OPTION SCRIPT...: what CI sees of a step; `make check` runs prove with these options, CI verbosely.
log()
{
    local option=$1 result
    shift
    HARNESS_NOTTY=1 prove "$option" -j2 --failures --comments --directives -e bash "${@/%/.t}" 2>&1
    result=$?
    echo "== make check: exit $result after 1 s"
}

# counts NAME WANTED SCRIPT...
counts()
{
    local name=$1 wanted=$2 option got
    shift 2
    for option in --nocolor --verbose; do
        log "$option" "$@" >log
        got=$("$count" log)
        got+=:$?
        is "$got" "$wanted" "$name (prove $option)"
        [ "$got" = "$wanted" ] || diag "$(<log)"
    done
}

script good <<<'ok 0 one; ok 0 "two # skipper"; ok 0 "three \# skip"; echo "# not ok 4"; done_testing'
script better <<<'ok 0 four; done_testing'
script bad <<<'ok 0 five; is got wanted six; like x y seven; ok 0 eight; done_testing'
script lacking <<<'echo "1..0 # SKIP no such tool"'
script skipping <<<'ok 0 nine; ok 0 "ten # SKIP no such thing"; done_testing'
script cmocka <<<'echo "1..2"; echo "ok 1 - eleven"; echo "not ok 2 # SKIP twelve"'
script torn <<<'ok 0 13; ok 1 14; ok 0 "15 # skip"; done_testing'
script killed <<<'ok 0 16; ok 0 17; kill -KILL $$'
script planned <<<'echo 1..5; ok 0 18; ok 0 19; exit 3'
script silent <<<'exit 1'
script waiting <<<'ok 0 20; within 0 false; ok 0 21; done_testing'
script surplus <<<'echo 1..1; ok 0 22; ok 0 23; ok 0 24'
script lying <<<'ok 0 25; done_testing; exit 7'

counts "all well" "4 passed, 0 failed, 0 skipped:0" good better
counts "failures" "6 passed, 2 failed, 0 skipped:1" good bad better
counts "a script that lacks a tool" "1 passed, 0 failed, 1 skipped:1" lacking better
counts "a test that is skipped" "2 passed, 0 failed, 1 skipped:1" skipping better
counts "one of cmocka's" "2 passed, 1 failed, 0 skipped:1" cmocka better
counts "one beside a failure" "2 passed, 1 failed, 1 skipped:1" torn better
counts "a script that is killed" "3 passed, 1 failed, 0 skipped:1" killed better
counts "one that ends before all that it planned" "3 passed, 3 failed, 0 skipped:1" planned better
counts "one that says nothing" "1 passed, 1 failed, 0 skipped:1" silent better
counts "one that waits in vain; the next one runs" "2 passed, 1 failed, 0 skipped:1" waiting better
counts "more than it planned" "2 passed, 2 failed, 0 skipped:1" surplus better
counts "an exit status without a failure" "2 passed, 1 failed, 0 skipped:1" lying better
counts "all of it" "16 passed, 13 failed, 3 skipped:1" \
    good better bad lacking skipping cmocka torn killed planned silent waiting surplus lying

# Diagnostics stand below the test that they are about.
for option in --nocolor --verbose; do
    log "$option" bad good >log
    is "$(grep -A2 '^not ok 2' log)" "not ok 2 - six
# got:    got
# wanted: wanted" "what a failing test got is shown (prove $option)"
done

log --timer bad lacking torn >timed
log --nocolor bad lacking torn >log
is "$("$count" timed)" "$("$count" log)" "times before the names of scripts change nothing"

# Steps.
{ log --nocolor good && log --nocolor bad && log --verbose better; } >log
is "$("$count" log)" "6 passed, 2 failed, 0 skipped" "tests of all steps are counted"
(log --nocolor good && echo '== make check-analyzer: exit 2 after 7 s') >log
is "$("$count" log)" "3 passed, 1 failed, 0 skipped" "a step that breaks is a failure"
(log --nocolor bad && echo '== make check-analyzer: exit 2 after 7 s') >log
is "$("$count" log)" "2 passed, 3 failed, 0 skipped" "beside those of another step"
echo 'ok 0 one; echo "Bail out! no room"; sleep 5' >bail.t
log --nocolor bail >log
is "$("$count" log)" "0 passed, 1 failed, 0 skipped" "prove gives up"
"$count" </dev/null >log
is "$?:$(<log)" "1:0 passed, 0 failed, 0 skipped" "nothing ran"
done_testing
