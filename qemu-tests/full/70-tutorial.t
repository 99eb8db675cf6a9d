#!/bin/bash
# The commands of docs/tutorial.md, as they stand there, in one shell and in a fresh copy of this tree:
# they end in a deployment that answers, and leave no lab.
set -euo pipefail
. "$(dirname "$0")/../host.sh"
. "$here/../tests/tap.sh"

build=$(realpath -- "${BUILD:-$here/../build}")
need qemu-system-x86_64 dnsmasq haproxy ip kubectl git
[[ -x $build/nodebake ]] || die "$build/nodebake is not there: run make"
tmp=$(mktemp -d)
copy=$tmp/nodebake

end() {
    child_end
    [[ ! -e $copy/mycluster/.lab ]] ||
        "$build/nodebake" lab down --now --quiet --state "$copy/mycluster/.lab" >&2 || true
    cd /
    rm -rf -- "$tmp"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What git would clone, with its times, so that what was built of it is not built again.
copy_tree() {
    mkdir -p "$copy/build"
    (cd "$here/.." && git ls-files -z | tar -c --null -T -) | tar -x -C "$copy"
    tar -C "$build" -c --exclude='./qemu*' --exclude=./demo . | tar -x -C "$copy/build"
}

# commands: of the document, each ended by a NUL.
commands() {
    awk '/^```sh$/ { inside = 1; next } /^```$/ { if (inside) printf "%c", 0; inside = 0; next } inside' \
        "$copy/docs/tutorial.md"
}

# script: runs all in one shell; command N leaves N.said, and N.done if it succeeded.
script() {
    local n
    for n in "${!commands[@]}"; do
        printf 'since=$SECONDS\n{\n%s\n} >%q 2>&1 || exit 1\necho $((SECONDS - since)) >%q\n' "${commands[n]}" \
            "$tmp/$((n + 1)).said" "$tmp/$((n + 1)).done"
    done
}

copy_tree
mapfile -d '' -t commands < <(commands)
is "${#commands[@]}" 10 "the tutorial has ten commands"
script >"$tmp/script"
cd "$copy"
unset BUILD NB_BASE NB_ADDS NB_COMPONENTS
attended timeout 50m bash "$tmp/script" || true
for n in "${!commands[@]}"; do
    name=${commands[n]%%$'\n'*}
    n=$((n + 1))
    status=0
    [[ -e $tmp/$n.done ]] || status=1
    ok $status "$n: $name"
    if [[ $status -eq 0 ]]; then
        diag "$(<"$tmp/$n.done") s"
    elif [[ -e $tmp/$n.said ]]; then
        diag "$(tail -n 40 "$tmp/$n.said")"
    fi
done
touch "$tmp/7.said" "$tmp/9.said"
for worker in worker-0 worker-1; do
    like "$(grep "^$worker " "$tmp/7.said" || true)" "^$worker +Ready " "$worker is Ready"
done
like "$(<"$tmp/9.said")" 'hello from a pod' "the deployment answers"
is "$([[ -e $copy/mycluster/.lab ]] && echo there || echo gone)" gone "no lab is left"
done_testing
