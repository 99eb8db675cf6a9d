#include "builder/fleet/bundle.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig.h"
#include "builder/plan/node-facts.h"
#include "common/contract.h"
#include "common/template.h"

struct work {
    const struct cluster *cluster;
    const struct profile *profile;
    const struct role *role;
    const struct node *node;
    const struct node_keys *keys;
};

static enum template_answer lookup(void *ctx, const char *name, const char **value)
{
    const struct work *w = ctx;
    *value = w->node->name;
    return strcmp(name, CONTRACT_NODE_FACT) == 0 ? TEMPLATE_VALUE : TEMPLATE_UNKNOWN;
}

/* A file's name or path with the node's name in it; the caller frees it. NULL with an error. */
static char *fill(struct work *w, const char *text, struct error *err)
{
    struct buffer out = buffer_heap();
    if (template_render(&out, text, strlen(text), lookup, w, NULL, err) == 0)
        return out.data;
    buffer_free(&out);
    error_context(err, "%s: identity file '%s'", w->profile->file, text);
    return NULL;
}

static bool is_file(const struct work *w, const char *name, const char *suffix)
{
    size_t n = strlen(w->node->name);
    return strncmp(name, w->node->name, n) == 0 && strcmp(name + n, suffix) == 0;
}

/* Where the machine will have the node's file with that suffix; *out NULL: nowhere. The caller
 * frees it. */
static int find_path(struct work *w, const char *suffix, char **out, struct error *err)
{
    for (size_t i = 0; i < w->role->identity_count && !*out; i++) {
        const struct pki_file *file = &w->role->identity[i];
        char *name AUTO_FREE = fill(w, file->file, err);
        if (!name)
            return -1;
        if (is_file(w, name, suffix) && !(*out = fill(w, file->path, err)))
            return -1;
    }
    return 0;
}

static int print_kubeconfig(struct work *w, struct buffer *out, struct error *err)
{
    char *cert AUTO_FREE = NULL, *key AUTO_FREE = NULL;
    char *server AUTO_FREE = heap_printf("https://%s:6443", w->cluster->public_address);
    if (find_path(w, ".pem", &cert, err) < 0 || find_path(w, "-key.pem", &key, err) < 0)
        return -1;
    const struct kubeconfig config = {
        .cluster = w->cluster->name,
        .server = server,
        .user = w->keys->user,
        .ca = w->keys->ca,
        .cert = w->keys->cert,
        .key = w->keys->key,
        .cert_file = cert,
        .key_file = key,
    };
    kubeconfig_print(&config, out);
    return 0;
}

static int add_file(struct work *w, const struct pki_file *file, struct buffer *out,
                    struct error *err)
{
    struct buffer bytes AUTO_BUFFER = buffer_heap();
    char *name AUTO_FREE = fill(w, file->file, err);
    if (!name)
        return -1;
    if (is_file(w, name, ".pem"))
        buffer_add(&bytes, w->keys->cert->data, w->keys->cert->len);
    else if (is_file(w, name, "-key.pem"))
        buffer_add(&bytes, w->keys->key->data, w->keys->key->len);
    else if (!is_file(w, name, ".kubeconfig"))
        return error_set(err,
                         "%s: identity file '%s': a bundle has a node's certificate, key and "
                         "kubeconfig, and nothing else",
                         w->profile->file, file->file);
    else if (print_kubeconfig(w, &bytes, err) < 0)
        return -1;
    buffer_printf(out, "file %s %zu\n", name, bytes.len);
    buffer_add(out, bytes.data, bytes.len);
    buffer_puts(out, "\n");
    return 0;
}

int bundle_write(const struct cluster *cluster, const struct profile *profile,
                 const struct role *role, const struct node *node, const struct node_keys *keys,
                 struct buffer *out, struct error *err)
{
    struct work w = {cluster, profile, role, node, keys};
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_printf(&text, CONTRACT_BUNDLE_BEGIN "\nnode %s\n", node->name);
    for (size_t i = 0; i < role->identity_count; i++)
        if (add_file(&w, &role->identity[i], &text, err) < 0)
            return -1;
    buffer_puts(&text, CONTRACT_BUNDLE_END "\n");
    if (text.len > CONTRACT_BUNDLE_MAX)
        return error_set(err,
                         "the identity of %s has %zu bytes, and metadata has room for %d; are "
                         "there many certificates behind %s.pem?",
                         node->name, text.len, CONTRACT_BUNDLE_MAX, node->name);
    buffer_add(out, text.data, text.len);
    return 0;
}

void bundle_user_data(const struct node *node, const char *base64, struct buffer *out)
{
    buffer_printf(out, CONTRACT_NODE_FACT "=%s\n", node->name);
    if (node->pod_cidr)
        buffer_printf(out, "POD_CIDR=%s\n", node->pod_cidr);
    buffer_printf(out, FACT_IDENTITY "=%s\n", base64);
}

static int add_bundle(const struct cluster *cluster, const struct profile *profile,
                      const struct pki_keys *pki, size_t i, char **out, struct error *err)
{
    const struct node *node = &cluster->nodes[i];
    const struct role *role = profile_role(profile, node->role);
    struct buffer raw AUTO_BUFFER = buffer_heap(), text AUTO_BUFFER = buffer_heap();
    struct node_keys keys;
    if (!role || role->identity_count == 0)
        return 0;
    if (pki_keys_of(pki, node->name, &keys, err) < 0 ||
        bundle_write(cluster, profile, role, node, &keys, &raw, err) < 0)
        return -1;
    base64_print(raw.data, raw.len, &text);
    *out = heap_copy(text.data);
    return 0;
}

int bundle_all(const struct cluster *cluster, const struct profile *profile, const char *pki,
               char ***out, struct error *err)
{
    struct pki_keys *keys AUTO_PKI_KEYS = NULL;
    *out = NULL;
    if (cluster->identity != IDENTITY_METADATA)
        return 0;
    if (pki_keys_open(cluster, pki, &keys, err) < 0)
        return -1;
    char **list = heap_array(cluster->node_count, sizeof *list);
    for (size_t i = 0; i < cluster->node_count; i++)
        if (add_bundle(cluster, profile, keys, i, &list[i], err) < 0) {
            bundle_free_all(cluster, list);
            return -1;
        }
    *out = list;
    return 0;
}

void bundle_free_all(const struct cluster *cluster, char **bundles)
{
    for (size_t i = 0; bundles && i < cluster->node_count; i++) {
        if (bundles[i])
            OPENSSL_cleanse(bundles[i], strlen(bundles[i]));
        free(bundles[i]);
    }
    free(bundles);
}
