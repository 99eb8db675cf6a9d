#include "builder/plan/resolver.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/choices.h"

#define RESOLV_CONF "/etc/resolv.conf"

static const char RESOLVED[] = "systemd-resolved.service";

/* The stub of systemd-resolved: of any other loopback address somebody else is the server. */
static const char *const stubs[] = {"127.0.0.53", "127.0.0.54"};

/* Programs that resolvconf(8) names as 127.0.0.1. */
static const char *const local_servers[] = {"dnsmasq.service", "named.service", "bind9.service",
                                            "unbound.service", "pdns-recursor.service"};

/* The next server's address from *text on; false when there is none. `address` holds 64 bytes. */
static bool next_server(const char **text, char *address)
{
    static const char key[] = "nameserver";
    while (**text) {
        const char *line = *text + strspn(*text, " \t");
        const char *value = line + strlen(key);
        size_t len = strcspn(*text, "\n");
        *text += len + ((*text)[len] == '\n');
        if (strncmp(line, key, strlen(key)) != 0 || (*value != ' ' && *value != '\t'))
            continue;
        value += strspn(value, " \t");
        size_t n = strcspn(value, " \t\r\n");
        n = n < 63 ? n : 63;
        memcpy(address, value, n);
        address[n] = '\0';
        return true;
    }
    return false;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

bool resolver_is_local(const char *text)
{
    char address[64];
    while (next_server(&text, address))
        if (is_loopback(address))
            return true;
    return false;
}

static bool is_stub(const char *address)
{
    return strcmp(address, stubs[0]) == 0 || strcmp(address, stubs[1]) == 0;
}

/* What the base has at /etc/resolv.conf is of use to nobody: nothing, no server, a file or link of
 * a systemd-resolved that does not run. */
enum state { STATE_GOOD, STATE_LOCAL, STATE_DEAD, STATE_MISSING };

static enum state state_of_text(const char *text)
{
    char address[64];
    enum state state = STATE_MISSING;
    while (next_server(&text, address)) {
        if (!is_loopback(address))
            state = state == STATE_MISSING ? STATE_GOOD : state;
        else if (!is_stub(address))
            return STATE_LOCAL;
        else
            state = STATE_DEAD;
    }
    return state;
}

static bool has_local_server(const struct base *base)
{
    for (size_t i = 0; i < ARRAY_LEN(local_servers); i++)
        if (base_unit_enabled(base, local_servers[i]))
            return true;
    return false;
}

static enum state state_of(const struct base *base)
{
    const char *target = base_link(base, RESOLV_CONF);
    const struct base_file *file = base_file(base, RESOLV_CONF);
    if (target && (strstr(target, "systemd/resolve/") || strstr(target, "systemd/resolv.conf")))
        return STATE_DEAD;
    if (target)
        return strstr(target, "resolvconf") && has_local_server(base) ? STATE_LOCAL : STATE_GOOD;
    return file ? state_of_text(file->text) : STATE_MISSING;
}

/* What cluster.yaml says of the unit: 1 on, -1 off, 0 nothing. */
static int wish_for(const struct settings *settings, const char *unit)
{
    for (size_t i = 0; i < settings->unit_count; i++)
        if (strcmp(settings->units[i].name, unit) == 0)
            return settings->units[i].state == OWN_UNIT_ENABLED ? 1 : -1;
    return 0;
}

static bool brings_file(const struct settings *settings)
{
    for (size_t i = 0; i < settings->file_count; i++)
        if (strcmp(settings->files[i].path, RESOLV_CONF) == 0)
            return true;
    for (size_t i = 0; i < settings->overlays.count; i++) {
        char *path AUTO_FREE = heap_printf("%s" RESOLV_CONF, settings->overlays.items[i]);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return true;
    }
    return false;
}

/* Does a program of the network write the file by itself? */
static bool manager_writes(const struct base *base)
{
    return base->network == NETWORK_IFUPDOWN || base->network == NETWORK_MANAGER;
}

static bool is_unknown(const struct plan_input *in)
{
    return in->base->network == NETWORK_UNKNOWN && !choices_replace_cloud_init(in);
}

enum resolver resolver_of(const struct plan_input *in)
{
    const struct base *base = in->base;
    const struct settings *settings = &in->cluster->settings;
    int wish = wish_for(settings, RESOLVED);
    bool comes = texts_have(&settings->packages, "systemd-resolved");
    if (wish >= 0 && (base->resolved || wish > 0 || comes))
        return RESOLVER_RESOLVED;
    if (brings_file(settings))
        return RESOLVER_FILE;
    enum state state = state_of(base);
    if (state == STATE_LOCAL)
        return RESOLVER_LOCAL;
    if (state == STATE_GOOD || (state == STATE_MISSING && is_unknown(in)))
        return RESOLVER_FILE;
    if (manager_writes(base))
        return state == STATE_DEAD ? RESOLVER_DROP : RESOLVER_FILE;
    bool can_start = wish == 0 && base_unit(base, RESOLVED) && !base_unit_masked(base, RESOLVED);
    return can_start ? RESOLVER_START : RESOLVER_NONE;
}
