#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/choices.h"
#include "builder/plan/part.h"

static const char SOURCE[] = "cloudInit: disable";

/* The names are those of Debian's own images: where the base has a file with them, its values are
 * filled up. netplan wants nobody else to read its files. */
static const char NETPLAN[] = "network:\n"
                              "  version: 2\n"
                              "  ethernets:\n";
static const char NETPLAN_NICS[] = "    all-%s:\n"
                                   "      match:\n"
                                   "        name: \"%s*\"\n"
                                   "      dhcp4: true\n"
                                   "      dhcp-identifier: mac\n"
                                   "      dhcp4-overrides:\n"
                                   "        use-domains: true\n"
                                   "        use-hostname: false\n"
                                   "        use-mtu: true\n"
                                   "      dhcp6-overrides:\n"
                                   "        use-hostname: false\n"
                                   "      accept-ra: true\n";

static int add_netplan(struct plan *plan, struct error *err)
{
    static const char *const names[] = {"en", "eth"};
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, NETPLAN);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buffer_printf(&text, NETPLAN_NICS, names[i], names[i]);
    return part_text(plan, "/etc/netplan/95-nodebake.yaml", 0600, &text, SOURCE, err);
}

static int replace_network(struct plan *plan, struct error *err)
{
    const struct base *base = plan->in.base;
    for (size_t i = 0; i < base->cloud_network.count; i++)
        if (part_gone(plan, base->cloud_network.items[i], SOURCE, err) < 0)
            return -1;
    if (base->network == NETWORK_NETPLAN && add_netplan(plan, err) < 0)
        return -1;
    if (base->network != NETWORK_UNKNOWN)
        return 0;
    return part_unit_always(plan, "systemd-networkd.service", "multi-user.target", err);
}

int part_cloud_init(struct plan *plan, struct error *err)
{
    const struct plan_input *in = &plan->in;
    if (!in->base)
        return 0;
    if (choices_replace_cloud_init(in) && replace_network(plan, err) < 0)
        return -1;
    if (choices_make_host_keys(in) &&
        part_unit_always(plan, "nodebake-host-keys.service", "multi-user.target", err) < 0)
        return -1;
    if (choices_grow(in))
        return part_unit_always(plan, "nodebake-grow.service", "sysinit.target", err);
    return 0;
}
