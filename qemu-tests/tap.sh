# shellcheck shell=bash
# The Test Anything Protocol. There is no skip here: what cannot be tested fails.

tap_count=0 tap_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# report STATUS NAME
report() {
    tap_count=$((tap_count + 1))
    if [[ $1 -eq 0 ]]; then
        printf 'ok %d - %s\n' "$tap_count" "$2"
    else
        tap_failed=$((tap_failed + 1))
        printf 'not ok %d - %s\n' "$tap_count" "$2"
    fi
}

# ok NAME COMMAND…: passes when the command succeeds; its output is shown when it does not.
ok() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    report "$status" "$name"
    [[ $status -eq 0 ]] || diag "status $status: $*"$'\n'"$output"
}

# is GOT WANTED NAME
is() {
    if [[ $1 == "$2" ]]; then
        report 0 "$3"
    else
        report 1 "$3"
        diag "got: $1"$'\n'"wanted: $2"
    fi
}

# like GOT REGEX NAME
like() {
    if [[ $1 =~ $2 ]]; then
        report 0 "$3"
    else
        report 1 "$3"
        diag "got: $1"$'\n'"wanted, to match: $2"
    fi
}

# done_testing: the plan, and the scenario's exit status. A script that ends before it has no plan,
# and so failed.
done_testing() {
    printf '1..%d\n' "$tap_count"
    exit $((tap_failed != 0))
}
