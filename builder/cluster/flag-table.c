#include "builder/cluster/flag-table.h"

#include <string.h>

#define REFERENCE    "https://kubernetes.io/docs/reference/command-line-tools-reference/"
#define PULL(number) "https://github.com/kubernetes/kubernetes/pull/" #number

/* Of all of them. */
#define ANY "*"

static const char *const components[] = {
    "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet",
};

#define KEPT(component, flag)                                                                      \
    {                                                                                              \
        component, flag, 0, 0, NULL, REFERENCE component "/"                                       \
    }

static const struct flag_row rows[] = {
    KEPT("kube-apiserver", "advertise-address"),
    KEPT("kube-apiserver", "allow-privileged"),
    /* Only the reconciler `master-count`, which is not the default, looks at it. */
    {"kube-apiserver", "apiserver-count", 0, 23, NULL, PULL(108062)},
    KEPT("kube-apiserver", "audit-log-maxage"),
    KEPT("kube-apiserver", "audit-log-maxbackup"),
    KEPT("kube-apiserver", "audit-log-maxsize"),
    KEPT("kube-apiserver", "audit-log-path"),
    KEPT("kube-apiserver", "audit-policy-file"),
    KEPT("kube-apiserver", "authorization-mode"),
    KEPT("kube-apiserver", "bind-address"),
    KEPT("kube-apiserver", "client-ca-file"),
    {"kube-apiserver", "cloud-config", 32, 0, "clouds have controllers of their own", PULL(130162)},
    {"kube-apiserver", "cloud-provider", 32, 0, "remove it: there is only `external`",
     PULL(130162)},
    KEPT("kube-apiserver", "enable-admission-plugins"),
    KEPT("kube-apiserver", "enable-priority-and-fairness"),
    KEPT("kube-apiserver", "enable-bootstrap-token-auth"),
    KEPT("kube-apiserver", "encryption-provider-config"),
    KEPT("kube-apiserver", "etcd-cafile"),
    KEPT("kube-apiserver", "etcd-certfile"),
    KEPT("kube-apiserver", "etcd-keyfile"),
    KEPT("kube-apiserver", "etcd-servers"),
    KEPT("kube-apiserver", "event-ttl"),
    {"kube-apiserver", "address", 23, 0, "use --bind-address", PULL(95856)},
    {"kube-apiserver", "insecure-bind-address", 23, 0, NULL, PULL(95856)},
    {"kube-apiserver", "insecure-port", 23, 0, NULL, PULL(95856)},
    {"kube-apiserver", "port", 23, 0, "use --secure-port", PULL(95856)},
    KEPT("kube-apiserver", "kubelet-certificate-authority"),
    KEPT("kube-apiserver", "kubelet-client-certificate"),
    KEPT("kube-apiserver", "kubelet-preferred-address-types"),
    KEPT("kube-apiserver", "kubelet-client-key"),
    KEPT("kube-apiserver", "proxy-client-cert-file"),
    KEPT("kube-apiserver", "proxy-client-key-file"),
    KEPT("kube-apiserver", "requestheader-allowed-names"),
    KEPT("kube-apiserver", "requestheader-client-ca-file"),
    KEPT("kube-apiserver", "requestheader-extra-headers-prefix"),
    KEPT("kube-apiserver", "requestheader-group-headers"),
    KEPT("kube-apiserver", "requestheader-username-headers"),
    KEPT("kube-apiserver", "runtime-config"),
    KEPT("kube-apiserver", "service-account-issuer"),
    KEPT("kube-apiserver", "service-account-key-file"),
    KEPT("kube-apiserver", "service-account-signing-key-file"),
    KEPT("kube-apiserver", "service-cluster-ip-range"),
    KEPT("kube-apiserver", "service-node-port-range"),
    KEPT("kube-apiserver", "tls-cert-file"),
    KEPT("kube-apiserver", "tls-private-key-file"),

    {"kube-controller-manager", "address", 23, 0, "use --bind-address",
     "https://github.com/kubernetes/kubeadm/issues/2207"},
    KEPT("kube-controller-manager", "allocate-node-cidrs"),
    KEPT("kube-controller-manager", "bind-address"),
    KEPT("kube-controller-manager", "cloud-provider"),
    KEPT("kube-controller-manager", "cluster-cidr"),
    KEPT("kube-controller-manager", "cluster-name"),
    KEPT("kube-controller-manager", "cluster-signing-cert-file"),
    KEPT("kube-controller-manager", "cluster-signing-key-file"),
    KEPT("kube-controller-manager", "configure-cloud-routes"),
    KEPT("kube-controller-manager", "controllers"),
    {"kube-controller-manager", "enable-taint-manager", 26, 0, "remove it: there is no other way",
     PULL(115840)},
    KEPT("kube-controller-manager", "kubeconfig"),
    KEPT("kube-controller-manager", "leader-elect"),
    KEPT("kube-controller-manager", "leader-elect-lease-duration"),
    KEPT("kube-controller-manager", "leader-elect-renew-deadline"),
    KEPT("kube-controller-manager", "leader-elect-retry-period"),
    {"kube-controller-manager", "pod-eviction-timeout", 26, 0,
     "use --default-not-ready-toleration-seconds of kube-apiserver", PULL(115840)},
    {"kube-controller-manager", "port", 23, 0, "use --secure-port",
     "https://github.com/kubernetes/kubeadm/issues/2207"},
    KEPT("kube-controller-manager", "root-ca-file"),
    KEPT("kube-controller-manager", "service-account-private-key-file"),
    KEPT("kube-controller-manager", "service-cluster-ip-range"),
    KEPT("kube-controller-manager", "use-service-account-credentials"),

    /* It looks at no others beside its configuration. */
    KEPT("kube-proxy", "config"),
    {"kube-proxy", "hostname-override", 0, 0, NULL, PULL(69340)},

    {"kube-scheduler", "address", 23, 0, "use --bind-address",
     "https://github.com/kubernetes/kubeadm/issues/2207"},
    KEPT("kube-scheduler", "config"),
    {"kube-scheduler", "policy-config-file", 22, 0, "use --config", PULL(105424)},
    {"kube-scheduler", "policy-configmap", 22, 0, "use --config", PULL(105424)},
    {"kube-scheduler", "policy-configmap-namespace", 22, 0, "use --config", PULL(105424)},
    {"kube-scheduler", "port", 23, 0, "use --secure-port",
     "https://github.com/kubernetes/kubeadm/issues/2207"},
    {"kube-scheduler", "use-legacy-policy-config", 22, 0, "use --config", PULL(105424)},

    KEPT("kubelet", "address"),
    KEPT("kubelet", "anonymous-auth"),
    KEPT("kubelet", "authentication-token-webhook"),
    KEPT("kubelet", "authorization-mode"),
    KEPT("kubelet", "bootstrap-kubeconfig"),
    KEPT("kubelet", "cert-dir"),
    KEPT("kubelet", "cgroup-driver"),
    KEPT("kubelet", "client-ca-file"),
    KEPT("kubelet", "cloud-provider"),
    KEPT("kubelet", "cluster-dns"),
    KEPT("kubelet", "cluster-domain"),
    KEPT("kubelet", "eviction-minimum-reclaim"),
    KEPT("kubelet", "image-gc-high-threshold"),
    KEPT("kubelet", "image-gc-low-threshold"),
    KEPT("kubelet", "kube-reserved"),
    KEPT("kubelet", "kubelet-cgroups"),
    KEPT("kubelet", "resolv-conf"),
    KEPT("kubelet", "rotate-certificates"),
    KEPT("kubelet", "rotate-server-certificates"),
    KEPT("kubelet", "runtime-cgroups"),
    KEPT("kubelet", "serialize-image-pulls"),
    KEPT("kubelet", "system-reserved"),
    /* Gone before the first of our versions. */
    {"kubelet", "allow-privileged", 14, 0, "remove it", PULL(77820)},
    {"kubelet", "cni-bin-dir", 23, 0, "set it for containerd", PULL(106907)},
    {"kubelet", "cni-cache-dir", 23, 0, "set it for containerd", PULL(106907)},
    {"kubelet", "cni-conf-dir", 23, 0, "set it for containerd", PULL(106907)},
    {"kubelet", "cloud-config", 33, 0, "clouds have controllers of their own", PULL(130161)},
    KEPT("kubelet", "config"),
    {"kubelet", "container-runtime", 26, 0, "remove it: there is only `remote`", PULL(114017)},
    /* In newer versions it stands in the configuration. */
    {"kubelet", "container-runtime-endpoint", 0, 26, NULL, PULL(112136)},
    {"kubelet", "docker-endpoint", 23, 0, NULL, PULL(106907)},
    {"kubelet", "dynamic-config-dir", 23, 0, "use --config", PULL(106932)},
    {"kubelet", "experimental-dockershim-root-directory", 23, 0, NULL, PULL(106907)},
    {"kubelet", "image-pull-progress-deadline", 23, 0, "set it for containerd", PULL(106907)},
    KEPT("kubelet", "kubeconfig"),
    {"kubelet", "network-plugin", 23, 0, "remove it: there is only `cni`", PULL(106907)},
    {"kubelet", "network-plugin-mtu", 23, 0, NULL, PULL(106907)},
    KEPT("kubelet", "node-labels"),
    {"kubelet", "pod-infra-container-image", 34, 0, "containerd's sandbox image is the release's",
     PULL(133779)},
    KEPT("kubelet", "register-node"),

    {ANY, "add-dir-header", 25, 0, NULL, PULL(112120)},
    {ANY, "alsologtostderr", 25, 0, NULL, PULL(112120)},
    {ANY, "log-backtrace-at", 25, 0, NULL, PULL(112120)},
    {ANY, "log-dir", 25, 0, "the journal has what it says", PULL(112120)},
    {ANY, "log-file", 25, 0, "the journal has what it says", PULL(112120)},
    {ANY, "log-file-max-size", 25, 0, NULL, PULL(112120)},
    {ANY, "logtostderr", 25, 0, "remove it: there is no other way", PULL(112120)},
    {ANY, "one-output", 25, 0, NULL, PULL(112120)},
    {ANY, "skip-headers", 25, 0, NULL, PULL(112120)},
    {ANY, "skip-log-headers", 25, 0, NULL, PULL(112120)},
    {ANY, "stderrthreshold", 25, 0, NULL, PULL(112120)},
    {ANY, "v", 0, 0, NULL, REFERENCE},
    {ANY, "vmodule", 0, 0, NULL, REFERENCE},
};

const struct flag_row *flag_at(size_t i)
{
    return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

const struct flag_row *flag_find(const char *component, const char *flag)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].flag, flag) == 0 &&
            (strcmp(rows[i].component, ANY) == 0 || strcmp(rows[i].component, component) == 0))
            return &rows[i];
    return NULL;
}

bool flag_component(const char *program)
{
    for (size_t i = 0; i < ARRAY_LEN(components); i++)
        if (strcmp(components[i], program) == 0)
            return true;
    return false;
}
