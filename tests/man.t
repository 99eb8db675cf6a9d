#!/usr/bin/env bash
# The manual pages: options are those of --help and of the completion; keys of cluster.yaml are those
# that are read; pages are well-formed, and installed.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
build=$PWD/${BUILD:-build}
nodebake=$build/nodebake
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Options of a --help on standard input, and of a page.
help_options() { sed -nE 's/^  (--[a-z-]+).*/\1/p' | sort; }
page_options() { sed -nE 's/^\.It Fl -([a-z-]+).*/--\1/p' "$1" | sort; }

# synopsis PAGE: options with their arguments, as --help writes them.
synopsis() { sed -nE 's/^\.Op Fl -([a-z-]+)( Ar (.*))?$/--\1 \3/p' "$1" | sed 's/ $//' | sort; }

# completes WORD...: what may follow `nodebake WORD... --`.
completes()
{
    bash -c '. <("$0" completion) && COMP_WORDS=(nodebake "$@" --) COMP_CWORD=$(($# + 1)) &&
        _nodebake && printf "%s\n" "${COMPREPLY[@]}"' "$nodebake" "$@" | sort
}

commands=$("$nodebake" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z -]*[a-z]\)  .*/\1/p')
while read -r command; do
    page=docs/man/nodebake-${command// /-}.1
    help=$("$nodebake" $command --help </dev/null)
    options=$(help_options <<<"$help")
    is "$(page_options "$page")" "$options" "nodebake-$command(1) has the options"
    is "$(completes $command)" "$options" "completion has the options of $command"
    is "$(synopsis "$page")" \
        "$(sed -nE 's/^  (--[a-z-]+)( ([A-Z:]+))? .*/\1 \3/p' <<<"$help" | sed 's/ $//' |
            grep -vx -- --help | sort)" "its synopsis has them with their arguments"
done <<<"$commands"
options=$("$nodebake" --help | help_options)
is "$(page_options docs/man/nodebake.1)" "$options" "nodebake(1) has the options"
is "$(completes)" "$options" "completion has them"
is "$(bash -c '. <("$0" completion) && COMP_WORDS=(nodebake pki "") COMP_CWORD=2 && _nodebake &&
    echo ${COMPREPLY[@]}' "$nodebake")" "show verify rotate-encryption csr import" "and what follows pki"
is "$(sed -n 's/^\.It Xr nodebake-\([a-z-]*\) 1$/\1/p' docs/man/nodebake.1)" "${commands// /-}" \
    "nodebake(1) has the commands"
options=$("$build/firstboot" --help | help_options)
is "$(page_options docs/man/firstboot.8)" "$options" "firstboot(8) has the options"

# Keys: what the tables of the reader have, how often one of that name stands in the reference, and
# in the page.
keys_read()
{
    sed -n '/struct yaml_field .*{$/,/};/s/^ *{"\([A-Za-z0-9]*\)", .*/\1/p' builder/cluster/*.c | sort
}
rows() { sed -nE '/^\| `/p' docs/cluster.yaml.md; }
keys_shown()
{
    rows | cut -d '|' -f 2 | grep -o '`[^`]*`' | tr -d '`' | sed 's/.*\.//' | sort
}
is "$(keys_shown)" "$(keys_read)" "the reference has every key of cluster.yaml, and no other"
is "$(rows | awk -F ' [|] ' '$2 !~ /^`.+`$/ || $3 == ""')" "" "each with an example and a text"
is "$(sed -nE 's/^\.It (.*)/\1/p' "$build/man/cluster.yaml.5" | grep -o 'fB[^\\]*' | cut -c 3-)" \
    "$(rows | cut -d '|' -f 2 | grep -o '`[^`]*`' | tr -d '`')" "cluster.yaml(5) has every key"

# An overlay is what lies in its folder: of an older version nothing may stay there.
older=$tmp/usr/share/nodebake/overlays/common/etc/older
mkdir -p "${older%/*}" && touch "$older"
env -u MAKEFLAGS make -s install BUILD="${BUILD:-build}" DESTDIR="$tmp" PREFIX=/usr >"$tmp/log" 2>&1
ok $? "make install"
is "$(cd "$tmp/usr/share/nodebake" && diff -r --no-dereference overlays "$OLDPWD/overlays")" "" \
    "the overlays are those of this version"
installed=$(cd "$tmp/usr/share/man" && printf '%s\n' */*)
wanted=$(for page in docs/man/*.[1-8] "$build"/man/*.5; do echo "man${page##*.}/${page##*/}"; done)
is "$installed" "$(sort <<<"$wanted")" "all pages are installed"
for page in $installed; do
    file=$tmp/usr/share/man/$page
    is "$(mandoc -T lint -W warning "$file" 2>&1)" "" "$page: mandoc finds nothing"
    is "$(groff -k -mdoc -Tutf8 -ww -z "$file" 2>&1)" "" "$page: groff finds nothing"
    name=${page#*/}
    like "$(man -M "$tmp/usr/share/man" "${name##*.}" "${name%.*}" 2>&1 | col -b)" \
        "NAME"$'\n'" +${name%.*} . " "$page: man shows it"
done

# References between the pages lead somewhere.
is "$(cat "$tmp"/usr/share/man/*/* | sed -nE 's/^(\.It |\.)Xr ((nodebake|firstboot|cluster)[^ ]*) ([0-9]).*/man\4\/\2.\4/p' |
    sort -u | grep -vxF "$installed")" "" "no page refers to one that is not there"

env -u MAKEFLAGS make -s uninstall BUILD="${BUILD:-build}" DESTDIR="$tmp" PREFIX=/usr
is "$(find "$tmp/usr" -type f)" "" "make uninstall leaves nothing"
done_testing
