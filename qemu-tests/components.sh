# shellcheck shell=bash
# shellcheck disable=SC2154 # host.sh sets `here`
# The release that images of the test bed are made of: the folder NB_COMPONENTS, or what make-components
# makes. To be sourced after host.sh.

# components_check FOLDER: is it one with a release file?
components_check() {
    [[ -f $1/release.yaml ]] ||
        die "$1: no release.yaml in it; it has to be a folder with the archives of a release and its release.yaml (docs/release.yaml.md)"
    [[ -n $(components_version "$1") ]] || die "$1/release.yaml has no line 'kubernetes: X.Y.Z' (docs/release.yaml.md)"
}

# components_folder: its path, absolute.
components_folder() {
    if [[ -z ${NB_COMPONENTS:-} ]]; then
        "$here/make-components"
    else
        components_check "$NB_COMPONENTS"
        realpath -- "$NB_COMPONENTS"
    fi
}

# components_version FOLDER: Kubernetes' version.
components_version() { sed -nE "s/^kubernetes: *[\"']?([0-9]+\.[0-9]+\.[0-9]+).*/\1/p" "$1/release.yaml"; }
