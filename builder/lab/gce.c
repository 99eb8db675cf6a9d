#include "builder/lab/gce.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static const char root[] = "/computeMetadata/v1/";

/* Appends the value; false when this node has none. */
typedef bool gce_value(const struct gce *gce, const struct node *node, struct buffer *out);

static bool pod_cidr(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)gce;
    buffer_puts(out, node->pod_cidr ? node->pod_cidr : "");
    return node->pod_cidr != NULL;
}

static bool hostname(const struct gce *gce, const struct node *node, struct buffer *out)
{
    buffer_printf(out, "%s.c.%s.internal", node->name, gce->cluster->name);
    return true;
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* As many digits as GCE's, and the same for a node each time. */
static bool id(const struct gce *gce, const struct node *node, struct buffer *out)
{
    uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), gce->cluster->name);
    hash = fnv1a(fnv1a(hash, "/"), node->name);
    buffer_printf(out, "%" PRIu64, hash / 4 + UINT64_C(1000000000000000000));
    return true;
}

static bool name(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)gce;
    buffer_puts(out, node->name);
    return true;
}

static bool ip(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)gce;
    buffer_puts(out, node->address);
    return true;
}

static bool zone(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)gce;
    (void)node;
    buffer_puts(out, "projects/1/zones/lab");
    return true;
}

static bool project_number(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)gce;
    (void)node;
    buffer_puts(out, "1");
    return true;
}

static bool project_id(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)node;
    buffer_puts(out, gce->cluster->name);
    return true;
}

static bool ssh_keys(const struct gce *gce, const struct node *node, struct buffer *out)
{
    (void)node;
    buffer_puts(out, gce->ssh_keys ? gce->ssh_keys : "");
    return gce->ssh_keys != NULL;
}

const char *gce_bundle(const struct gce *gce, const struct node *node)
{
    return gce->bundles ? gce->bundles[node - gce->cluster->nodes] : NULL;
}

static bool node_identity(const struct gce *gce, const struct node *node, struct buffer *out)
{
    const char *bundle = gce_bundle(gce, node);
    buffer_puts(out, bundle ? bundle : "");
    return bundle != NULL;
}

/* Sorted, as listings are; an entry without a value is a folder that may be empty. */
static const struct entry {
    const char *path;
    gce_value *value;
} entries[] = {
    {"instance/attributes/", NULL},
    {"instance/attributes/node-identity", node_identity},
    {"instance/attributes/pod-cidr", pod_cidr},
    {"instance/hostname", hostname},
    {"instance/id", id},
    {"instance/name", name},
    {"instance/network-interfaces/0/ip", ip},
    {"instance/service-accounts/", NULL},
    {"instance/zone", zone},
    {"project/attributes/", NULL},
    {"project/attributes/ssh-keys", ssh_keys},
    {"project/numeric-project-id", project_number},
    {"project/project-id", project_id},
};

static bool exists(const struct entry *e, const struct gce *gce, const struct node *node)
{
    char ignored[GCE_ANSWER_MAX];
    struct buffer b = BUFFER_FIXED(ignored);
    return !e->value || e->value(gce, node, &b);
}

/* Lists what stands in the folder `path` ("instance/"), a line each, folders with a '/'. */
static unsigned list(const struct gce *gce, const struct node *node, const char *path,
                     struct buffer *out)
{
    size_t len = strlen(path), last_len = 0;
    const char *last = "";
    unsigned status = 404;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        if (strncmp(entries[i].path, path, len) != 0 || !exists(&entries[i], gce, node))
            continue;
        status = 200;
        const char *child = entries[i].path + len;
        size_t child_len = strcspn(child, "/");
        child_len += child[child_len] == '/';
        if (child_len == last_len && strncmp(child, last, child_len) == 0)
            continue; /* another entry of the same folder, or the folder itself */
        buffer_add(out, child, child_len);
        buffer_puts(out, "\n");
        last = child;
        last_len = child_len;
    }
    return status;
}

static bool is_folder(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        if (strncmp(entries[i].path, path, len) == 0 && entries[i].path[len] == '/')
            return true;
    return false;
}

/* All values below a folder of attributes, as JSON. */
static unsigned dump(const struct gce *gce, const struct node *node, const char *path,
                     struct buffer *out)
{
    static const char folder[] = "/attributes/";
    size_t len = strlen(path);
    if (len < sizeof folder - 1 || strcmp(path + len - (sizeof folder - 1), folder) != 0) {
        buffer_puts(out, "recursive=true is understood for attributes/ only\n");
        return 400;
    }
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        char text[GCE_ANSWER_MAX];
        struct buffer value = BUFFER_FIXED(text);
        if (strncmp(entries[i].path, path, len) == 0 && entries[i].value &&
            entries[i].value(gce, node, &value))
            json_object_set_new(all, entries[i].path + len, json_stringn(text, value.len));
    }
    char *json AUTO_FREE = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(all);
    buffer_puts(out, json ? json : "{}");
    return 200;
}

static unsigned answer_below_root(const struct gce *gce, const struct node *node, const char *path,
                                  struct buffer *out)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        if (entries[i].value && strcmp(entries[i].path, path) == 0)
            return entries[i].value(gce, node, out) ? 200 : 404;
    if (len == 0 || path[len - 1] == '/')
        return list(gce, node, path, out);
    return is_folder(path) ? 301 : 404;
}

unsigned gce_answer(const struct gce *gce, const struct node *node, const char *path,
                    bool recursive, struct buffer *out)
{
    unsigned status = 404;
    if (strcmp(path, "/") == 0 || strcmp(path, "/computeMetadata/") == 0) {
        buffer_puts(out, path[1] ? "v1/\n" : "computeMetadata/\n");
        return 200;
    }
    bool below = strncmp(path, root, sizeof root - 1) == 0;
    if (below && recursive)
        return dump(gce, node, path + sizeof root - 1, out);
    if (below)
        status = answer_below_root(gce, node, path + sizeof root - 1, out);
    else if (strcmp(path, "/computeMetadata") == 0 || strcmp(path, "/computeMetadata/v1") == 0)
        status = 301;
    if (status != 200) {
        buffer_clear(out);
        buffer_puts(out, status == 301 ? "a folder: its name ends with '/'\n" : "not found\n");
    }
    return status;
}
