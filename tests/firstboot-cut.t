#!/usr/bin/env bash
# firstboot killed before each system call that changes something: no file is ever half written, no
# unit is enabled before its files stand, and the next run ends in the bytes of an uncut one. The
# same when such a call fails. Needs: strace.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/fake-root.sh
begin_fake_root

finish()
{
    "$firstboot" --root "$R" --facts "$tmp/facts" >"$tmp/out" 2>&1 </dev/null
}

make_root "$R"
cp -a "$R" "$tmp/fresh"
finish
content "$R" >"$tmp/reference"
cp -a "$R" "$tmp/whole"
mapfile -t files < <(sed -n 's/^identity .* //p; s/^template .* //p' tests/golden/contract-worker-0 |
    sed s/@NODE_NAME@/worker-0/)
preset=/etc/systemd/system-preset/00-nodebake.preset

# sums ROOT NAME: sets that array to the digest of each of the files, by path.
sums()
{
    local -n array=$2
    local sum file
    array=()
    while read -r sum file; do array[${file#"$1"}]=$sum; done \
        < <(sha256sum "${files[@]/#/$1}" 2>/dev/null)
}
declare -A now=() whole=() fresh=()
sums "$tmp/whole" whole
sums "$tmp/fresh" fresh
is "${#whole[@]}" "${#files[@]}" "an uncut run writes all"

# sound: what a boot after the cut would find is right; says what is not.
sound()
{
    local f missing=0
    sums "$R" now
    for f in "${files[@]}"; do
        if [ -e "$R$f" ] && [ "${now[$f]:-}" != "${whole[$f]}" ] &&
            [ "${now[$f]:-}" != "${fresh[$f]:-none}" ]; then
            echo "$f is half written"
        fi
        [ "${now[$f]:-}" = "${whole[$f]}" ] || [ "$f" = $preset ] || missing=1
    done
    if [ -n "$(find "$R/etc/systemd" -path '*.wants/*' ! -name '.*')" ]; then
        [ $missing -eq 0 ] && [ -e "$R$preset" ] || echo "a unit is enabled before its files stand"
    fi
    [ $missing -eq 0 ] || [ ! -e "$R$preset" ] || echo "the preset stands before the files"
    [ ! -e "$R/var/lib/nodebake/stamp" ] || [ "$(enabled "$R" | wc -l)" -eq 5 ] ||
        echo "the stamp stands before the units"
    find "$R" -name '.*.nodebake' -path '*key.pem*' -perm /077
}

# cut CALL HOW: for each time that CALL is made, a run in which it is injected with HOW, then one
# that is left alone.
cut()
{
    local n bad="" status
    for ((n = 1; n < 200; n++)); do
        rm -rf "$R"
        cp -a "$tmp/fresh" "$R"
        # (the braces swallow the shell's "Killed")
        { strace -qq -o "$tmp/trace" -e trace="$1" -e inject="$1:$2:when=$n" \
            "$firstboot" --root "$R" --facts "$tmp/facts" >"$tmp/out" 2>&1 </dev/null; } 2>/dev/null
        status=$?
        [ $status -ne 0 ] || break # it was not made so often
        bad+=$(sound)
        if [ $status -eq 1 ]; then
            [ -z "$(enabled "$R")$(left_over "$R")" ] && [ ! -e "$R/var/lib/nodebake/stamp" ] ||
                bad+="$1 $n fails: $(enabled "$R") $(left_over "$R")"
            grep -q '^nodebake: firstboot: .*; nothing was enabled$' "$tmp/out" && 
                [ "$(wc -l <"$tmp/out")" -eq 1 ] || bad+="$1 $n fails: $(<"$tmp/out")"
        fi
        finish || bad+="$1 $n: the next run fails: $(<"$tmp/out")"
        bad+=$(diff "$tmp/reference" <(content "$R"))
    done
    [ -z "$bad" ] && [ "$n" -gt 1 ]
    ok $? "$1, $2: $((n - 1)) times"
    [ -z "$bad" ] || diag "$bad"
}

for call in mkdirat openat write fchmod fsync renameat symlinkat close; do
    cut $call signal=KILL
done
for call in mkdirat fchmod renameat symlinkat; do
    cut $call error=ENOSPC
done
cut fsync error=EIO

done_testing
