# shellcheck shell=bash
# A container registry and a proxy in the private network, at addresses of their own. To be sourced
# after lib.sh.

registry_address=198.51.100.5:5000
proxy_address=198.51.100.1:3128

# certificates: a CA in $NB_RUN/ca.pem, and what it signed for the registry.
registry_certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/O=Tests/CN=Registry CA' \
        -keyout "$NB_RUN/ca-key.pem" -out "$NB_RUN/ca.pem" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj /CN=registry -keyout "$NB_RUN/registry-key.pem" \
        -out "$NB_RUN/registry.csr" 2>/dev/null
    openssl x509 -req -in "$NB_RUN/registry.csr" -CA "$NB_RUN/ca.pem" -CAkey "$NB_RUN/ca-key.pem" \
        -CAcreateserial -days 2 -out "$NB_RUN/registry.pem" \
        -extfile <(printf 'subjectAltName=IP:%s\n' "${registry_address%:*}") 2>/dev/null
}

# answers WHAT ADDRESS: until somebody listens there.
answers() {
    local try
    for ((try = 0; try < 50; try++)); do
        (: <>"/dev/tcp/${2%:*}/${2#*:}") 2>/dev/null && return
        sleep 0.2
    done
    die "$1 did not start: $(cat "$NB_RUN/$1.log")"
}

registry_start() {
    ip address add "${registry_address%:*}/32" dev br0
    cat >"$NB_RUN/registry.yml" <<CONF
version: 0.1
log: {level: info, fields: {service: registry}}
storage: {filesystem: {rootdirectory: $NB_RUN/registry}}
http:
  addr: $registry_address
  tls: {certificate: $NB_RUN/registry.pem, key: $NB_RUN/registry-key.pem}
CONF
    docker-registry serve "$NB_RUN/registry.yml" >"$NB_RUN/registry.log" 2>&1 &
    answers registry "$registry_address"
}

# proxy_start USER PASSWORD
proxy_start() {
    ip address add "${proxy_address%:*}/32" dev br0
    printf '%s\n' "Port ${proxy_address#*:}" "Listen ${proxy_address%:*}" 'Timeout 60' \
        "BasicAuth $1 $2" 'LogLevel Connect' 'MaxClients 50' >"$NB_RUN/proxy.conf"
    tinyproxy -d -c "$NB_RUN/proxy.conf" >"$NB_RUN/proxy.log" 2>&1 &
    answers proxy "$proxy_address"
}

ask_registry() { curl --silent --show-error --fail --noproxy '*' --cacert "$NB_RUN/ca.pem" "$@"; }

# push_blob REPOSITORY FILE
push_blob() {
    local place digest
    digest=sha256:$(sha256sum <"$2" | cut -d ' ' -f 1)
    place=$(ask_registry -X POST -D - -o /dev/null "https://$registry_address/v2/$1/blobs/uploads/" |
        tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
    ask_registry -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" \
        "$place&digest=$digest"
}

# described TYPE FILE: as an image's manifest names it.
described() {
    printf '{"mediaType": "application/vnd.oci.image.%s", "digest": "sha256:%s", "size": %d}' "$1" \
        "$(sha256sum <"$2" | cut -d ' ' -f 1)" "$(stat -c %s "$2")"
}

# push_program REPOSITORY TAG PROGRAM: an image of one static program, which is its command.
push_program() {
    local dir name=${3##*/}
    dir=$(mktemp -d -p "$NB_RUN")
    tar -C "$(dirname "$3")" --owner=0 --group=0 -cf "$dir/layer.tar" "$name"
    gzip -nc "$dir/layer.tar" >"$dir/layer.tar.gz"
    printf '{"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/%s"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
        "$name" "$(sha256sum <"$dir/layer.tar" | cut -d ' ' -f 1)" >"$dir/config"
    printf '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": %s, "layers": [%s]}' \
        "$(described config.v1+json "$dir/config")" \
        "$(described layer.v1.tar+gzip "$dir/layer.tar.gz")" >"$dir/manifest"
    push_blob "$1" "$dir/config"
    push_blob "$1" "$dir/layer.tar.gz"
    ask_registry -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
        --data-binary "@$dir/manifest" "https://$registry_address/v2/$1/manifests/$2"
}
