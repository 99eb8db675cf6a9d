# shellcheck shell=bash
# Debian's packages, binary and source, through an apt of our own that leaves the host's alone. All
# of it happens below the current folder:
#
#   apt/      lists, cache, configuration      root/     unpacked binary packages
#   debs/     the packages                     go/src/…  the source of Kubernetes, built there

kubernetes_source=go/src/k8s.io/kubernetes

get_configure_apt() {
    mkdir -p apt/lists/partial apt/archives/partial debs root
    cat >apt/apt.conf <<CONF
Dir::State::lists "$PWD/apt/lists";
Dir::Cache "$PWD/apt";
Dir::Etc::sourcelist "$PWD/sources";
Dir::Etc::sourceparts "-";
Dir::State::status "/dev/null";
APT::Sandbox::User "root";
APT::Get::List-Cleanup "false";
CONF
    export APT_CONFIG=$PWD/apt/apt.conf
    say "package lists"
    apt-get -qq update
}

# get_binaries PACKAGE…
get_binaries() {
    local deb
    say "packages: $*"
    (cd debs && apt-get -qq download "$@")
    for deb in debs/*.deb; do
        dpkg-deb --extract "$deb" root
    done
}

# get_version PACKAGE: what upstream calls the version of a package that was got: with neither
# epoch, Debian's revision and repacking, nor a version that was only meant to sort after another.
get_version() {
    dpkg-deb --field debs/"$1"_*.deb Version | sed -E 's/^[0-9]+://; s/-[^-]*$//; s/.*\+really//;
        s/[~+](ds|dfsg).*//'
}

get_kubernetes() {
    say "source of kubernetes"
    (cd apt && apt-get -qq source --download-only kubernetes)
    mkdir -p "$(dirname "$kubernetes_source")"
    # apt compared it with the signed index.
    dpkg-source --no-check --extract apt/kubernetes_*.dsc "$kubernetes_source" >log 2>&1
    say "building kubernetes: some minutes"
    get_build kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet >>log 2>&1 ||
        { tail -n 40 log; die "kubernetes does not build"; }
    gcc -Os -static -o pause "$kubernetes_source/build/pause/linux/pause.c"
    strip pause
}

# get_build PROGRAM…: static programs. The source knows its version without git.
get_build() {
    local changelog=$kubernetes_source/debian/changelog
    local build=(
        env -u GOROOT -u GIT_DIR PATH=/usr/lib/go-1.19/bin:/usr/sbin:/usr/bin:/sbin:/bin
        HOME="$PWD" GOPATH="$PWD/go" GOCACHE="$PWD/gocache" GOTMPDIR="$PWD/gotmp"
        GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOPROXY=off
        SOURCE_DATE_EPOCH="$(dpkg-parsechangelog --file "$changelog" --show-field Timestamp)"
    )
    mkdir -p gotmp built &&
        "${build[@]}" make -C "$kubernetes_source" WHAT="${*/#/cmd/}" GOLDFLAGS="-s -w" &&
        cp "${@/#/$kubernetes_source/_output/bin/}" built/
}
