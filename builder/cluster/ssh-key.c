/* Public keys of OpenSSH. */
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "builder/cluster/forms.h"
#include "builder/heap.h"

enum { SSH_KEY_MAX = 8192, HEAD = 4 };

static const char *const types[] = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

/* The type that the line begins with, or NULL. */
static const char *type_of(const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t len = strlen(types[i]);
        if (strncmp(line, types[i], len) == 0 && line[len] == ' ')
            return types[i];
    }
    return NULL;
}

/* A key's bytes begin with the length and the name of its type. */
static bool holds_type(const char *base64, size_t len, const char *type)
{
    size_t type_len = strlen(type);
    unsigned char *bytes AUTO_FREE = heap_array(len, 1);
    if (len % 4 || EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)len) < 0)
        return false;
    return len / 4 * 3 > HEAD + type_len + HEAD && !bytes[0] && !bytes[1] && !bytes[2] &&
           bytes[3] == type_len && memcmp(bytes + HEAD, type, type_len) == 0;
}

int form_ssh_key(const char *text, struct error *err)
{
    const char *type = type_of(text);
    const char *base64 = type ? text + strlen(type) + 1 : text;
    size_t len = strcspn(base64, " ");
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            type = NULL;
    if (strstr(text, "PRIVATE KEY"))
        return error_set(err, "this is a private key; write the public one, the line of its .pub");
    if (!type || strlen(text) > SSH_KEY_MAX || !holds_type(base64, len, type))
        return error_set(err,
                         "'%.24s…' is not a public key; write a line like ssh-ed25519 AAAA… name, "
                         "without options",
                         text);
    return 0;
}
