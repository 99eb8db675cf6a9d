#!/usr/bin/env bash
# What nodebake refuses of a cluster.yaml: everything that is wrong, each with its place, in one run,
# and nothing is made. The tables in bad-clusters/ are edits of good.yaml there; of each:
#
#     # what is wrong
#     SED COMMAND...
#     LINE:COLUMN: PROBLEM...
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
nodebake=$PWD/${BUILD:-build}/nodebake
cases=$PWD/tests/bad-clusters
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp/home
mkdir "$tmp/case"
cd "$tmp/case" || exit 1
make_artifacts .
truncate -s 1M base.raw
cp "$cases/good.yaml" cluster.yaml

# run [COMMAND...]: nodebake, as it looks at everything, on cluster.yaml; sets status, out and err.
run()
{
    [ $# -gt 0 ] || set -- build --dry-run
    timeout 60 "$nodebake" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    out=$(<"$tmp/out") err=$(<"$tmp/err")
}

# refused NAME: cluster.yaml is refused for the problems on standard input.
refused()
{
    local problems n
    problems=$(sed -e "s/KEYS/$keys/" -e "s/VERSION/$version/" -e 's/^/cluster.yaml:/')
    n=$(wc -l <<<"$problems")
    run
    is "$status:$out:$err" "1::$problems
nodebake: cluster.yaml: $n problem$([ "$n" -eq 1 ] || echo s)" "$1"
}

# table NAME: every case of the table.
table()
{
    local name='' line
    : >"$tmp/edits"
    : >"$tmp/wanted"
    while IFS= read -r line; do
        case $line in
        '# '*) name=${line#??} ;;
        [0-9]*:[0-9]*:*) echo "$line" >>"$tmp/wanted" ;;
        ?*) echo "$line" >>"$tmp/edits" ;;
        '')
            sed -f "$tmp/edits" "$cases/good.yaml" >cluster.yaml
            refused "$1: $name" <"$tmp/wanted"
            : >"$tmp/edits"
            : >"$tmp/wanted"
            ;;
        esac
    done < <(cat "$cases/$1" && echo)
}

version=$("$nodebake" --version | cut -d' ' -f2)
run
is "$status:$err" "0:" "the good file is good"
echo 'colour: red' >>cluster.yaml
run
keys=$(sed -n 's/.*known here: //p' <<<"$err")
like "$keys" '^version, name, .*nodes, .*journalSize, .*pki$' "an unknown key is told which are known"

for key in ${keys//,/}; do
    grep -q "^| \`$key\` | \`[^|]*\` | " "$cases/../../docs/cluster.yaml.md"
    ok $? "the reference has $key, with an example"
done

before=$(ls -A && sha256sum <release.yaml)
for t in keys values networks nodes settings pki files yaml several; do table "$t"; done

# whole NAME: cluster.yaml, from standard input, is refused for the one problem.
whole()
{
    cat >cluster.yaml
    refused "$1" <<<"$2"
}

whole "an empty file" "1:1: the file is empty" </dev/null
whole "a comment alone" "1:1: the file is empty" <<<'# to come'
whole "a list" "1:1: expected a map (key: value)" <<<'- version: 1'
whole "a text" "1:1: expected a map (key: value)" <<<'version'
whole "UTF-16" "1:1: the file is UTF-16; save it as UTF-8" \
    < <(printf '\xff\xfe' && iconv -t UTF-16LE "$cases/good.yaml")
whole "UTF-16 of the other order" "1:1: the file is UTF-16; save it as UTF-8" \
    < <(printf '\xfe\xff' && iconv -t UTF-16BE "$cases/good.yaml")
whole "UTF-16 without a mark" "1:2: a NUL byte; the file must be text, in UTF-8" \
    < <(iconv -t UTF-16LE "$cases/good.yaml")
whole "a NUL byte" "2:11: a NUL byte; the file must be text, in UTF-8" \
    < <(sed 's/^name: hard/&\x00/' "$cases/good.yaml")
whole "Latin 1" "2:16: the byte 0xe4 is not UTF-8; save the file as UTF-8" \
    < <(sed 's/^name: hard/& # \xc3\xa4 \xe4/' "$cases/good.yaml")
whole "half a pair of UTF-16 in UTF-8" "2:14: the byte 0xed is not UTF-8; save the file as UTF-8" \
    < <(sed 's/^name: hard/& # \xed\xa0\x80/' "$cases/good.yaml")
whole "a cut character" "1:7: the byte 0xc3 is not UTF-8; save the file as UTF-8" \
    < <(printf 'name: \xc3')
whole "a control character" "2:14: not YAML: control characters are not allowed" \
    < <(sed 's/^name: hard/& # \x1b/' "$cases/good.yaml")
whole "a hundred thousand lists" "1:17: nested more than 16 deep; nothing here needs that" \
    < <(head -c 100000 /dev/zero | tr '\0' '[')
whole "a key without an end" "25:5001: not YAML: could not find expected ':'" \
    < <(cat "$cases/good.yaml" && head -c 5000 /dev/zero | tr '\0' x)

# Each line stands for nine of the one before.
(echo 'a0: &a0 lol' && for i in {1..20}; do
    printf 'a%d: &a%d [%s]\n' "$i" "$i" "$(printf "*a$((i - 1)),%.0s" {1..9})"
done) >cluster.yaml
run
is "$status:$(wc -l <<<"$err"):$(grep -vc ': anchors and aliases are not allowed here; write the value out$' <<<"$err")" \
    "1:52:2" "aliases of aliases"
is "$(tail -n 2 <<<"$err")" "cluster.yaml: and 151 more
nodebake: cluster.yaml: 201 problems" "more than fifty problems are counted"

# What takes a careless reader minutes: the time is bounded by run.
awk 'BEGIN {for (i = 0; i < 50000; i++) printf "a%d: &a%d x\n", i, i}' >cluster.yaml
run
is "$status:$(tail -n 1 <<<"$err")" "1:nodebake: cluster.yaml: 50000 problems" "50000 anchors"
awk 'BEGIN {for (i = 0; i < 60000; i++) printf "%%TAG !%d! x\n", i; print "---\nname: x"}' >cluster.yaml
run
is "$status:$(tail -n 1 <<<"$err")" "1:nodebake: cluster.yaml: 60000 problems" "60000 directives"
awk 'BEGIN {for (i = 0; i < 110000; i++) printf "a%d:\n", i}' >cluster.yaml
run
is "$status:$(tail -n 1 <<<"$err")" "1:nodebake: cluster.yaml: 110011 problems" "110000 unknown keys"
(sed '/^nodes/,$d' "$cases/good.yaml" && echo 'nodes:' &&
    awk 'BEGIN {for (i = 0; i < 20000; i++) print "- {name: worker-0, role: worker}"}') >cluster.yaml
run
is "$status:$(head -n 1 <<<"$err")" "1:cluster.yaml:18:1: 20000 items; 1 to 1000 are allowed" "20000 nodes"

# pad BYTES: the good file with a comment that makes it so large.
pad()
{
    local size
    size=$(stat -c %s "$cases/good.yaml")
    (cat "$cases/good.yaml" && head -c $(($1 - size)) /dev/zero | tr '\0' '#') >cluster.yaml
}
pad 1000000
run
is "$status:$err" "0:" "a million bytes are read"
pad 1000001
run
is "$status:$out:$err" "1::nodebake: cluster.yaml: larger than the 1000000 bytes allowed" \
    "one more is refused"
run build --dry-run --cluster .
is "$status:$out:$err" "1::nodebake: .: not a regular file" "a folder"
run build --dry-run --cluster /dev/zero
is "$status:$out:$err" "1::nodebake: /dev/zero: not a regular file" "a device"

# What is not wrong.
(printf '\xef\xbb\xbf' && cat "$cases/good.yaml") >cluster.yaml
run
is "$status:$err" "0:" "a file that begins with the mark of UTF-8"
whole "and its places" "1:10: version '2' is not known to nodebake VERSION; write 1" \
    < <(printf '\xef\xbb\xbf' && sed 's/^version: 1/version: 2/' "$cases/good.yaml")
sed 's/$/\r/' "$cases/good.yaml" >cluster.yaml
run
is "$status:$err" "0:" "lines that end as on Windows"

# Each command looks at what it needs.
sed -e 's/base.raw/nothing.raw/' -e 's/^artifacts: .*/artifacts: nothing/' "$cases/good.yaml" >cluster.yaml
run plan
is "$status:$err" "0:" "plan needs no image and no artifacts"
run build
is "$status:$out:$err" "1::cluster.yaml:13:8: nothing.raw: No such file or directory; \
name the disk image of a base system, raw or qcow2
cluster.yaml:14:12: nothing: No such file or directory; name the folder with the release's files
nodebake: cluster.yaml: 2 problems" "build needs both"
sed 's/^release: .*/release: nothing/' "$cases/good.yaml" >cluster.yaml
run plan
is "$status:$out:$err" "1::cluster.yaml:5:10: nothing: No such file or directory; name a release file, \
or leave it out for nodebake's own
nodebake: cluster.yaml: 1 problem" "plan needs the release"
sed 's/1.21.0/1.37.0/' "$cases/good.yaml" >cluster.yaml
run plan
like "$status:$err" '^1:nodebake: cluster.yaml:4: profile hard-way lays out Kubernetes 1.[0-9]+ to 1.[0-9]+, not 1.37.0$' \
    "a version that the profile does not lay out"
sed -i 's/kubernetes: 1.21.0/kubernetes: 1.21/; s/^  - component: /&X/' release.yaml
cp "$cases/good.yaml" cluster.yaml
run plan
is "$status:$out:$(sed -n '1p;$p' <<<"$err")" "1::release.yaml:2:13: '1.21' is not a Kubernetes version such as 1.21.0
nodebake: release.yaml: 7 problems" "a release file tells all of its problems, too"
sed -i 's/kubernetes: 1.21/&.0/; s/^  - component: X/  - component: /' release.yaml

run build --dry-run --cluster ../case/cluster.yaml
is "$status:$err" "0:" "paths begin at the file's folder"
is "$(ls -A && sha256sum <release.yaml)" "$before" "nothing has been made"
[ ! -e "$HOME" ]
ok $? "and no cache"
done_testing
