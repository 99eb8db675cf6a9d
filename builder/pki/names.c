#include "builder/pki/names.h"

#include <string.h>

enum { CN_MAX = 64 }; /* characters, by X.520 */

/* What all nodes share, what controllers need in any layout, and what has no key. */
static const char *const reserved[] = {
    "ca",
    "ca-new",
    "ca-old",
    "etcd-ca",
    "etcd-ca-new",
    "etcd-ca-old",
    "front-proxy-ca",
    "front-proxy-ca-new",
    "front-proxy-ca-old",
    "admin",
    "admin-public",
    "bootstrap",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "kube-apiserver",
    "kube-apiserver-etcd-client",
    "kube-apiserver-kubelet-client",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubernetes",
    "service-account",
};

int pki_check_files(const char *name, const char *stem, struct error *err)
{
    size_t n = strlen(stem);
    /* The stem itself, or NAME.pem would be the stem's key. */
    if (strncmp(name, stem, n) == 0 && (name[n] == '\0' || strcmp(name + n, "-key") == 0))
        return error_set(err,
                         "%s.pem would be a file of '%s' in the pki folder; give the node another "
                         "name",
                         name, stem);
    return 0;
}

int pki_check_name(const char *name, struct error *err)
{
    size_t max = CN_MAX - strlen(NODE_CN);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (pki_check_files(name, reserved[i], err) < 0)
            return -1;
    if (strlen(name) > max)
        return error_set(err,
                         "%zu characters; its certificate's name " NODE_CN "%s has room for %zu",
                         strlen(name), name, max);
    return 0;
}
