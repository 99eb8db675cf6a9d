#include "builder/image/base.h"
#include "builder/plan/part.h"

/* Programs of clouds that set the host name, or rewrite /etc/hosts, by what the network says, and
 * who calls them; base-files.c asks for the same. */
static const char *const habits[] = {
    "/etc/NetworkManager/dispatcher.d/google_hostname.sh",
    "/etc/dhcp/dhclient-exit-hooks.d/google_hostname_hook",
    "/etc/dhcp/dhclient-exit-hooks.d/google_set_hostname",
    "/etc/dhcp/dhclient.d/google_hostname.sh",
    "/usr/bin/google_set_hostname",
    "/usr/bin/google_set_metadata_network",
    "/usr/lib/NetworkManager/dispatcher.d/google_hostname.sh",
    "/usr/lib/networkd-dispatcher/configured.d/google_hostname.sh",
    "/usr/lib/networkd-dispatcher/routable.d/google_hostname.sh",
};

int part_host_name(struct plan *plan, struct error *err)
{
    for (size_t i = 0; plan->in.base && i < ARRAY_LEN(habits); i++)
        if (base_has(plan->in.base, habits[i]) && part_gone(plan, habits[i], "host name", err) < 0)
            return -1;
    return 0;
}
