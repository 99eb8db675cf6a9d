#include "builder/cluster/labels.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/address.h"

static bool word_valid(const char *text)
{
    size_t len = strlen(text);
    if (len < 1 || len > 63)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool end = i == 0 || i == len - 1;
        if (!isalnum((unsigned char)text[i]) && (end || !strchr("-_.", text[i])))
            return false;
    }
    return true;
}

static bool ends_with_domain(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);
    if (n < d || strcmp(name + n - d, domain) != 0)
        return false;
    return n == d || name[n - d - 1] == '.';
}

/* A kubelet whose flags set any other label of these name spaces exits at once. */
static bool kubelet_may_set(const char *prefix, const char *key)
{
    static const char *const keys[] = {
        "kubernetes.io/hostname",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    };
    if (!ends_with_domain(prefix, "kubernetes.io") && !ends_with_domain(prefix, "k8s.io"))
        return true;
    if (ends_with_domain(prefix, "kubelet.kubernetes.io") ||
        ends_with_domain(prefix, "node.kubernetes.io"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

int label_key_check(const char *key, struct error *err)
{
    char prefix[254];
    const char *slash = strchr(key, '/');
    if (!word_valid(slash ? slash + 1 : key))
        return error_set(err,
                         "'%.80s' is not a label key; write [DNS name/]name, the name 1 to 63 of "
                         "letters, digits, '-', '_', '.'",
                         key);
    if (!slash)
        return 0;
    size_t len = (size_t)(slash - key);
    if (len >= sizeof prefix)
        return error_set(err, "the prefix of label '%.80s…' is longer than 253 bytes", key);
    memcpy(prefix, key, len);
    prefix[len] = '\0';
    if (!dns_name_valid(prefix))
        return error_set(err, "'%.80s' is not a label key; its prefix must be a DNS name", key);
    if (!kubelet_may_set(prefix, key))
        return error_set(err,
                         "a kubelet may not set the label '%.80s'; use another prefix, or apply it "
                         "with kubectl",
                         key);
    return 0;
}

int label_value_check(const char *value, struct error *err)
{
    if (!*value || word_valid(value))
        return 0;
    return error_set(err,
                     "'%.80s' is not a label value; write at most 63 of letters, digits, '-', "
                     "'_', '.'",
                     value);
}
