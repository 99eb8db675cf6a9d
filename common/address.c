#include "common/address.h"

#include <string.h>

#include "common/base64.h"
#include "common/contract.h"
#include "common/ssh-key.h"

/* Reads a decimal number without leading zeros, at most `max`; moves *text behind it. */
static bool number_parse(const char **text, unsigned max, unsigned *out)
{
    const char *p = *text;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    unsigned n = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (unsigned)(*p - '0');
        if (n > max)
            return false;
    }
    *text = p;
    *out = n;
    return true;
}

static bool quad_parse(const char **text, uint32_t *address)
{
    uint32_t sum = 0;
    for (int i = 0; i < 4; i++) {
        unsigned byte;
        if (i && *(*text)++ != '.')
            return false;
        if (!number_parse(text, 255, &byte))
            return false;
        sum = sum << 8 | byte;
    }
    *address = sum;
    return true;
}

bool ipv4_parse(const char *text, uint32_t *address)
{
    return quad_parse(&text, address) && *text == '\0';
}

static uint32_t prefix_mask(unsigned prefix)
{
    return prefix ? ~UINT32_C(0) << (32 - prefix) : 0;
}

bool cidr_parse(const char *text, struct cidr *cidr)
{
    if (!quad_parse(&text, &cidr->address) || *text++ != '/')
        return false;
    if (!number_parse(&text, 32, &cidr->prefix) || *text)
        return false;
    return (cidr->address & ~prefix_mask(cidr->prefix)) == 0;
}

bool cidr_contains(struct cidr outer, struct cidr inner)
{
    return outer.prefix <= inner.prefix &&
           (inner.address & prefix_mask(outer.prefix)) == outer.address;
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
    return cidr_contains(a, b) || cidr_contains(b, a);
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool label_ok(const char *text, size_t len)
{
    if (len < 1 || len > 63 || !is_lower_alnum(text[0]) || !is_lower_alnum(text[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_lower_alnum(text[i]) && text[i] != '-')
            return false;
    return true;
}

bool dns_label_valid(const char *text)
{
    return label_ok(text, strlen(text));
}

bool dns_name_valid(const char *text)
{
    if (strlen(text) > 253)
        return false;
    for (;;) {
        size_t len = strcspn(text, ".");
        if (!label_ok(text, len))
            return false;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

static bool ipv4_valid(const char *text)
{
    uint32_t ignored;
    return ipv4_parse(text, &ignored);
}

static bool cidr_valid(const char *text)
{
    struct cidr ignored;
    return cidr_parse(text, &ignored);
}

static bool token_valid(const char *text)
{
    size_t len = strlen(text);
    if (len < 1 || len >= VALUE_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"'\\$`", text[i]))
            return false;
    return true;
}

static bool bundle_valid(const char *text)
{
    size_t size;
    return base64_size(text, strlen(text), &size) && size <= CONTRACT_BUNDLE_MAX;
}

static const struct value_kind {
    const char *name;
    bool (*valid)(const char *text);
    const char *expected;
} kinds[VALUE_TYPES] = {
    [VALUE_LABEL] = {"label", dns_label_valid, "a DNS label (1 to 63 of a-z, 0-9 and inner '-')"},
    [VALUE_NAME] = {"name", dns_name_valid, "a DNS name (labels of a-z, 0-9, '-', joined by '.')"},
    [VALUE_IPV4] = {"ipv4", ipv4_valid, "an IPv4 address such as 10.240.0.20"},
    [VALUE_CIDR] = {"cidr", cidr_valid, "an IPv4 network such as 10.200.0.0/24, host bits zero"},
    [VALUE_TOKEN] = {"token", token_valid,
                     "1 to 255 printable characters but spaces, quotes, '\\', '$' and '`'"},
    [VALUE_SSHKEYS] = {"sshkeys", ssh_keys_valid,
                       "up to 64 public keys, a line each, in at most 16383 bytes"},
    [VALUE_BUNDLE] = {"bundle", bundle_valid, "a line of base64 of at most 12000 bytes"},
};

const char *value_type_name(enum value_type type)
{
    return kinds[type].name;
}

bool value_type_parse(const char *word, enum value_type *type)
{
    for (unsigned i = 0; i < VALUE_TYPES; i++) {
        if (strcmp(kinds[i].name, word) == 0) {
            *type = (enum value_type)i;
            return true;
        }
    }
    return false;
}

/* Copies what can be shown of a value that is not to be trusted: printable, and not long. */
static void shown(const char *text, char out[static 68])
{
    size_t n = 0;
    for (; n < 60 && text[n]; n++)
        out[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
    const char *rest = n == 60 && text[n] ? "..." : "";
    memcpy(out + n, rest, strlen(rest) + 1);
}

static int check(enum value_type type, const char *text, bool secret, struct error *err)
{
    if (kinds[type].valid(text))
        return 0;
    if (secret)
        return error_set(err, "a value that is not %s", kinds[type].expected);
    char safe[68];
    shown(text, safe);
    return error_set(err, "'%s' is not %s", safe, kinds[type].expected);
}

int value_check(enum value_type type, const char *text, struct error *err)
{
    return check(type, text, type == VALUE_BUNDLE, err);
}

int value_check_fact(enum value_type type, const char *text, struct error *err)
{
    return check(type, text, type == VALUE_TOKEN || type == VALUE_BUNDLE, err);
}
