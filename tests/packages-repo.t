#!/usr/bin/env bash
# Packages that the base lacks, from the repositories that it knows: a signed one on loopback.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
. tests/artifacts.sh
. tests/variants.sh
. tests/repository.sh
nodebake=$PWD/${BUILD:-build}/nodebake
golden=$PWD/tests/golden
tmp=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
export HOME=$tmp/home
unset http_proxy https_proxy no_proxy
mkdir "$HOME"
chmod 0755 "$tmp"
cd "$tmp" || exit 1

# The repository: tool needs lib; others cannot be installed.
repo=$tmp/repo
make_package "$repo" tool 1:1.0 'Depends: lib (>= 2)'
make_package "$repo" lib 2.0
make_package "$repo" stranded 1 'Depends: nowhere'
make_package "$repo" rival 1 'Conflicts: socat'
make_package "$repo" provider 1 'Provides: service'
make_key signer
make_key other
index "$repo" signer
serve "$repo"

# make_base FILE: a base that knows the sources in the folder apt/.
make_base()
{
    rm -rf system
    make_system system
    for package in dpkg socat conntrack ipset iptables; do
        printf 'Package: %s\nStatus: install ok installed\nMaintainer: a <a@b>\n' "$package"
        printf 'Architecture: amd64\nVersion: 1.0-1\nDescription: x\n\n'
    done >system/var/lib/dpkg/status
    mkdir -p system/var/lib/dpkg/info system/etc/apt system/usr/share/keyrings
    echo 1 >system/var/lib/dpkg/info/format
    cp -r apt/. system/etc/apt/
    cp signer.gpg system/usr/share/keyrings/
    find system -exec touch -hd @1500000000 {} +
    make_variant 4k "$1" system
}

# sources TEXT: what the base's apt knows.
sources()
{
    rm -rf apt
    mkdir -p apt/sources.list.d
    printf '%s\n' "$1" >apt/sources.list.d/test.sources
}

# cluster PACKAGES LINE...
cluster()
{
    sed 's/^image: .*/image: base.raw/' "$golden/cluster.yaml" >cluster.yaml
    printf '%s\n' "packages: [$1]" 'repositories: true' "${@:2}" >>cluster.yaml
}

# build ARG...: its status, output and errors into $status, $out and $err.
build()
{
    status=0
    "$nodebake" build worker --out out "$@" >out.txt 2>err.txt || status=$?
    out=$(<out.txt) err=$(<err.txt)
}

requests() { grep -c GET "$repo.log"; }
installed() { debugfs -R "cat /var/lib/dpkg/status" "$1?offset=$((variant_root * 512))" 2>/dev/null; }
prepared() { find "$HOME/.cache/nodebake/bases" -name '*.raw'; }
fetched() { find "$HOME/.cache/nodebake/packages" -name '*.deb' -printf '%f\n' 2>/dev/null | sort; }
forget() { rm -rf "$HOME/.cache/nodebake/packages" "$HOME/.cache/nodebake/bases" out; }

make_artifacts "$tmp"
cluster tool
signed="Types: deb
URIs: http://127.0.0.1:$port/
Suites: ./
Signed-By: /usr/share/keyrings/signer.gpg"
sources "$signed"
make_base base.raw
cp base.raw first.raw

# ---- fetched ----

build --dry-run --quiet
is "$status:$err" 0: "a dry run succeeds"
like "$out" "would fetch lib, tool \(0.0 MB\) from the repositories of base.raw" "and says what would be fetched"
is "$(fetched)$(prepared)$(ls out 2>/dev/null)" '' "and fetches and makes nothing"

build
is "$status" 0 "a worker is built"
[ "$status" -eq 0 ] || diag "$err"
like "$out" "installed lib, tool from its repositories into a copy of base.raw, without starting it" \
    "the packages are named"
like "$err" "read the base's repositories.*fetch 2 packages, 0.0 MB" "steps over the network are told"
is "$(fetched)" "lib_2.0_amd64.deb
tool_1%3a1.0_amd64.deb" "both packages are kept"
first=$(prepared)
e2fsck -fn "$first?offset=$((variant_root * 512))" >fsck.txt 2>&1
ok $? "e2fsck finds nothing in the prepared base"
is "$(installed out/worker.raw | grep -A1 -xE 'Package: (lib|tool)' | tr '\n' ' ')" \
    "Package: lib Status: install ok installed -- Package: tool Status: install ok installed " \
    "dpkg's records have both"
is "$(debugfs -R 'cat /usr/share/tool/file' "out/worker.raw?offset=$((variant_root * 512))" 2>/dev/null)" \
    "tool 1:1.0" "their files are there"
is "$(debugfs -R 'cat /var/lib/apt/extended_states' "out/worker.raw?offset=$((variant_root * 512))" 2>/dev/null |
    grep ^Package)" "Package: lib" "apt knows that only one was asked for"
is "$(find "$HOME/.cache/nodebake/packages" -type d -perm /077)" '' "nobody else gets at them"
is "$(find "$HOME/.cache/nodebake/bases" -name .work)" '' "nothing else is left"

# ---- again ----

before=$(requests)
make_package "$repo" lib 2.1
index "$repo" signer
build --quiet
is "$out" "out/worker.raw is up to date" "a second build does nothing"
rm -r "$HOME/.cache/nodebake/bases" out
build --quiet
like "$out" "installed lib, tool from its repositories" "a base is prepared of what was fetched"
is "$(requests)" "$before" "and the repository is not asked"
is "$(prepared)" "$first" "under the same key"
is "$(installed out/worker.raw | grep -A5 -x 'Package: lib' | grep ^Version)" "Version: 2.0" \
    "with the same version"
build --quiet --refresh-packages
is "$(installed out/worker.raw | grep -A5 -x 'Package: lib' | grep ^Version)" "Version: 2.1" \
    "--refresh-packages asks again"
build --quiet --refresh-packages
is "$status:$out" "0:out/worker.raw is up to date" "with the same answer nothing is made anew"
echo x >>"$(find "$HOME/.cache/nodebake/packages" -name 'lib*.deb')"
rm -r "$HOME/.cache/nodebake/bases" out
before=$(requests)
build --quiet
is "$status" 0 "a damaged package in the cache"
[ "$(requests)" -gt "$before" ]
ok $? "is fetched again"

cluster socat
forget
before=$(requests)
build --quiet
is "$status:$(requests)" "0:$before" "a base that has all packages asks nobody"

# ---- what the repository does not have ----

cluster 'tool, unheard-of, service'
forget
build --quiet
is "$status" 1 "packages that nobody has are refused"
like "$err" 'no package unheard-of, service \(only others provide it.*debs: FOLDER' "all of them are named"
is "$(ls out 2>/dev/null)$(fetched)" '' "nothing is made"
cluster stranded
build --quiet
like "$status:$err" '^1:.*stranded : Depends: nowhere but it is not installable' "a package that needs what nobody has"
cluster rival
build --quiet
like "$status:$err" '^1:.*packages of the base would have to go: socat' "a package that would replace one of the base"
cluster tool 'debs: nowhere'
build --quiet
like "$status:$err" '^1:.*give `debs` or `repositories: true`' "a folder and repositories"
sed -i '/^debs/d; /^repositories/d' cluster.yaml
build --quiet
like "$status:$err" '^1:.*lacks a package: tool; .*`repositories: true`' "without repositories a package is missed"
build --quiet --refresh-packages
like "$status:$err" '^1:.*--refresh-packages needs' "and there is nothing to refresh"
cluster tool

# ---- trust ----

# refused REGEX NAME: nothing is fetched, and the error says so.
refused()
{
    forget
    build --quiet
    is "$status" 1 "$2"
    like "$err" "$1" "$2: the error says why"
    is "$(fetched)$(ls out 2>/dev/null)" '' "$2: nothing is made"
}

cp "$repo/tool_1%3a1.0.deb" tool.deb
sed -i 's/test of tool/test of fool/' "$repo/tool_1%3a1.0.deb"
refused "127.0.0.1:$port/./tool.*Hash Sum mismatch.*\`debs: FOLDER\`" "a package that was tampered with"
cp tool.deb "$repo/tool_1%3a1.0.deb"
sed -i 's/^Version: 2.0/Version: 2.2/' "$repo/Packages"
refused "127.0.0.1:$port/.*(Hash Sum mismatch|unexpected size)" "a list that was tampered with"
index "$repo" other
refused "127.0.0.1:$port.*NO_PUBKEY.*is not signed" "a signature of somebody else"
index "$repo" ''
refused "127.0.0.1:$port.*is not signed" "no signature"
sources "$signed
Trusted: yes
Allow-Insecure: yes"
make_base base.raw
refused "127.0.0.1:$port.*is not signed" "no signature, which the base would take"
index "$repo" signer -o APT::FTPArchive::Release::ValidTime=1 -o APT::FTPArchive::Release::Date=x
sed -i '/^Date/d; /^Valid-Until/d' "$repo/Release"
printf 'Date: Sat, 01 Jan 2022 00:00:00 UTC\nValid-Until: Sat, 08 Jan 2022 00:00:00 UTC\n' >>"$repo/Release"
rm "$repo/InRelease"
gpg --homedir signer --quiet --batch --clearsign -o "$repo/InRelease" "$repo/Release"
sources "$signed"
make_base base.raw
refused "127.0.0.1:$port.*is expired" "a list that is no longer valid"
sources "$signed
Check-Valid-Until: no"
make_base base.raw
forget
build --quiet
is "$status:$err" 0: "which the base may take"
index "$repo" signer

sources "${signed/signer.gpg/missing.gpg}"
make_base base.raw
refused "test.sources: the base has no keyring /usr/share/keyrings/missing.gpg" "a keyring that is not there"

# ---- sources ----

sources ''
make_base base.raw
refused 'name no repository that is reached by http' "no repository"
sources ''
printf 'deb cdrom:[Debian]/ bookworm main\ndeb [trusted=yes] file:%s ./\n' "$repo" >apt/sources.list
make_base base.raw
refused "by http or https, only cdrom:\[Debian\]/ \(/etc/apt/sources.list\), file:$repo" "repositories on a medium"
sources "$signed
Enabled: no"
make_base base.raw
refused 'name no repository' "a repository that is switched off"
sources ''
mkdir apt/trusted.gpg.d apt/mirrors
cp signer.gpg apt/trusted.gpg.d/
echo "http://127.0.0.1:$port/ priority:1" >apt/mirrors/list
printf 'deb-src http://127.0.0.1:1/ ./\ndeb [arch=amd64] mirror+file:///etc/apt/mirrors/list ./ # x\n' >apt/sources.list
make_base base.raw
forget
build --quiet
is "$status:$err" 0: "a list of mirrors, in the old format, with a trusted key of the base"

# ---- a proxy ----

sources "${signed/127.0.0.1:$port/packages.example}"
make_base base.raw
cluster tool "proxy: {http: 'http://127.0.0.1:$port'}"
forget
build --quiet
like "$status:$err" "^1:.*'http://packages.example ./ Release' does not have" "the cluster's proxy is asked"
like "$(<"$repo.log")" 'GET http://packages.example/' "by the repository's name"
sources "$signed"
make_base base.raw
cluster tool "proxy: {http: 'http://127.0.0.1:1', no: [127.0.0.1]}"
forget
build --quiet
is "$status:$err" 0: "and is not for hosts that are reached without it"
cluster tool

# ---- this machine ----

forget
mkdir etc
echo 'Acquire::http::Proxy "http://127.0.0.1:1"; Dir::Etc::trusted "/nowhere";' >etc/apt.conf
APT_CONFIG=$tmp/etc/apt.conf build --quiet
is "$status:$err" 0: "apt's configuration of this machine is left out"
forget
mkdir bin
for program in qemu-img e2fsck bash; do ln -s "$(PATH=$PATH:/usr/sbin command -v $program)" bin/; done
PATH=$tmp/bin build --quiet
like "$status:$err" '^1:.*this machine has no apt-get' "a machine without apt"

forget
before=$(basename "$first")
cp first.raw base.raw
make_package "$repo" lib 2.0
rm "$repo/lib_2.1.deb"
index "$repo" signer
mkdir "a folder"
# Root becomes nobody, who must be able to read the program; anybody else the root of a namespace.
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
user=(unshare --user --map-root-user)
if [ "$(id -u)" -eq 0 ] && "${nobody[@]}" test -x "$nodebake"; then
    chown -R 65534:65534 "$tmp"
    user=("${nobody[@]}")
fi
status=0
XDG_CACHE_HOME="$tmp/a folder" "${user[@]}" "$nodebake" build worker --out "a folder/out" --quiet \
    >out.txt 2>err.txt || status=$?
is "$status:$(<err.txt)" 0: "another user, whose cache has a space in its name"
is "$(find "a folder/nodebake/bases" -name '*.raw' -printf '%f\n')" "$before" "comes to the same base"

# ---- without the network ----

kill "$server"
wait "$server" 2>/dev/null
rm -rf "a folder/nodebake/bases" "a folder/out"
XDG_CACHE_HOME="$tmp/a folder" "${user[@]}" "$nodebake" build worker --out "a folder/out" --quiet \
    >out.txt 2>err.txt
is "$?:$(<err.txt)" 0: "what was fetched before needs no network"
is "$(find "a folder/nodebake/bases" -name '*.raw' -printf '%f\n')" "$before" "for the same base"
chown -R "$(id -u):$(id -g)" "$tmp"
refused "Failed to fetch http://127.0.0.1:$port/.*Connection refused.*\`debs: FOLDER\`" "no network"
is "$(find "$HOME/.cache/nodebake" -name .work)" '' "nothing is left"
done_testing
