# TAP for bash scripts: source it, call ok/is/like, end with done_testing.
# Where an ordinary user's PATH does not reach, and e2fsprogs' and fdisk's programs are.
PATH=$PATH:/usr/sbin:/sbin
tap_count=0
tap_failed=0

# ok STATUS NAME: passes when STATUS is 0.
ok()
{
    tap_count=$((tap_count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_count - $2"
    else
        echo "not ok $tap_count - $2"
        tap_failed=$((tap_failed + 1))
    fi
}

# diag TEXT: shown below the test before it; nothing for no text.
diag()
{
    [ -z "$1" ] || sed 's/^/# /' <<<"$1"
}

# is GOT WANTED NAME
is()
{
    local status=0
    [ "$1" = "$2" ] || status=1
    ok $status "$3"
    [ $status -eq 0 ] || diag "got:    $1
wanted: $2"
}

# like TEXT REGEX NAME
like()
{
    local status=0
    [[ "$1" =~ $2 ]] || status=1
    ok $status "$3"
    [ $status -eq 0 ] || diag "got:    $1
wanted: $2"
}

done_testing()
{
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
}

# within SECONDS COMMAND...: waits until the command succeeds; ends the script when it never does (and
# no other: "Bail out!" would end all of prove).
within()
{
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ "$SECONDS" -gt "$end" ]; then
            ok 1 "waited in vain for: $*"
            exit 1
        fi
        sleep 0.02
    done
}
