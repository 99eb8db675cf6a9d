#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/chrony.h"
#include "builder/plan/part.h"

#define UNITS          "/etc/systemd/system/"
#define CHRONY_CONF    "/etc/chrony/chrony.conf"
#define CHRONY_SOURCES "/etc/chrony/sources.d"

static const char SOURCE[] = "cluster.yaml: ntp";

/* systemd-timesyncd asks these servers instead of its own. */
static int add_timesyncd(struct plan *plan, const struct texts *servers, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, "[Time]\nNTP=");
    for (size_t i = 0; i < servers->count; i++)
        buffer_printf(&text, "%s%s", i ? " " : "", servers->items[i]);
    buffer_puts(&text, "\n");
    return part_text(plan, "/etc/systemd/timesyncd.conf.d/50-nodebake.conf", 0644, &text, SOURCE,
                     err);
}

static int add_chrony(struct plan *plan, const struct texts *servers, struct error *err)
{
    const struct base_file *conf = base_file(plan->in.base, CHRONY_CONF);
    struct buffer own AUTO_BUFFER = buffer_heap(), text AUTO_BUFFER = buffer_heap();
    if (!conf || !chrony_reads(conf->text, conf->len, CHRONY_SOURCES))
        return error_set(err,
                         "chrony of the base (%s) reads no servers from " CHRONY_SOURCES
                         ": " CHRONY_CONF " has no such `sourcedir`",
                         plan->in.base->os_name);
    chrony_without_servers(conf->text, conf->len, &own);
    for (size_t i = 0; i < servers->count; i++)
        buffer_printf(&text, "server %s iburst\n", servers->items[i]);
    if (part_edited(plan, conf, &own, SOURCE, err) < 0)
        return -1;
    return part_text(plan, CHRONY_SOURCES "/nodebake.sources", 0644, &text, SOURCE, err);
}

static int refuse_ntpsec(struct plan *plan, const struct texts *servers, struct error *err)
{
    (void)servers;
    return error_set(err,
                     "the base (%s) keeps its time with ntpsec, whose servers nodebake does not "
                     "set; use a base with systemd-timesyncd or chrony",
                     plan->in.base->os_name);
}

/* The first whose unit is enabled and not masked keeps the time: where chrony or ntpsec are,
 * timesyncd does not start. */
static const struct {
    const char *unit, *wants;
    int (*add)(struct plan *plan, const struct texts *servers, struct error *err);
} clients[] = {
    {"chrony.service", "multi-user.target.wants/", add_chrony},
    {"ntpsec.service", "multi-user.target.wants/", refuse_ntpsec},
    {"systemd-timesyncd.service", "sysinit.target.wants/", add_timesyncd},
};

/* Those to choose from. */
static const char *const packages[] = {"systemd-timesyncd", "chrony"};

static bool is_enabled(const struct base *base, size_t client)
{
    char *wants AUTO_FREE = heap_printf(UNITS "%s%s", clients[client].wants, clients[client].unit);
    char *own AUTO_FREE = heap_printf(UNITS "%s", clients[client].unit);
    return base_has(base, wants) && !base_has(base, own);
}

static int add_servers(struct plan *plan, const struct texts *servers, struct error *err)
{
    const struct base *base = plan->in.base;
    /* A draft has to change with the servers, whatever the base will be. */
    if (!base)
        return add_timesyncd(plan, servers, err);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        if (is_enabled(base, i))
            return clients[i].add(plan, servers, err);
    for (size_t i = 0; i < ARRAY_LEN(packages); i++)
        if (part_package_comes(plan, packages[i]))
            return 0;
    return error_set(err,
                     "nothing that nodebake knows keeps the time of the base (%s); add "
                     "systemd-timesyncd or chrony to `packages`",
                     base->os_name);
}

int part_ntp(struct plan *plan, struct error *err)
{
    const struct cluster *cluster = plan->in.cluster;
    const struct texts *servers = &cluster->settings.ntp;
    if (!servers->count || add_servers(plan, servers, err) == 0)
        return 0;
    return error_context(err, "%s: ntp", cluster->file);
}
