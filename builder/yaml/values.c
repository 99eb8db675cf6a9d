/* Readers of single values. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "builder/heap.h"
#include "builder/yaml/yaml.h"

static int put_text(char **dest, const char *text)
{
    free(*dest);
    *dest = heap_copy(text);
    return 0;
}

int yaml_read_text(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!*text)
        return yaml_error(ref, err, "the value is empty");
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return yaml_error(ref, err, "the value holds a control byte (0x%02x)",
                              (unsigned char)*p);
    return put_text(dest, text);
}

/* An IPv6 address or network, with brackets or a zone as they may be written. */
static bool is_ipv6(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    text += *text == '[';
    size_t len = strcspn(text, "/%]");
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

static int read_typed(struct yaml_ref ref, enum value_type type, void *dest, struct error *err)
{
    const char *text;
    struct error cause = ERROR_INIT;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (value_check(type, text, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    return put_text(dest, text);
}

int yaml_read_label(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_typed(ref, VALUE_LABEL, dest, err);
}

int yaml_read_name(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_typed(ref, VALUE_NAME, dest, err);
}

static int read_v4(struct yaml_ref ref, enum value_type type, const char *expected, void *dest,
                   struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (is_ipv6(text))
        return yaml_error(ref, err, "IPv6 is not possible here ('%.64s'); write %s", text,
                          expected);
    return read_typed(ref, type, dest, err);
}

int yaml_read_ipv4(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_v4(ref, VALUE_IPV4, "an address such as 10.240.0.20", dest, err);
}

int yaml_read_cidr(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_v4(ref, VALUE_CIDR, "a network such as 10.200.0.0/24", dest, err);
}

int yaml_read_bool(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return yaml_error(ref, err, "'%.64s' is neither true nor false", text);
    *(bool *)dest = yes;
    return 0;
}

int yaml_read_mode(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    size_t len = strlen(text);
    if (len < 3 || len > 4 || strspn(text, "01234567") != len)
        return yaml_error(ref, err, "'%.64s' is not a mode; write it in octal, such as 0755", text);
    *(mode_t *)dest = (mode_t)strtoul(text, NULL, 8);
    return 0;
}

static const struct {
    const char *suffix;
    unsigned shift;
} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};

int yaml_read_size(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    size_t digits = strspn(text, "0123456789");
    const char *suffix = text + digits + (text[digits] == ' ');
    for (size_t i = 0; digits && digits <= 18 && i < ARRAY_LEN(units); i++) {
        uint64_t n = strtoull(text, NULL, 10);
        if (strcmp(units[i].suffix, suffix) == 0 && n <= UINT64_MAX >> units[i].shift) {
            *(uint64_t *)dest = n << units[i].shift;
            return 0;
        }
    }
    return yaml_error(ref, err, "'%.64s' is not a size; write it like 512MiB or 2GiB", text);
}

int yaml_read_version1(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (strcmp(text, "1") != 0)
        return yaml_error(ref, err, "version '%.64s' is not known to nodebake %s; write 1", text,
                          NODEBAKE_VERSION);
    *(unsigned *)dest = 1;
    return 0;
}
