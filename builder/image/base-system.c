#include "builder/image/base-system.h"

#include <string.h>

#include "builder/heap.h"

enum { UNIT_MAX = 64 * 1024 };

#define UNITS_ETC "/etc/systemd/system"

/* A disk, and the way to read it. */
struct reader {
    const struct disk_writer *writer;
    struct disk *disk;
};

/* Is one of the paths there? 1, 0 or -1. */
static int any_exists(struct reader r, const char *const *paths, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        int found = r.writer->exists(r.disk, paths[i], err);
        if (found)
            return found;
    }
    return 0;
}

/* A mask is a link to /dev/null, which reads as nothing. 1, 0 or -1. */
static int unit_masked(struct reader r, const char *unit, struct error *err)
{
    char *path AUTO_FREE = heap_printf(UNITS_ETC "/%s", unit);
    int own = r.writer->exists(r.disk, path, err);
    if (own <= 0)
        return own;
    struct error unread = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    return r.writer->read(r.disk, path, UNIT_MAX, &text, &unread) < 0 || text.len == 0;
}

/* Enabled by a link, and not masked? 1, 0 or -1. */
static int unit_enabled(struct reader r, const char *unit, struct error *err)
{
    static const char *const wants[] = {
        UNITS_ETC "/multi-user.target.wants",
        UNITS_ETC "/network-online.target.wants",
        UNITS_ETC "/sysinit.target.wants",
        "/usr/lib/systemd/system/multi-user.target.wants",
        "/usr/lib/systemd/system/sysinit.target.wants",
    };
    int found = 0;
    for (size_t i = 0; i < ARRAY_LEN(wants) && found == 0; i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", wants[i], unit);
        found = r.writer->exists(r.disk, path, err);
    }
    if (found <= 0)
        return found;
    int masked = unit_masked(r, unit, err);
    return masked < 0 ? -1 : !masked;
}

static int find_resolved(struct reader r, struct base *base, struct error *err)
{
    int enabled = unit_enabled(r, "systemd-resolved.service", err);
    base->resolved = enabled > 0;
    return enabled < 0 ? -1 : 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

/* Has networkd a file of this machine's own? 1, 0 or -1. */
static int networkd_configured(struct reader r, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (r.writer->list(r.disk, "/etc/systemd/network", &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1)
        if (ends_with(name, ".network"))
            return 1;
    return 0;
}

/* netplan brings its managers up by a generator, without links. Of two that are enabled, networkd
 * may only be so because systemd's presets say that on a first boot. */
static int find_network(struct reader r, struct base *base, struct error *err)
{
    static const char *const netplan[] = {"/usr/sbin/netplan", "/usr/libexec/netplan/generate",
                                          "/usr/lib/netplan/generate"};
    int plan = any_exists(r, netplan, ARRAY_LEN(netplan), err);
    int manager = plan < 0 ? -1 : unit_enabled(r, "NetworkManager.service", err);
    int networkd = manager < 0 ? -1 : unit_enabled(r, "systemd-networkd.service", err);
    int ifupdown = networkd < 0 ? -1 : unit_enabled(r, "networking.service", err);
    int configured = ifupdown < 0 ? -1 : networkd_configured(r, err);
    if (configured < 0)
        return -1;
    base->network = plan                                    ? NETWORK_NETPLAN
                    : manager                               ? NETWORK_MANAGER
                    : networkd && (configured || !ifupdown) ? NETWORK_NETWORKD
                    : ifupdown                              ? NETWORK_IFUPDOWN
                                                            : NETWORK_UNKNOWN;
    return 0;
}

static int find_cloud_init(struct reader r, struct base *base, struct error *err)
{
    static const char *const units[] = {"/usr/lib/systemd/system/cloud-init-local.service",
                                        "/lib/systemd/system/cloud-init-local.service"};
    static const char *const programs[] = {"/usr/bin/cloud-init"};
    static const char *const off[] = {"/etc/cloud/cloud-init.disabled"};
    int unit = any_exists(r, units, ARRAY_LEN(units), err);
    int program = unit > 0 ? any_exists(r, programs, ARRAY_LEN(programs), err) : unit;
    int disabled = program > 0 ? any_exists(r, off, ARRAY_LEN(off), err) : program;
    if (disabled < 0)
        return -1;
    base->cloud_init = program > 0 && !disabled;
    return 0;
}

/* What cloud-init writes for the managers carries its name, but for the names of NICs. */
static int find_cloud_network(struct reader r, struct base *base, struct error *err)
{
    static const char *const dirs[] = {
        "/etc/NetworkManager/system-connections",
        "/etc/netplan",
        "/etc/network/interfaces.d",
        "/etc/systemd/network",
    };
    static const char persistent[] = "/etc/udev/rules.d/70-persistent-net.rules";
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        struct buffer names AUTO_BUFFER = buffer_heap();
        if (r.writer->list(r.disk, dirs[i], &names, err) < 0)
            return -1;
        for (const char *name = names.data; name < names.data + names.len;
             name += strlen(name) + 1) {
            char *path AUTO_FREE = heap_printf("%s/%s", dirs[i], name);
            if (strstr(name, "cloud-init"))
                texts_add(&base->cloud_network, path);
        }
    }
    int found = r.writer->exists(r.disk, persistent, err);
    if (found > 0)
        texts_add(&base->cloud_network, persistent);
    return found < 0 ? -1 : 0;
}

int base_read_system(const struct disk_writer *writer, struct disk *disk, struct base *base,
                     struct error *err)
{
    struct reader r = {writer, disk};
    if (find_resolved(r, base, err) < 0 || find_network(r, base, err) < 0 ||
        find_cloud_init(r, base, err) < 0)
        return -1;
    return base->cloud_init ? find_cloud_network(r, base, err) : 0;
}
