#include "builder/lab/wishes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

enum { MIB = 1 << 20 };

static bool number(const char *text, unsigned long most, unsigned long *out, const char **rest)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 9)
        return false;
    *out = strtoul(text, NULL, 10);
    *rest = text + digits;
    return *out <= most;
}

int wishes_memory(const char *text, unsigned *mib, struct error *err)
{
    unsigned long n = 0, shift = 0;
    const char *unit = "";
    bool fits = number(text, LAB_MEMORY_MOST, &n, &unit);
    if (strcmp(unit, "GiB") == 0)
        shift = 10;
    else if (strcmp(unit, "MiB") != 0)
        fits = false;
    if (!fits || n << shift > LAB_MEMORY_MOST || n << shift < LAB_MEMORY_LEAST)
        return error_set(err, "--memory %s: write it like 1536MiB or 2GiB (from %dMiB on)", text,
                         LAB_MEMORY_LEAST);
    *mib = (unsigned)(n << shift);
    return 0;
}

int wishes_timeout(const char *text, unsigned *seconds, struct error *err)
{
    unsigned long n = 0, factor = 0;
    const char *unit = "";
    bool fits = number(text, LAB_TIMEOUT_MOST, &n, &unit);
    if (strcmp(unit, "s") == 0)
        factor = 1;
    else if (strcmp(unit, "m") == 0)
        factor = 60;
    else if (strcmp(unit, "h") == 0)
        factor = 3600;
    if (!fits || !factor || n * factor < 1 || n * factor > LAB_TIMEOUT_MOST)
        return error_set(err, "--timeout %s: write it like 90s, 15m or 1h (up to 24h)", text);
    *seconds = (unsigned)(n * factor);
    return 0;
}

int wishes_port(const char *text, uint16_t *port, struct error *err)
{
    unsigned long n = 0;
    const char *rest = "";
    if (!number(text, UINT16_MAX, &n, &rest) || *rest || n == 0)
        return error_set(err, "--port %s: write a number from 1 to 65535", text);
    *port = (uint16_t)n;
    return 0;
}

static bool newer(const struct stat *a, const struct stat *b)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
        return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* The newest of that name; NULL when there is none. The caller frees it. */
static char *find_image(const char *out, const char *name, const char **format)
{
    static const char *const formats[] = {"raw", "qcow2"};
    struct stat best = {0}, s;
    char *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char *file AUTO_FREE = heap_printf("%s/%s.%s", out, name, formats[i]);
        if (stat(file, &s) < 0 || (found && !newer(&s, &best)))
            continue;
        best = s;
        free(found);
        found = steal(file);
        *format = formats[i];
    }
    return found;
}

int wishes_image(const struct cluster *cluster, const char *out, const char *const names[2],
                 char **path, const char **format, struct error *err)
{
    char *found AUTO_FREE = find_image(out, names[0], format);
    if (!found && names[1])
        found = find_image(out, names[1], format);
    const char *made = names[1] ? names[1] : names[0];
    if (!found)
        return error_set(err,
                         "there is no image of %s in %s; `nodebake build %s --cluster %s --out "
                         "%s` makes it",
                         made, out, made, cluster->file, out);
    *path = realpath(found, NULL);
    return *path ? 0 : error_errno(err, "%s", found);
}

static bool have(const json_t *wishes, const char *node)
{
    const json_t *wish;
    size_t i;
    for (i = 0; i < json_array_size(wishes) && (wish = json_array_get(wishes, i)); i++)
        if (strcmp(json_string_value(json_object_get(wish, "name")), node) == 0)
            return true;
    return false;
}

struct making {
    const struct cluster *cluster;
    const char *out;
    unsigned memory;
    json_t *wishes;
    struct buffer absent; /* names */
    struct error first;   /* what is said of the only one */
    unsigned absent_count;
    const struct role *shared; /* its one image is absent */
};

static void note_absent(struct making *m, const char *name, const struct error *err)
{
    buffer_printf(&m->absent, " %s", name);
    m->first = m->absent_count++ ? m->first : *err;
}

static void add(struct making *m, const struct role *role, const struct node *node)
{
    char *image AUTO_FREE = NULL;
    const char *format = "";
    struct error err = ERROR_INIT;
    /* Where a node has nothing of its own in the image, one serves any of its role. */
    bool shared = m->cluster->identity == IDENTITY_METADATA || role->identity_count == 0;
    const char *const names[2] = {node->name, shared ? role->name : NULL};
    if (have(m->wishes, node->name) || m->shared == role)
        return;
    if (wishes_image(m->cluster, m->out, names, &image, &format, &err) < 0) {
        note_absent(m, names[1] ? names[1] : names[0], &err);
        m->shared = names[1] ? role : m->shared;
        return;
    }
    json_t *wish =
        json_pack("{s:s, s:s, s:s, s:i}", "name", node->name, "image", image, "format", format,
                  "memory", m->memory ? (int)m->memory : (int)(role->memory / MIB));
    if (wish) {
        json_array_append_new(m->wishes, wish);
        return;
    }
    error_set(&err, "%s: the path of the image is not UTF-8", node->name);
    note_absent(m, node->name, &err);
}

static void add_target(struct making *m, const struct target *target)
{
    for (size_t i = 0; i < m->cluster->node_count; i++) {
        const struct node *node = &m->cluster->nodes[i];
        if (target->node ? node == target->node : strcmp(node->role, target->role->name) == 0)
            add(m, target->role, node);
    }
}

int wishes_make(const struct cluster *cluster, const struct target *targets, size_t n,
                const char *out, unsigned memory, json_t **wishes, struct error *err)
{
    struct making m = {.cluster = cluster,
                       .out = out,
                       .memory = memory,
                       .wishes = json_array(),
                       .absent = buffer_heap()};
    for (size_t i = 0; i < n; i++)
        add_target(&m, &targets[i]);
    struct buffer absent AUTO_BUFFER = m.absent;
    if (!m.absent_count) {
        *wishes = m.wishes;
        return 0;
    }
    json_decref(m.wishes);
    if (m.absent_count == 1) {
        *err = m.first;
        return -1;
    }
    return error_set(err,
                     "there are no images of%s in %s; `nodebake build%s --cluster %s --out %s` "
                     "makes them",
                     absent.data, out, absent.data, cluster->file, out);
}
