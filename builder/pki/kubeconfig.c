#include "builder/pki/kubeconfig.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "builder/heap.h"

void base64_print(const void *bytes, size_t n, struct buffer *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    size_t length = 4 * ((n + 2) / 3);
    text.grow(&text, length + 1);
    EVP_EncodeBlock((unsigned char *)text.data, bytes, (int)n);
    buffer_add(out, text.data, length);
}

/* Without line breaks, into `out`; false: it is not base64. */
static bool take_letters(const char *text, size_t n, struct buffer *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t end = 0;
    out->grow(out, n + 1);
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\n' && text[i] != '\r')
            out->data[out->len++] = text[i];
    out->data[out->len] = '\0';
    end = strspn(out->data, letters);
    return out->len % 4 == 0 && out->len - end <= 2 &&
           strspn(out->data + end, "=") == out->len - end;
}

int base64_read(const char *text, size_t n, struct buffer *out)
{
    struct buffer letters AUTO_BUFFER = buffer_heap(), bytes AUTO_BUFFER = buffer_heap();
    if (n > INT_MAX || !take_letters(text, n, &letters))
        return -1;
    bytes.grow(&bytes, letters.len + 1);
    int got = EVP_DecodeBlock((unsigned char *)bytes.data, (const unsigned char *)letters.data,
                              (int)letters.len);
    size_t padding = letters.len - strcspn(letters.data, "=");
    if (got < 0)
        return -1;
    buffer_add(out, bytes.data, (size_t)got - padding);
    return 0;
}

static void add_data(struct buffer *out, const char *key, const struct buffer *bytes)
{
    buffer_puts(out, key);
    base64_print(bytes->data, bytes->len, out);
    buffer_puts(out, "\n");
}

/* A DNS label that YAML could take for something other than a string. */
static bool needs_quotes(const char *label)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], label) == 0)
            return true;
    return label[0] >= '0' && label[0] <= '9';
}

void kubeconfig_print(const struct kubeconfig *c, struct buffer *out)
{
    const char *quote = needs_quotes(c->cluster) ? "\"" : "";
    buffer_puts(out, "apiVersion: v1\nclusters:\n- cluster:\n");
    add_data(out, "    certificate-authority-data: ", c->ca);
    buffer_printf(out, "    server: %s\n  name: %s%s%s\n", c->server, quote, c->cluster, quote);
    buffer_printf(out, "contexts:\n- context:\n    cluster: %s%s%s\n    user: %s\n", quote,
                  c->cluster, quote, c->user);
    buffer_puts(out, "  name: default\ncurrent-context: default\nkind: Config\npreferences: {}\n");
    buffer_printf(out, "users:\n- name: %s\n  user:\n", c->user);
    if (c->token) {
        /* Quoted: one of digits alone would be a number. */
        buffer_printf(out, "    token: \"%s\"\n", c->token);
        return;
    }
    if (c->cert_file && c->key_file) {
        buffer_printf(out, "    client-certificate: %s\n    client-key: %s\n", c->cert_file,
                      c->key_file);
        return;
    }
    add_data(out, "    client-certificate-data: ", c->cert);
    add_data(out, "    client-key-data: ", c->key);
}
