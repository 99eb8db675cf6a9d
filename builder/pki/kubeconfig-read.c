#include "builder/pki/kubeconfig-read.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig.h"
#include "builder/yaml/yaml.h"

/* An item of one of the three lists. */
struct item {
    char *name;
    struct kubeconfig_read is; /* of a cluster or a user, its part */
    char *cluster, *user;      /* of a context */
};

struct items {
    struct item *all;
    size_t count, cap;
};

struct whole {
    struct items clusters, users, contexts;
    char *current;
};

static void wipe(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

static void part_free(struct kubeconfig_part *part)
{
    buffer_free(&part->data);
    free(part->file);
}

void kubeconfig_read_free(struct kubeconfig_read *config)
{
    free(config->server);
    part_free(&config->ca);
    part_free(&config->cert);
    part_free(&config->key);
    wipe(config->token);
}

static void items_free(struct items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        kubeconfig_read_free(&items->all[i].is);
        free(items->all[i].name);
        free(items->all[i].cluster);
        free(items->all[i].user);
    }
    free(items->all);
}

static void whole_free(struct whole *whole)
{
    items_free(&whole->clusters);
    items_free(&whole->users);
    items_free(&whole->contexts);
    free(whole->current);
}
#define AUTO_WHOLE __attribute__((cleanup(whole_free)))

static int read_word(struct yaml_ref ref, const char *word, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    return strcmp(text, word) == 0 ? 0 : yaml_error(ref, err, "only '%s' is known here", word);
}

static int read_api(struct yaml_ref ref, void *dest, struct error *err)
{
    (void)dest;
    return read_word(ref, "v1", err);
}

static int read_kind(struct yaml_ref ref, void *dest, struct error *err)
{
    (void)dest;
    return read_word(ref, "Config", err);
}

/* What changes nothing of who talks to whom. */
static int read_ignored(struct yaml_ref ref, void *dest, struct error *err)
{
    (void)ref;
    (void)dest;
    (void)err;
    return 0;
}

static int read_other(struct yaml_ref ref, void *dest, struct error *err)
{
    (void)ref;
    (void)err;
    *(bool *)dest = true;
    return 0;
}

/* kubectl writes "" for nothing. */
static int read_text(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    return *text ? yaml_read_text(ref, dest, err) : 0;
}

/* Wrapped over lines, too, as Kubernetes takes it. */
static int read_data(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    struct buffer *out = dest;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!out->data)
        *out = buffer_heap();
    if (base64_read(text, strlen(text), out) < 0)
        return yaml_error(ref, err, "this is not base64");
    return 0;
}

#define IS(member) offsetof(struct item, is.member)

static int read_cluster(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"server", yaml_read_text, IS(server), true},
        {"certificate-authority-data", read_data, IS(ca.data), false},
        {"certificate-authority", read_text, IS(ca.file), false},
        {"insecure-skip-tls-verify", yaml_read_bool, IS(insecure), false},
        {"tls-server-name", read_ignored, 0, false},
        {"proxy-url", read_ignored, 0, false},
        {"disable-compression", read_ignored, 0, false},
        {"extensions", read_ignored, 0, false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_user(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"client-certificate-data", read_data, IS(cert.data), false},
        {"client-certificate", read_text, IS(cert.file), false},
        {"client-key-data", read_data, IS(key.data), false},
        {"client-key", read_text, IS(key.file), false},
        {"token", read_text, IS(token), false},
        {"tokenFile", read_other, IS(other), false},
        {"username", read_other, IS(other), false},
        {"password", read_other, IS(other), false},
        {"exec", read_other, IS(other), false},
        {"auth-provider", read_other, IS(other), false},
        {"as", read_other, IS(other), false},
        {"as-uid", read_other, IS(other), false},
        {"as-groups", read_other, IS(other), false},
        {"as-user-extra", read_other, IS(other), false},
        {"extensions", read_ignored, 0, false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_context(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"cluster", yaml_read_text, offsetof(struct item, cluster), true},
        {"user", yaml_read_text, offsetof(struct item, user), true},
        {"namespace", read_ignored, 0, false},
        {"extensions", read_ignored, 0, false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static const struct item *find(const struct items *items, const char *name)
{
    for (size_t i = 0; i < items->count; i++)
        if (items->all[i].name && strcmp(items->all[i].name, name) == 0)
            return &items->all[i];
    return NULL;
}

static int add_item(struct yaml_ref ref, const char *key, yaml_reader *read, struct items *items,
                    struct error *err)
{
    const struct yaml_field fields[] = {
        {"name", yaml_read_text, offsetof(struct item, name), true},
        {key, read, 0, true},
    };
    struct item *item = APPEND(items->all, items->count, items->cap);
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), item, err) < 0)
        return -1;
    return find(items, item->name) == item
               ? 0
               : yaml_error(ref, err, "the name '%.64s' stands here twice", item->name);
}

static int add_cluster(struct yaml_ref ref, void *dest, struct error *err)
{
    return add_item(ref, "cluster", read_cluster, dest, err);
}

static int add_user(struct yaml_ref ref, void *dest, struct error *err)
{
    return add_item(ref, "user", read_user, dest, err);
}

static int add_context(struct yaml_ref ref, void *dest, struct error *err)
{
    return add_item(ref, "context", read_context, dest, err);
}

static int read_clusters(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, KUBECONFIG_ITEMS_MAX, add_cluster, dest, err);
}

static int read_users(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, KUBECONFIG_ITEMS_MAX, add_user, dest, err);
}

static int read_contexts(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, KUBECONFIG_ITEMS_MAX, add_context, dest, err);
}

static int read_whole(const char *name, const char *text, size_t len, struct whole *whole,
                      struct error *err)
{
    static const struct yaml_field fields[] = {
        {"apiVersion", read_api, 0, false},
        {"kind", read_kind, 0, false},
        {"preferences", read_ignored, 0, false},
        {"extensions", read_ignored, 0, false},
        {"current-context", read_text, offsetof(struct whole, current), false},
        {"clusters", read_clusters, offsetof(struct whole, clusters), true},
        {"users", read_users, offsetof(struct whole, users), true},
        {"contexts", read_contexts, offsetof(struct whole, contexts), true},
    };
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *file AUTO_YAML = NULL;
    int result = yaml_parse(name, text, len, &problems, &file, err);
    if (result == 0)
        result = yaml_read_map(yaml_root(file), fields, ARRAY_LEN(fields), whole, err);
    return problems_first(&problems, result, err);
}

/* Takes what the context leads to out of the lists. */
static int follow(struct whole *whole, struct kubeconfig_read *out, struct error *err)
{
    if (!whole->current)
        return error_set(err, "it has no current context");
    const struct item *context = find(&whole->contexts, whole->current);
    if (!context)
        return error_set(err, "its current context '%.64s' is not among its contexts",
                         whole->current);
    const struct item *cluster = find(&whole->clusters, context->cluster);
    const struct item *user = find(&whole->users, context->user);
    if (!cluster)
        return error_set(err, "the cluster '%.64s' of its context is not among its clusters",
                         context->cluster);
    if (!user)
        return error_set(err, "the user '%.64s' of its context is not among its users",
                         context->user);
    *out = user->is;
    out->server = cluster->is.server;
    out->insecure = cluster->is.insecure;
    out->ca = cluster->is.ca;
    whole->users.all[user - whole->users.all].is = (struct kubeconfig_read){0};
    whole->clusters.all[cluster - whole->clusters.all].is = (struct kubeconfig_read){0};
    return 0;
}

int kubeconfig_parse(const char *name, const char *text, size_t len, struct kubeconfig_read *out,
                     struct error *err)
{
    struct whole whole AUTO_WHOLE = {0};
    *out = (struct kubeconfig_read){0};
    if (read_whole(name, text, len, &whole, err) < 0)
        return -1;
    return follow(&whole, out, err) < 0 ? error_context(err, "%s", name) : 0;
}
