#include "builder/pki/encryption.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig.h"
#include "builder/yaml/yaml.h"

enum { KEY_BYTES = 32, KEY_BASE64 = 44, NUMBER_MAX = 9 };

static const char NAME[] = "encryption-config.yaml";

/* The newest form that a version takes stands last. */
static const struct {
    unsigned minor_from; /* Kubernetes 1.N */
    const char *kind, *api;
} forms[] = {
    {0, "EncryptionConfig", "v1"},
    {13, "EncryptionConfiguration", "apiserver.config.k8s.io/v1"},
};

static size_t form_of(const char *kubernetes)
{
    unsigned major = 0, minor = 0;
    size_t form = 0;
    if (sscanf(kubernetes, "%u.%u", &major, &minor) != 2)
        return ARRAY_LEN(forms) - 1;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (major > 1 || minor >= forms[i].minor_from)
            form = i;
    return form;
}

const char *encryption_kind(const char *kubernetes)
{
    return forms[form_of(kubernetes)].kind;
}

static int read_kind(struct yaml_ref ref, void *dest, struct error *err)
{
    struct encryption *e = dest;
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (strcmp(text, forms[i].kind) == 0) {
            e->kind = forms[i].kind;
            return 0;
        }
    return yaml_error(ref, err, "'%.64s' is no kind of encryption configuration", text);
}

static int read_api(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    (void)dest;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (strcmp(text, forms[i].api) == 0)
            return 0;
    return yaml_error(ref, err, "'%.64s' is no version of an encryption configuration", text);
}

static int read_secrets(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    (void)dest;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    return strcmp(text, "secrets") == 0 ? 0 : yaml_error(ref, err, "only `secrets` are expected");
}

static int read_resources(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, 1, read_secrets, dest, err);
}

/* The text is not told. */
static int read_secret(struct yaml_ref ref, void *dest, struct error *err)
{
    unsigned char bytes[KEY_BASE64];
    char *text AUTO_FREE = NULL;
    if (yaml_read_text(ref, &text, err) < 0)
        return -1;
    bool good = strlen(text) == KEY_BASE64 && text[KEY_BASE64 - 1] == '=' &&
                text[KEY_BASE64 - 2] != '=' &&
                EVP_DecodeBlock(bytes, (const unsigned char *)text, KEY_BASE64) >= KEY_BYTES;
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (!good) {
        OPENSSL_cleanse(text, strlen(text));
        return yaml_error(ref, err, "this is not a key of 32 bytes in base64");
    }
    *(char **)dest = steal(text);
    return 0;
}

static int read_key(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", yaml_read_text, offsetof(struct encryption_key, name), true},
        {"secret", read_secret, offsetof(struct encryption_key, secret), true},
    };
    struct encryption *e = dest;
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), APPEND(e->keys, e->count, e->cap), err);
}

static int read_keys(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, ENCRYPTION_KEYS_MAX, read_key, dest, err);
}

static int read_aescbc(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {{"keys", read_keys, 0, true}};
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_identity(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field none[] = {{0}};
    return yaml_read_map(ref, none, 0, dest, err);
}

static int read_provider(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {{"aescbc", read_aescbc, 0, false},
                                               {"identity", read_identity, 0, false}};
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_providers(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 2, 2, read_provider, dest, err);
}

static int read_resource(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {{"resources", read_resources, 0, true},
                                               {"providers", read_providers, 0, true}};
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_list(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, 1, read_resource, dest, err);
}

int encryption_parse(const char *text, size_t len, struct encryption *out, struct error *err)
{
    static const struct yaml_field fields[] = {{"kind", read_kind, 0, true},
                                               {"apiVersion", read_api, 0, true},
                                               {"resources", read_list, 0, true}};
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *file AUTO_YAML = NULL;
    out->kind = "";
    int result = yaml_parse(NAME, text, len, &problems, &file, err);
    if (result == 0)
        result = yaml_read_map(yaml_root(file), fields, ARRAY_LEN(fields), out, err);
    if (problems_first(&problems, result, err) < 0)
        return -1;
    return out->count ? 0 : error_set(err, "%s: there is no key for aescbc", NAME);
}

static unsigned number_of(const char *name)
{
    size_t digits = strspn(strncmp(name, "key", 3) == 0 ? name + 3 : "", "0123456789");
    if (!digits || digits > NUMBER_MAX || name[3 + digits])
        return 0;
    return (unsigned)strtoul(name + 3, NULL, 10);
}

int encryption_rotate(struct encryption *e, struct error *err)
{
    unsigned char bytes[KEY_BYTES];
    struct buffer secret AUTO_BUFFER = buffer_heap();
    unsigned last = 0;
    for (size_t i = 0; i < e->count; i++)
        if (number_of(e->keys[i].name) > last)
            last = number_of(e->keys[i].name);
    if (e->count >= ENCRYPTION_KEYS_MAX)
        return error_set(err, "%s has %zu keys: remove those that encrypt nothing any more", NAME,
                         e->count);
    if (RAND_priv_bytes(bytes, sizeof bytes) != 1)
        return error_set(err, "no random bytes for a key");
    base64_print(bytes, sizeof bytes, &secret);
    OPENSSL_cleanse(bytes, sizeof bytes);
    (void)APPEND(e->keys, e->count, e->cap);
    memmove(e->keys + 1, e->keys, (e->count - 1) * sizeof *e->keys);
    e->keys[0] = (struct encryption_key){heap_printf("key%u", last + 1), heap_copy(secret.data)};
    return 0;
}

void encryption_print(const struct encryption *e, const char *kubernetes, struct buffer *out)
{
    size_t form = form_of(kubernetes);
    buffer_printf(out,
                  "kind: %s\napiVersion: %s\nresources:\n  - resources:\n      - secrets\n"
                  "    providers:\n      - aescbc:\n          keys:\n",
                  forms[form].kind, forms[form].api);
    for (size_t i = 0; i < e->count; i++)
        buffer_printf(out, "            - name: %s\n              secret: %s\n", e->keys[i].name,
                      e->keys[i].secret);
    buffer_puts(out, "      - identity: {}\n");
}

void encryption_free(struct encryption *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->keys[i].name);
        if (e->keys[i].secret)
            OPENSSL_cleanse(e->keys[i].secret, strlen(e->keys[i].secret));
        free(e->keys[i].secret);
    }
    free(e->keys);
    *e = (struct encryption){0};
}
