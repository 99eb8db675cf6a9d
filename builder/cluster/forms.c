#include "builder/cluster/forms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/tree/tree.h"
#include "common/address.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Is the text 1 to max bytes of these? */
static bool made_of(const char *text, const char *bytes, size_t max)
{
    size_t len = strlen(text);
    return len >= 1 && len <= max && strspn(text, bytes) == len;
}

int form_user(const char *text, struct error *err)
{
    if (!made_of(text, LOWER DIGITS "_-", 32) || !strchr(LOWER "_", *text))
        return error_set(err,
                         "'%.64s' is not a user name; write 1 to 32 of a-z, 0-9, '-', '_', a "
                         "letter first",
                         text);
    if (strcmp(text, "root") == 0)
        return error_set(err, "root does not log in; name another user, which may use sudo");
    return 0;
}

int form_kernel_argument(const char *text, struct error *err)
{
    static const char *const ours[] = {"root=", "init=", "rdinit=", "initrd="};
    static const char hierarchy[] = "systemd.unified_cgroup_hierarchy";
    /* What GRUB or a shell would take apart; both read the word. */
    static const char special[] = "\"'\\$`;&|<>{}()#*?";
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p > '~' || strchr(special, *p))
            return error_set(err,
                             "'%.64s' is not a kernel argument; write one word, without any of %s",
                             text, special);
    if (strncmp(text, hierarchy, strlen(hierarchy)) == 0)
        return error_set(err, "write `cgroups: v1` or `v2` instead of '%.64s'", text);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strncmp(text, ours[i], strlen(ours[i])) == 0)
            return error_set(err, "'%s…' is the base's own; leave it out", ours[i]);
    return 0;
}

int form_host(const char *text, struct error *err)
{
    uint32_t ignored;
    if (ipv4_parse(text, &ignored) ||
        (dns_name_valid(text) && strspn(text, DIGITS ".") != strlen(text)))
        return 0;
    return error_set(err, "'%.64s' is neither a host name nor an IPv4 address", text);
}

/* A port number of at most five digits, 1 to 65535. */
static bool port_valid(const char *text, size_t len)
{
    long port = len >= 1 && len <= 5 && strspn(text, DIGITS) >= len ? strtol(text, NULL, 10) : 0;
    return port >= 1 && port <= 65535;
}

/* HOST or HOST:PORT, of so many bytes. */
static bool authority_valid(const char *text, size_t len)
{
    char host[254];
    struct error ignored = ERROR_INIT;
    const char *colon = memchr(text, ':', len);
    size_t host_len = colon ? (size_t)(colon - text) : len;
    if (host_len >= sizeof host || (colon && !port_valid(colon + 1, len - host_len - 1)))
        return false;
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    return form_host(host, &ignored) == 0;
}

int form_registry(const char *text, struct error *err)
{
    if (authority_valid(text, strlen(text)))
        return 0;
    return error_set(err, "'%.64s' is not a registry; write HOST or HOST:PORT, such as docker.io",
                     text);
}

int form_url(const char *text, struct error *err)
{
    static const char *const schemes[] = {"http://", "https://"};
    const char *rest = NULL;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            rest = text + strlen(schemes[i]);
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"'\\`<>", *p))
            rest = NULL;
    size_t len = rest ? strcspn(rest, "/?#") : 0;
    const char *at = rest ? memchr(rest, '@', len) : NULL;
    const char *host = at ? at + 1 : rest;
    /* The text is not told: it may hold a password. */
    if (!rest || !authority_valid(host, (size_t)(rest + len - host)) || strpbrk(rest + len, "?#"))
        return error_set(err, "this is not a URL; write it like http://proxy.example:3128");
    return 0;
}

int form_no_proxy(const char *text, struct error *err)
{
    struct cidr ignored;
    struct error cause = ERROR_INIT;
    if (cidr_parse(text, &ignored) || form_host(*text == '.' ? text + 1 : text, &cause) == 0)
        return 0;
    return error_set(err, "'%.64s' is no host name, .domain, IPv4 address or network", text);
}

int form_sysctl(const char *text, struct error *err)
{
    if (made_of(text, LOWER UPPER DIGITS "_-./:@", 255) && isalpha((unsigned char)*text) &&
        !strstr(text, ".."))
        return 0;
    return error_set(err, "'%.64s' is not a kernel parameter; write it like vm.max_map_count",
                     text);
}

int form_flag(const char *text, struct error *err)
{
    if (made_of(text, LOWER DIGITS "-", 63) && islower((unsigned char)*text))
        return 0;
    return error_set(err, "'%.64s' is no flag; write it without dashes before it, like event-ttl",
                     text);
}

int form_flag_value(const char *text, struct error *err)
{
    if (made_of(text, LOWER UPPER DIGITS "_-./:,=+*", 1023))
        return 0;
    return error_set(err, "'%.64s' is no value of a flag; write letters, digits and _-./:,=+*",
                     text);
}

int form_module(const char *text, struct error *err)
{
    if (made_of(text, LOWER UPPER DIGITS "_-", 55))
        return 0;
    return error_set(err, "'%.64s' is not a kernel module; write it like nf_conntrack", text);
}

int form_package(const char *text, struct error *err)
{
    if (strlen(text) >= 2 && made_of(text, LOWER DIGITS "+-.", 100) &&
        isalnum((unsigned char)*text))
        return 0;
    return error_set(err, "'%.64s' is not the name of a Debian package", text);
}

int form_unit(const char *text, struct error *err)
{
    static const char *const suffixes[] = {".service", ".socket", ".timer", ".target",
                                           ".path",    ".mount",  ".slice", ".automount"};
    const char *dot = strrchr(text, '.');
    bool known = false;
    for (size_t i = 0; dot && i < ARRAY_LEN(suffixes); i++)
        known = known || strcmp(dot, suffixes[i]) == 0;
    if (known && dot > text && made_of(text, LOWER UPPER DIGITS ":-_.@\\", 245))
        return 0;
    return error_set(err, "'%.64s' is not a unit; write its whole name, such as foo.service", text);
}

int form_path(const char *text, struct error *err)
{
    bool plain = tree_path_clean(text);
    for (const char *p = text; *p; p++)
        plain = plain && *p > ' ' && *p <= '~';
    const char *slash = strrchr(text, '/');
    if (plain && slash && strlen(slash + 1) <= 245)
        return 0;
    return error_set(err,
                     "'%.64s' is not the path of a file; write it absolute, without spaces, '.', "
                     "'..' and empty parts",
                     text);
}
