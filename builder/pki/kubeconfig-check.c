#include "builder/pki/kubeconfig-check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "builder/pki/kubeconfig-read.h"
#include "builder/pki/x509.h"
#include "builder/yaml/utf8.h"

/* A kubeconfig being checked. */
struct check {
    const struct kubeconfig_wanted *wanted;
    struct texts *faults;
};

static void fault(const struct check *c, const char *fmt, ...) PRINTF(2, 3);
static void fault(const struct check *c, const char *fmt, ...)
{
    struct error text = ERROR_INIT;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text.text, sizeof text.text, fmt, ap);
    va_end(ap);
    utf8_printable(text.text);
    error_context(&text, "%s", c->wanted->file);
    texts_add(c->faults, text.text);
}

/* kubectl takes a server with a slash behind it for the same. */
static void check_server(const struct check *c, const struct kubeconfig_read *config)
{
    const char *at = strrchr(config->server, '@'); /* behind a password */
    size_t n = strlen(config->server), wanted = strlen(c->wanted->server);
    n -= n && config->server[n - 1] == '/';
    if (n != wanted || strncmp(config->server, c->wanted->server, n) != 0)
        fault(c, "its server is %.128s; %s gives %s", at ? at + 1 : config->server,
              c->wanted->source, c->wanted->server);
    if (config->insecure)
        fault(c, "it takes any server for its own (insecure-skip-tls-verify)");
}

/* The PEM text of a part; false: there is none, which was told. `what`: "CA", … */
static bool part_text(const struct check *c, const struct kubeconfig_part *part, const char *what,
                      bool secret, struct buffer *out)
{
    struct error why = ERROR_INIT;
    bool present = false;
    if (part->data.len) {
        buffer_add(out, part->data.data, part->data.len);
        return true;
    }
    if (!part->file) {
        fault(c, "it has no %s", what);
        return false;
    }
    if (c->wanted->folder < 0 || strchr(part->file, '/')) {
        fault(c, "its %s is in the file %.128s, which is not beside it on a machine: embed it",
              what, part->file);
        return false;
    }
    if (folder_read(c->wanted->folder, part->file, secret, out, &present, &why) < 0)
        fault(c, "its %s: %s", what, why.text);
    else if (!present)
        fault(c, "its %s is in the file %.128s, which is not there", what, part->file);
    return present;
}

/* NULL: there is none that can be read, which was told. The caller frees it. Without `between` it
 * must be the only one. */
static X509 *part_cert(const struct check *c, const struct kubeconfig_part *part, const char *what,
                       struct certs *between)
{
    struct error why = ERROR_INIT;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    X509 *cert = NULL;
    if (part_text(c, part, what, false, &pem) &&
        (between ? chain_load(&pem, &cert, between, &why) : x509_cert_parse(&pem, &cert, &why)) < 0)
        fault(c, "its %s: %s", what, why.text);
    return cert;
}

static EVP_PKEY *part_key(const struct check *c, const struct kubeconfig_part *part)
{
    struct error why = ERROR_INIT;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    EVP_PKEY *key = NULL;
    if (part_text(c, part, "key", true, &pem) && x509_key_parse(&pem, &key, &why) < 0)
        fault(c, "its key: %s", why.text);
    return key;
}

static void check_ca(const struct check *c, const struct kubeconfig_read *config)
{
    X509 *ca AUTO_CERT = part_cert(c, &config->ca, "CA", NULL);
    if (ca && c->wanted->ca && X509_cmp(ca, c->wanted->ca) != 0)
        fault(c, "its CA is not ca.pem");
}

static bool same_certs(const struct certs *a, const struct certs *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = X509_cmp(a->items[i], b->items[i]) == 0;
    return same;
}

static void check_user(const struct check *c, const struct kubeconfig_read *config)
{
    struct certs between AUTO_CERTS = {0};
    X509 *cert AUTO_CERT = part_cert(c, &config->cert, "certificate", &between);
    EVP_PKEY *key AUTO_KEY = part_key(c, &config->key);
    bool other = cert && c->wanted->cert && X509_cmp(cert, c->wanted->cert) != 0;
    if (other)
        fault(c, "its certificate is not %s.pem", c->wanted->stem);
    else if (cert && c->wanted->cert && c->wanted->between &&
             !same_certs(&between, c->wanted->between))
        fault(c, "the CAs behind its certificate are not those in %s.pem", c->wanted->stem);
    if (cert && key && EVP_PKEY_eq(X509_get0_pubkey(cert), key) != 1)
        fault(c, "its key does not belong to its certificate");
    else if (key && !cert && c->wanted->key && EVP_PKEY_eq(key, c->wanted->key) != 1)
        fault(c, "its key is not %s-key.pem", c->wanted->stem);
    if (config->token)
        fault(c, "its user has a token beside the certificate");
}

static void check_token(const struct check *c, const struct kubeconfig_read *config)
{
    size_t n = strlen(c->wanted->token);
    if (!config->token)
        fault(c, "it has no token");
    else if (strlen(config->token) != n || CRYPTO_memcmp(config->token, c->wanted->token, n) != 0)
        fault(c, "its token is not that of bootstrap-token.yaml");
    if (config->cert.data.len || config->cert.file || config->key.data.len || config->key.file)
        fault(c, "its user has a certificate beside the token");
}

void kubeconfig_check(const struct buffer *text, const struct kubeconfig_wanted *wanted,
                      struct texts *faults)
{
    const struct check c = {wanted, faults};
    struct error why = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    if (kubeconfig_parse(wanted->file, text->data, text->len, &config, &why) < 0) {
        utf8_printable(why.text);
        texts_add(faults, why.text);
        return;
    }
    check_server(&c, &config);
    check_ca(&c, &config);
    if (wanted->stem)
        check_user(&c, &config);
    else if (wanted->token)
        check_token(&c, &config);
    if (config.other)
        fault(&c, "its user has another way to log in, too: a password, a program, or `as`");
}
