/* What update-ca-certificates makes of certificates in /usr/local/share/ca-certificates, without
 * running it: their links in /etc/ssl/certs, and the bundle. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/pki/authority.h"
#include "builder/plan/part.h"

#define CERTS  "/etc/ssl/certs"
#define BUNDLE CERTS "/ca-certificates.crt"

static const char SOURCE[] = "cluster.yaml: trustedCAs";

enum { NAME_MAX_BYTES = 60 };

/* An image's trusted CAs while they are added. */
struct trust {
    struct plan *plan;
    const struct base_file *bundle; /* of the base; NULL while it is not there */
    struct authorities list;        /* of all files so far */
    struct buffer text;             /* of the bundle */
};

/* "corp-ca" of "/home/me/corp ca.pem": a name that no tool has to quote. The caller frees it. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *stem = heap_copy(slash ? slash + 1 : path);
    char *dot = strrchr(stem, '.');
    if (dot && dot > stem)
        *dot = '\0';
    for (char *p = stem; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '-';
    if (strlen(stem) > NAME_MAX_BYTES)
        stem[NAME_MAX_BYTES] = '\0';
    return stem;
}

/* `openssl rehash` gives the first number that is free to a subject, and none to a certificate that
 * has a link already. */
static int add_hash_link(struct trust *t, size_t i, const char *target, struct error *err)
{
    const struct authority *authority = &t->list.items[i];
    if (strstr(t->bundle->text, authority->pem))
        return 0;
    for (unsigned n = 0;; n++) {
        char *path AUTO_FREE = heap_printf(CERTS "/%08x.%u", authority->hash, n);
        if (!base_has(t->plan->in.base, path) && !tree_find(t->plan->tree, path))
            return part_link(t->plan, path, target, SOURCE, err);
    }
}

static int add_one(struct trust *t, size_t i, const char *stem, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *name AUTO_FREE = heap_printf("nodebake-%03zu-%s", i + 1, stem);
    char *target AUTO_FREE = heap_printf("%s.pem", name);
    char *file AUTO_FREE = heap_printf("/usr/local/share/ca-certificates/%s.crt", name);
    char *link AUTO_FREE = heap_printf(CERTS "/%s", target);
    buffer_puts(&text, t->list.items[i].pem);
    buffer_puts(&t->text, t->list.items[i].pem);
    if (part_text(t->plan, file, 0644, &text, SOURCE, err) < 0 ||
        part_link(t->plan, link, file, SOURCE, err) < 0)
        return -1;
    return t->bundle ? add_hash_link(t, i, target, err) : 0;
}

static int add_file(struct trust *t, const char *path, struct error *err)
{
    char *stem AUTO_FREE = stem_of(path);
    size_t before = t->list.count;
    if (authorities_read(path, time(NULL), &t->list, err) < 0)
        return -1;
    for (size_t i = before; i < t->list.count; i++)
        if (add_one(t, i, stem, err) < 0)
            return -1;
    return 0;
}

static int add_all(struct trust *t, struct error *err)
{
    const struct texts *files = &t->plan->in.cluster->settings.trusted_cas;
    const struct base *base = t->plan->in.base;
    t->bundle = base ? base_file(base, BUNDLE) : NULL;
    if (base && !t->bundle && !part_package_comes(t->plan, "ca-certificates"))
        return error_set(err,
                         "the base (%s) has no " BUNDLE
                         "; add ca-certificates to `packages`, or install it in the base",
                         base->os_name);
    if (t->bundle)
        buffer_add(&t->text, t->bundle->text, t->bundle->len);
    for (size_t i = 0; i < files->count; i++)
        if (add_file(t, files->items[i], err) < 0)
            return -1;
    return t->bundle ? part_edited(t->plan, t->bundle, &t->text, SOURCE, err) : 0;
}

int part_trusted_cas(struct plan *plan, struct error *err)
{
    const struct cluster *cluster = plan->in.cluster;
    if (!cluster->settings.trusted_cas.count)
        return 0;
    struct trust trust = {.plan = plan, .text = buffer_heap()};
    int result = add_all(&trust, err);
    authorities_free(&trust.list);
    buffer_free(&trust.text);
    return result < 0 ? error_context(err, "%s: trustedCAs", cluster->file) : 0;
}
