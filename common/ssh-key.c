#include "common/ssh-key.h"

#include <string.h>

#include "common/base64.h"

enum { LENGTH_BYTES = 4 };

static const char *const types[] = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

bool ssh_key_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

static const char *find_type(const char *line, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t n = strlen(types[i]);
        if (len > n && line[n] == ' ' && memcmp(line, types[i], n) == 0)
            return types[i];
    }
    return NULL;
}

/* A key is fields of a length, in four bytes, and so many bytes: none is cut, nothing is left over.
 * The first is the name of its type. */
static bool holds_key(const char *base64, size_t len, const char *type)
{
    size_t type_len = strlen(type), fields = 0, at = 0, end = 0;
    if (!base64_size(base64, len, &end))
        return false;
    for (; end - at >= LENGTH_BYTES; fields++) {
        size_t field = 0;
        for (size_t i = 0; i < LENGTH_BYTES; i++)
            field = field << 8 | base64_byte(base64, at + i);
        at += LENGTH_BYTES;
        if (field > end - at || (fields == 0 && field != type_len))
            return false;
        for (size_t i = 0; fields == 0 && i < type_len; i++)
            if (base64_byte(base64, at + i) != (unsigned char)type[i])
                return false;
        at += field;
    }
    return at == end && fields > 1;
}

bool ssh_key_parse(const char *line, size_t len, struct ssh_key *out)
{
    *out = (struct ssh_key){.type = find_type(line, len)};
    if (!out->type || len > SSH_KEY_MAX)
        return false;
    const char *end = line + len;
    out->base64 = line + strlen(out->type) + 1;
    const char *space = memchr(out->base64, ' ', (size_t)(end - out->base64));
    out->base64_len = (size_t)((space ? space : end) - out->base64);
    out->comment = space ? space + 1 : end;
    out->comment_len = (size_t)(end - out->comment);
    return holds_key(out->base64, out->base64_len, out->type);
}

bool ssh_keys_valid(const char *text)
{
    size_t count = 0;
    if (strlen(text) >= SSH_KEYS_MAX)
        return false;
    for (const char *at = text; *at; count++) {
        struct ssh_key key;
        size_t len = strcspn(at, "\n");
        if (at[len] != '\n' || !ssh_key_parse(at, len, &key) || !ssh_key_printable(at, len))
            return false;
        at += len + 1;
    }
    return count <= SSH_KEYS_COUNT_MAX;
}
