#include "builder/plan/choices.h"

#include <stdlib.h>
#include <string.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/profile-values.h"
#include "builder/plan/runtime.h"

bool choices_replace_cloud_init(const struct plan_input *in)
{
    return in->base->cloud_init && in->cluster->settings.cloud_init == CLOUD_INIT_DISABLE;
}

static bool keeps_cloud_init(const struct plan_input *in)
{
    return in->base->cloud_init && !choices_replace_cloud_init(in);
}

bool choices_make_host_keys(const struct plan_input *in)
{
    return base_has(in->base, "/usr/sbin/sshd");
}

bool choices_grow(const struct plan_input *in)
{
    return !keeps_cloud_init(in);
}

static bool ours_for(const struct plan_input *in, enum base_network network)
{
    return choices_replace_cloud_init(in) && in->base->network == network;
}

/* systemd always brings networkd: it serves where nothing else was set up. */
static bool ours_for_networkd(const struct plan_input *in)
{
    return ours_for(in, NETWORK_NETWORKD) || ours_for(in, NETWORK_UNKNOWN);
}

static bool waits_for_networkd(const struct plan_input *in)
{
    return ours_for_networkd(in) || ours_for(in, NETWORK_NETPLAN);
}

static bool ours_for_ifupdown(const struct plan_input *in)
{
    return ours_for(in, NETWORK_IFUPDOWN);
}

static bool has_dhclient(const struct plan_input *in)
{
    return base_has(in->base, "/usr/sbin/dhclient");
}

static bool has_dhcpcd(const struct plan_input *in)
{
    return base_has(in->base, "/usr/sbin/dhcpcd");
}

/* ifupdown takes the first that it finds. */
static bool ours_for_dhclient(const struct plan_input *in)
{
    return ours_for_ifupdown(in) && has_dhclient(in);
}

static bool ours_for_dhcpcd(const struct plan_input *in)
{
    return ours_for_ifupdown(in) && !has_dhclient(in) && has_dhcpcd(in);
}

static bool ours_for_manager(const struct plan_input *in)
{
    return ours_for(in, NETWORK_MANAGER);
}

static bool has_manager(const struct plan_input *in)
{
    return base_has(in->base, "/usr/sbin/NetworkManager");
}

static bool has_google_host_name(const struct plan_input *in)
{
    return base_has(in->base, "/usr/bin/google_set_hostname");
}

static bool holds_kernel(const struct plan_input *in)
{
    return !in->cluster->settings.kernel_updates;
}

static bool opens_firewalld(const struct plan_input *in)
{
    return in->cluster->settings.firewall == FIREWALL_OPEN &&
           base_unit_enabled(in->base, "firewalld.service");
}

static bool opens_firewalld_for_api(const struct plan_input *in)
{
    return opens_firewalld(in) && strcmp(in->role->name, "controller") == 0;
}

static bool guards_metadata(const struct plan_input *in)
{
    return !in->cluster->settings.metadata_for_pods && strcmp(in->role->name, "worker") == 0;
}

static bool wants_v1_runtime(const struct plan_input *in)
{
    return runtime_is_v1(in->cluster) && texts_have(&in->role->overlays, "containerd");
}

/* An overlay for images of one kind. */
struct choice {
    const char *overlay;
    bool (*wanted)(const struct plan_input *in);
};

/* By the settings alone. */
static const struct choice of_settings[] = {
    {"kernel-held", holds_kernel},
    {"metadata-guard", guards_metadata},
    {"containerd-v1-runtime", wants_v1_runtime},
    {NULL, NULL}, /* the end */
};

/* By the base, too: not asked when it is not known. */
static const struct choice choices[] = {
    {"cloud-init-off", choices_replace_cloud_init},
    {"cloud-init-keep", keeps_cloud_init},
    {"network-networkd", ours_for_networkd},
    {"network-wait", waits_for_networkd},
    {"network-ifupdown", ours_for_ifupdown},
    {"network-dhclient", ours_for_dhclient},
    {"network-dhcpcd", ours_for_dhcpcd},
    {"network-manager", ours_for_manager},
    {"host-name-dhclient", has_dhclient},
    {"host-name-dhcpcd", has_dhcpcd},
    {"host-name-manager", has_manager},
    {"host-name-google", has_google_host_name},
    {"host-keys", choices_make_host_keys},
    {"grow", choices_grow},
    {"firewalld-open", opens_firewalld},
    {"firewalld-open-controller", opens_firewalld_for_api},
    {NULL, NULL}, /* the end */
};

static int add_wanted(const struct plan_input *in, const struct choice *choice,
                      struct overlay_list *list, struct error *err)
{
    for (; choice->overlay; choice++)
        if (choice->wanted(in) && overlay_add(in->data, choice->overlay, list, err) < 0)
            return -1;
    return 0;
}

int choices_add(const struct plan_input *in, struct overlay_list *list, struct error *err)
{
    const struct settings *settings = &in->cluster->settings;
    for (size_t i = 0; i < in->role->overlays.count; i++)
        if (overlay_add(in->data, in->role->overlays.items[i], list, err) < 0)
            return -1;
    if (add_wanted(in, of_settings, list, err) < 0 ||
        (in->base && add_wanted(in, choices, list, err) < 0) ||
        profile_place(in->profile, list, err) < 0)
        return -1;
    for (size_t i = 0; i < settings->overlays.count; i++)
        if (overlay_add_folder(settings->overlays.items[i], list, err) < 0)
            return -1;
    for (size_t i = 0; i < settings->file_count; i++)
        if (overlay_add_own(&settings->files[i], in->cluster->file, list, err) < 0)
            return -1;
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    const struct overlay_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static int tell_overlay(const struct plan_input *in, const char *overlay, struct buffer *out,
                        struct error *err)
{
    struct overlay_list list AUTO_OVERLAYS = {0};
    if (overlay_add(in->data, overlay, &list, err) < 0)
        return -1;
    if (list.count)
        qsort(list.files, list.count, sizeof *list.files, compare_files);
    for (size_t i = 0; i < list.count; i++) {
        const struct overlay_file *file = &list.files[i];
        char digest[DIGEST_HEX_MAX] = "";
        if (!file->link && digest_path(file->host, digest, err) < 0)
            return -1;
        buffer_printf(out, "%s %o %s%s\n", file->name, (unsigned)file->mode, digest,
                      file->link ? file->link : "");
    }
    return 0;
}

int choices_left_open(const struct plan_input *in, struct buffer *out, struct error *err)
{
    settings_text(&in->cluster->settings, out);
    for (const struct choice *choice = choices; choice->overlay; choice++)
        if (tell_overlay(in, choice->overlay, out, err) < 0)
            return -1;
    return 0;
}
