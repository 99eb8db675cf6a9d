#!/bin/bash
# A worker behind a proxy: containerd pulls images from the mirror that the cluster file names, whose
# certificate only its own CA vouches for, through the proxy; apt and shells use that, too; the whole
# system trusts another CA.
set -euo pipefail
# The image is built in the private network: it needs certificates of there, and nothing else.
if [[ -z ${NB_RUN:-} ]]; then
    NB_COMPONENTS=$("$(dirname "$0")/make-components")
    export NB_COMPONENTS
fi
wants=(base)
. "$(dirname "$0")/lib.sh"
. "$here/machine-checks.sh"
. "$here/registry.sh"

need docker-registry tinyproxy curl openssl
# As the proxy knows it, and as a URL may write it.
password=S3cretWord
written=S3cret%57ord
registry_certificates
registry_start
proxy_start puller "$password"
push_program library/tiny 1 "$NB_COMPONENTS/pause"
sandbox=$(sed -n 's/^sandboxImage: *k8s.gcr.io\///p' "$NB_COMPONENTS/release.yaml")
push_program "${sandbox%:*}" "${sandbox#*:}" "$NB_COMPONENTS/pause"

# ---- the image ----

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/O=Tests/CN=Company CA' \
    -keyout "$NB_RUN/company-key.pem" -out "$NB_RUN/company.pem" 2>/dev/null
# Before the boot: a machine's clock may be a second behind.
openssl req -newkey rsa:2048 -nodes -subj /CN=service.example -keyout "$NB_RUN/service-key.pem" \
    -out "$NB_RUN/service.csr" 2>/dev/null
openssl x509 -req -in "$NB_RUN/service.csr" -CA "$NB_RUN/company.pem" \
    -CAkey "$NB_RUN/company-key.pem" -CAcreateserial -days 2 -out "$NB_RUN/service.pem" 2>/dev/null
{
    sed "s|@BASE@|$(realpath "$NB_IMAGES/base.qcow2")|; s|@COMPONENTS@|$NB_COMPONENTS|" \
        "$here/cluster.yaml.in"
    cat <<YAML
proxy:
  http: 'http://puller:$written@$proxy_address'
  https: 'http://puller:$written@$proxy_address'
  no: [direct.example]
registries:
  docker.io: {mirrors: ['https://$registry_address'], ca: ca.pem}
  k8s.gcr.io: {mirrors: ['https://$registry_address'], ca: ca.pem}
trustedCAs: [company.pem]
YAML
} >"$NB_RUN/cluster.yaml"
passes "the image is built" "$nodebake" build worker-0 --cluster "$NB_RUN/cluster.yaml" \
    --out "$NB_RUN/out" --quiet
plan=$("$nodebake" plan worker-0 --cluster "$NB_RUN/cluster.yaml" &&
    "$nodebake" plan worker-0 --cluster "$NB_RUN/cluster.yaml" --json)
like "$plan" '/etc/nodebake/proxy.env' "the plan names the file with the proxy"
is "$(grep -cE "$password|$written" <<<"$plan")" 0 "and does not show the password"

# ---- the machine ----

metadata_start "$NB_RUN/cluster.yaml"
vm_create worker-0 "$NB_RUN/out/worker-0.raw" 10.240.0.20
vm_start worker-0
boots worker-0

# run SCRIPT: in the worker.
run() { vm_sh worker-0 "$1"; }

passes "containerd becomes active" becomes worker-0 120 active 'systemctl is-active containerd'
environment=$(run 'tr "\0" "\n" <"/proc/$(systemctl show -P MainPID containerd)/environ"')
url=http://puller:$written@$proxy_address
for name in HTTP_PROXY http_proxy HTTPS_PROXY https_proxy; do
    is "$(sed -n "s/^$name=//p" <<<"$environment")" "$url" "containerd has $name"
done
like "$(sed -n 's/^NO_PROXY=//p' <<<"$environment")" \
    '^localhost,.*,10\.240\.0\.0/24,10\.200\.0\.0/16,10\.32\.0\.0/24,\.svc,.*,direct\.example$' \
    "and NO_PROXY"
is "$(run 'systemctl show containerd kubelet; systemctl cat containerd' | grep -cE "$password|$written")" 0 \
    "systemd shows the password to nobody"
is "$(run "sh -lc 'echo \$https_proxy'")" "$url" "root's login shell has it"
is "$(run "setpriv --reuid nobody --clear-groups sh -lc 'echo x\$https_proxy'" 2>&1)" x \
    "another user's has not, and does not complain"
is "$(run 'apt-config dump --format "%f=%v%n" Acquire::http::Proxy Acquire::https::Proxy Acquire::http::Proxy::direct.example')" \
    "Acquire::http::Proxy=$url
Acquire::http::Proxy::direct.example=DIRECT
Acquire::https::Proxy=$url
Acquire::https::Proxy::direct.example=DIRECT
Acquire::http::Proxy::direct.example=DIRECT" "apt has it"
passes "apt works for other users, too" run \
    'setpriv --reuid nobody --clear-groups apt-cache policy bash | grep Installed'
run 'echo "deb [trusted=yes] http://packages.invalid/debian x main" >/tmp/list
     apt-get update -o Dir::Etc::sourcelist=/tmp/list -o Acquire::Retries=0 2>&1' >"$NB_RUN/apt.log" || true
like "$(<"$NB_RUN/proxy.log")" 'GET http://packages\.invalid/debian' "apt asks the proxy"

# ---- pulled by the kubelet, through containerd's CRI ----

run 'mkdir -p /etc/kubernetes/manifests
cat >/etc/kubernetes/manifests/tiny.yaml <<POD
apiVersion: v1
kind: Pod
metadata: {name: tiny}
spec:
  hostNetwork: true
  containers: [{name: tiny, image: "docker.io/library/tiny:1"}]
POD
echo "staticPodPath: /etc/kubernetes/manifests" >>/var/lib/kubelet/kubelet-config.yaml
systemctl restart kubelet'
passes "the sandbox's image is pulled" finds worker-0 300 \
    "ctr -n k8s.io images ls -q | grep -x k8s.gcr.io/$sandbox"
passes "the pod's image is pulled" finds worker-0 300 \
    'ctr -n k8s.io images ls -q | grep -x docker.io/library/tiny:1'
passes "the pod runs" finds worker-0 120 'test "$(ctr -n k8s.io tasks ls | grep -c RUNNING)" -ge 2'
like "$(<"$NB_RUN/proxy.log")" "CONNECT $registry_address" "the proxy was asked for the mirror"
given=$(grep '^[0-9.]* .*"containerd/' "$NB_RUN/registry.log")
like "$given" '"HEAD /v2/library/tiny/manifests/1\?ns=docker\.io [^"]*" 200' \
    "the mirror gave docker.io's image to containerd"
like "$given" '"GET /v2/pause/blobs/sha256:[^ ]*\?ns=k8s\.gcr\.io [^"]*" 200' \
    "and k8s.gcr.io's"
is "$(grep -v "^${registry_address%:*} " <<<"$given")" '' "it was never asked but by the proxy"

# ---- what the system trusts ----

run "cat >/tmp/service.pem <<'PEM'
$(<"$NB_RUN/service.pem")
PEM"
verify() { run "openssl verify -no-CAfile -no-CApath -no-CAstore $* /tmp/service.pem"; }
passes "a certificate of the company's CA is trusted, by its hash" verify -CApath /etc/ssl/certs
passes "and by the bundle" verify -CAfile /etc/ssl/certs/ca-certificates.crt
passes_not "but not by itself" verify
trusted() {
    run "find /etc/ssl/certs -mindepth 1 -printf '%f %y %m %l\n' | sort
        sha256sum /etc/ssl/certs/ca-certificates.crt"
}
before=$(trusted)
like "$(run update-ca-certificates)" '0 added, 0 removed' "update-ca-certificates finds its work done"
is "$(trusted)" "$before" "and changes nothing"
passes "powers off" vm_poweroff worker-0
done_testing
