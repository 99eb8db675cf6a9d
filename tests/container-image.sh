# shellcheck shell=bash
# Archives of container images, made of a folder. To be sourced. The same folder gives the same bytes.

sha_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# image_layer ROOT OUT: the folder as a layer, root's.
image_layer()
{
    tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$2" .
}

# image_config LAYER [ARCHITECTURE]: its "config" is the environment's IMAGE_CONFIG, in JSON.
image_config()
{
    local config='{"Entrypoint": ["/bin/sh"]}'
    printf '{"architecture": "%s", "os": "linux", "config": %s, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
        "${2:-amd64}" "${IMAGE_CONFIG:-$config}" "$(sha_of "$1")"
}

# image_pack FOLDER OUT
image_pack()
{
    tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$2" \
        $(cd "$1" && ls -A)
}

# docker_archive OUT NAME ROOT [ARCHITECTURE]: as `docker save` writes it.
docker_archive()
{
    local dir
    dir=$(mktemp -d)
    mkdir "$dir/x"
    image_layer "$3" "$dir/layer.tar"
    mkdir "$dir/x/layer"
    cp "$dir/layer.tar" "$dir/x/layer/layer.tar"
    image_config "$dir/layer.tar" "${4:-}" >"$dir/x/config.json"
    printf '[{"Config": "config.json", "RepoTags": %s, "Layers": ["layer/layer.tar"]}]' \
        "$([ -n "$2" ] && printf '["%s"]' "$2" || echo null)" >"$dir/x/manifest.json"
    image_pack "$dir/x" "$1"
    rm -rf "$dir"
}

# oci_blob FOLDER FILE TYPE: puts it there, and describes it.
oci_blob()
{
    local digest
    digest=$(sha_of "$2")
    cp "$2" "$1/blobs/sha256/$digest"
    printf '{"mediaType": "application/vnd.oci.image.%s", "digest": "sha256:%s", "size": %d}' "$3" \
        "$digest" "$(stat -c %s "$2")"
}

# oci_archive OUT NAME ROOT: an image layout, with the name as containerd writes it.
oci_archive()
{
    local dir config layer
    dir=$(mktemp -d)
    mkdir -p "$dir/x/blobs/sha256"
    image_layer "$3" "$dir/layer.tar"
    image_config "$dir/layer.tar" >"$dir/config"
    config=$(oci_blob "$dir/x" "$dir/config" config.v1+json)
    layer=$(oci_blob "$dir/x" "$dir/layer.tar" layer.v1.tar)
    printf '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": %s, "layers": [%s]}' \
        "$config" "$layer" >"$dir/manifest"
    printf '{"imageLayoutVersion": "1.0.0"}' >"$dir/x/oci-layout"
    printf '{"schemaVersion": 2, "manifests": [%s]}' "$(oci_blob "$dir/x" "$dir/manifest" manifest.v1+json |
        jq -c --arg n "$2" '. + {annotations: {"org.opencontainers.image.ref.name": $n}}')" >"$dir/x/index.json"
    image_pack "$dir/x" "$1"
    rm -rf "$dir"
}
