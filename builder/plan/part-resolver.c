/* See to it that a list of DNS servers is there which serves pods, too. */
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/part.h"
#include "builder/plan/resolver.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define STUB        "../run/systemd/resolve/stub-resolv.conf"

static const char SOURCE[] = "nodebake: DNS";
static const char HINT[] = "add systemd-resolved to `packages` of cluster.yaml, or bring an "
                           "/etc/resolv.conf with `files`";

/* The text that the user's own /etc/resolv.conf will have, or NULL. */
static const struct entry *own_file(const struct plan *plan)
{
    const struct entry *entry = tree_find(plan->tree, RESOLV_CONF);
    return entry ? entry : tree_find(plan->tree, PATH_TEMPLATES RESOLV_CONF);
}

static int check_own(const struct plan *plan, struct error *err)
{
    const struct entry *entry = own_file(plan);
    if (!entry || !entry->text || !resolver_is_local(entry->text))
        return 0;
    return error_set(err,
                     "%s: /etc/resolv.conf names a DNS server at a loopback address, which no pod "
                     "reaches: name one of the network",
                     entry->source);
}

static int start_resolved(struct plan *plan, struct error *err)
{
    const char *target = base_link(plan->in.base, RESOLV_CONF);
    bool linked = target && strstr(target, "systemd/resolve/");
    if (part_unit_always(plan, "systemd-resolved.service", "sysinit.target", err) < 0 ||
        part_link(plan, "/etc/systemd/system/dbus-org.freedesktop.resolve1.service",
                  "/usr/lib/systemd/system/systemd-resolved.service", SOURCE, err) < 0)
        return -1;
    return linked ? 0 : part_link(plan, RESOLV_CONF, STUB, SOURCE, err);
}

/* The value of a key of an INI file is a loopback address, or the word. */
static bool ini_says(const struct base *base, const char *path, const char *key, const char *value)
{
    const struct base_file *file = base_file(base, path);
    const char *text = file ? file->text : "";
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t n = strlen(key);
        if (strncmp(text, key, n) != 0)
            continue;
        const char *after = text + n + strspn(text + n, " \t");
        if (*after == '=' &&
            strncmp(after + 1 + strspn(after + 1, " \t"), value, strlen(value)) == 0)
            return true;
    }
    return false;
}

/* Both make a server of the node's own known to everybody. */
static int check_settings(const struct plan *plan, enum resolver resolver, struct error *err)
{
    static const struct {
        const char *path, *key, *value;
        bool resolved;
    } rows[] = {
        {"/etc/systemd/resolved.conf", "DNS", "127.", true},
        {"/etc/systemd/resolved.conf", "DNS", "::1", true},
        {"/etc/NetworkManager/NetworkManager.conf", "dns", "dnsmasq", false},
    };
    bool resolved = resolver == RESOLVER_RESOLVED || resolver == RESOLVER_START;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].resolved == resolved && !tree_find(plan->tree, rows[i].path) &&
            ini_says(plan->in.base, rows[i].path, rows[i].key, rows[i].value))
            return error_set(err,
                             "%s of the base says %s=%s: pods cannot reach a DNS server on the "
                             "node itself; bring another file with `files` of cluster.yaml",
                             rows[i].path, rows[i].key, rows[i].value);
    return 0;
}

static int apply(struct plan *plan, enum resolver resolver, struct error *err)
{
    switch (resolver) {
    case RESOLVER_RESOLVED:
    case RESOLVER_FILE:
        return 0;
    case RESOLVER_START:
        return start_resolved(plan, err);
    case RESOLVER_DROP:
        return part_gone(plan, RESOLV_CONF, SOURCE, err);
    case RESOLVER_NONE:
        return error_set(err,
                         "nothing on the base would tell pods of a DNS server: systemd-resolved "
                         "is not there or switched off, and nobody else writes /etc/resolv.conf; "
                         "%s",
                         HINT);
    case RESOLVER_LOCAL:
        break;
    }
    return error_set(err,
                     "the base's /etc/resolv.conf names a DNS server on the node itself, which no "
                     "pod reaches; %s",
                     HINT);
}

int part_resolver(struct plan *plan, struct error *err)
{
    if (!plan->in.base)
        return 0;
    enum resolver resolver = resolver_of(&plan->in);
    if (resolver == RESOLVER_FILE && check_own(plan, err) < 0)
        return -1;
    if (check_settings(plan, resolver, err) < 0)
        return -1;
    return apply(plan, resolver, err);
}
