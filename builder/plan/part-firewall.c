/* A firewall that is active in the base would cut the nodes off from each other: it is refused,
 * opened, or switched off, as cluster.yaml says. */
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/firewall.h"
#include "builder/plan/part.h"
#include "builder/plan/sysctl.h"

#define UFW_CONF   "/etc/ufw/ufw.conf"
#define UFW_RULES  "/etc/ufw/user.rules"
#define UFW_SYSCTL "/etc/ufw/sysctl.conf"

static const char SOURCE[] = "cluster.yaml: firewall";

typedef bool is_active(const struct plan *plan);
typedef int firewall_edit(struct plan *plan, struct error *err);

/* The content of a file of the base that the user does not replace, or "". */
static const char *text_of(const struct plan *plan, const char *path)
{
    const struct base_file *file = base_file(plan->in.base, path);
    char *template AUTO_FREE = heap_printf(PATH_TEMPLATES "%s", path);
    return file && !tree_find(plan->tree, path) && !tree_find(plan->tree, template) ? file->text
                                                                                    : "";
}

static bool ufw_active(const struct plan *plan)
{
    return firewall_ufw_enabled(text_of(plan, UFW_CONF));
}

static bool nftables_active(const struct plan *plan)
{
    return firewall_nft_drops(text_of(plan, "/etc/nftables.conf"));
}

static bool persistent_active(const struct plan *plan)
{
    return firewall_iptables_drops(text_of(plan, "/etc/iptables/rules.v4")) ||
           firewall_iptables_drops(text_of(plan, "/etc/iptables/rules.v6"));
}

static int edit_failed(const char *path, struct error *err)
{
    return error_context(err, "firewall: %s of the base", path);
}

/* ufw sets kernel parameters of its own, after all others. */
static int check_ufw_sysctl(const struct plan *plan, struct error *err)
{
    char *forward AUTO_FREE = sysctl_value(text_of(plan, UFW_SYSCTL), "net.ipv4.ip_forward");
    if (!forward || strcmp(forward, "1") == 0)
        return 0;
    error_set(err, "it sets net.ipv4.ip_forward to '%s', and the nodes need '1'", forward);
    return edit_failed(UFW_SYSCTL, err);
}

static int open_ufw(struct plan *plan, struct error *err)
{
    const struct base_file *file = base_file(plan->in.base, UFW_RULES);
    const struct firewall_open open = {.nodes = plan->in.cluster->nodes_cidr,
                                       .pods = plan->in.cluster->pods_cidr,
                                       .api = strcmp(plan->in.role->name, "controller") == 0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (check_ufw_sysctl(plan, err) < 0)
        return -1;
    if (!file)
        return error_set(err, "firewall: the base's ufw has no %s", UFW_RULES);
    if (tree_find(plan->tree, UFW_RULES))
        return 0; /* the user has opened it */
    if (firewall_ufw_open(file->text, &open, &text, err) < 0)
        return edit_failed(UFW_RULES, err);
    return part_edited(plan, file, &text, SOURCE, err);
}

static int disable_ufw(struct plan *plan, struct error *err)
{
    const struct base_file *file = base_file(plan->in.base, UFW_CONF);
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (!file)
        return error_set(err, "firewall: the base's ufw has no %s", UFW_CONF);
    firewall_ufw_disable(file->text, &text);
    return part_edited(plan, file, &text, SOURCE, err);
}

/* Overlays open it. */
static int open_firewalld(struct plan *plan, struct error *err)
{
    if (base_has(plan->in.base, "/usr/lib/firewalld/policies"))
        return 0;
    return error_set(err, "firewall: the base's firewalld is older than 0.9 and cannot be opened: "
                          "say `firewall: disable` in cluster.yaml");
}

/* A row a firewall: its unit; what more makes it active, or NULL; how it is opened, or NULL; what
 * is done beside masking the unit, or NULL. */
static const struct kind {
    const char *unit, *name;
    is_active *active;
    firewall_edit *open, *disable;
} kinds[] = {
    {"ufw.service", "ufw", ufw_active, open_ufw, disable_ufw},
    {"firewalld.service", "firewalld", NULL, open_firewalld, NULL},
    {"nftables.service", "nftables with /etc/nftables.conf", nftables_active, NULL, NULL},
    {"netfilter-persistent.service", "netfilter-persistent with /etc/iptables/rules.v4 or rules.v6",
     persistent_active, NULL, NULL},
    {"ferm.service", "ferm", NULL, NULL, NULL},
    {"shorewall.service", "shorewall", NULL, NULL, NULL},
    {"shorewall6.service", "shorewall6", NULL, NULL, NULL},
};

static bool is_on(const struct plan *plan, const struct kind *kind)
{
    const struct settings *s = &plan->in.cluster->settings;
    for (size_t i = 0; i < s->unit_count; i++)
        if (strcmp(s->units[i].name, kind->unit) == 0 && s->units[i].state != OWN_UNIT_ENABLED)
            return false; /* the user switches it off */
    return base_unit_enabled(plan->in.base, kind->unit) && (!kind->active || kind->active(plan));
}

static int open_it(struct plan *plan, const struct kind *kind, struct error *err)
{
    if (kind->open)
        return kind->open(plan, err);
    return error_set(err,
                     "firewall: the base has an active firewall, %s, and nodebake can open only "
                     "ufw and firewalld: say `firewall: disable` in cluster.yaml, or bring rules "
                     "that let the cluster through with `files`",
                     kind->name);
}

static int disable_it(struct plan *plan, const struct kind *kind, struct error *err)
{
    char *path AUTO_FREE = heap_printf("/etc/systemd/system/%s", kind->unit);
    if (kind->disable && kind->disable(plan, err) < 0)
        return -1;
    if (part_unit_off(plan, kind->unit, SOURCE, err) < 0)
        return -1;
    return part_link(plan, path, "/dev/null", SOURCE, err);
}

static int refuse_it(const struct kind *kind, struct error *err)
{
    return error_set(err,
                     "the base has an active firewall, %s, which would cut the nodes off from each "
                     "other: say `firewall: open` or `firewall: disable` in cluster.yaml",
                     kind->name);
}

int part_firewall(struct plan *plan, struct error *err)
{
    enum firewall wanted = plan->in.cluster->settings.firewall;
    for (size_t i = 0; plan->in.base && i < ARRAY_LEN(kinds); i++) {
        if (!is_on(plan, &kinds[i]))
            continue;
        int result = wanted == FIREWALL_OPEN      ? open_it(plan, &kinds[i], err)
                     : wanted == FIREWALL_DISABLE ? disable_it(plan, &kinds[i], err)
                                                  : refuse_it(&kinds[i], err);
        if (result < 0)
            return -1;
    }
    return 0;
}
