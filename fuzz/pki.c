/* Files of the pki folder: keys, certificates, the encryption configuration and the bootstrap
 * token, all out of the same bytes. What is taken can be written, and read again. */
#include <openssl/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/bootstrap.h"
#include "builder/pki/check.h"
#include "builder/pki/cms.h"
#include "builder/pki/encryption.h"
#include "builder/pki/import-files.h"
#include "builder/pki/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void try_key(const struct buffer *pem)
{
    struct error err = ERROR_INIT;
    EVP_PKEY *key AUTO_KEY = NULL, *again AUTO_KEY = NULL;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (x509_key_parse(pem, &key, &err) < 0)
        require(*err.text && !key);
    else if (x509_key_print(key, &out, &err) == 0)
        require(x509_key_parse(&out, &again, &err) == 0);
}

/* Whatever it says, it is looked at to its end. */
static void try_cert(const struct buffer *pem)
{
    static struct pki_subject asked = {.country = (char *)"US"};
    static struct san sans[] = {{false, (char *)"a"}, {true, (char *)"10.0.0.1"}};
    static const struct identity id = {.stem = (char *)"a",
                                       .subject = {.cn = (char *)"a",
                                                   .o = (char *)"b",
                                                   .sans = sans,
                                                   .san_count = 2,
                                                   .usages = USAGE_CLIENT},
                                       .asked = &asked,
                                       .closed = true};
    struct error err = ERROR_INIT;
    X509 *cert AUTO_CERT = NULL;
    const char *why = NULL;
    if (x509_cert_parse(pem, &cert, &err) < 0) {
        require(*err.text && !cert);
        return;
    }
    require(check_fit(&id, cert, true, &err) == 0 || *err.text);
    require(check_ca("a", cert, 1800000000, &err) == 0 || *err.text);
    require(check_lasts(cert, cert, 1800000000, 1800000001, &err) == 0 || *err.text);
    require(chain_issued(cert, NULL, cert, &why) || why);
}

/* Several: as a file of the folder, and as one that is imported. */
static void try_bundle(const struct buffer *pem)
{
    const time_t at = 1800000000;
    struct error err = ERROR_INIT, why = ERROR_INIT;
    X509 *cert AUTO_CERT = NULL;
    struct certs between AUTO_CERTS = {0}, found AUTO_CERTS = {0};
    struct import_files files AUTO_IMPORT_FILES = {0};
    const char *text = NULL;
    if (chain_load(pem, &cert, &between, &err) < 0)
        require(*err.text && !cert && !between.count);
    else
        require(between.count < CHAIN_MAX && (chain_issued(cert, &between, cert, &text) || text));
    if (import_parse("f", pem, at, &files, &err) < 0)
        return;
    require(files.count > 0 && files.count <= IMPORT_CERTS_MAX);
    require(import_check_signers(&files, &err) == 0 || *err.text);
    X509 *first = files.items[0].cert, *last = files.items[files.count - 1].cert;
    require(chain_build(first, &files.cas, last, USAGE_CLIENT, at, &found, &why) == 0 || *why.text);
    import_use(&files, first);
    require(files.items[0].used);
}

static void try_encryption(const struct buffer *text)
{
    struct error err = ERROR_INIT;
    struct encryption e AUTO_ENCRYPTION = {0};
    if (encryption_parse(text->data, text->len, &e, &err) < 0) {
        require(*err.text != '\0');
        return;
    }
    require(e.count > 0 && e.count <= ENCRYPTION_KEYS_MAX && *e.kind);
    for (size_t i = 0; i < e.count; i++)
        require(e.keys[i].name && strlen(e.keys[i].secret) == 44);
}

static void try_token(const struct buffer *text)
{
    struct error err = ERROR_INIT;
    struct bootstrap_token token, again;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (bootstrap_token_parse(text->data, text->len, &token, &err) < 0)
        return;
    bootstrap_token_print(&token, &out);
    require(bootstrap_token_parse(out.data, out.len, &again, &err) == 0);
    require(strcmp(token.id, again.id) == 0 && strcmp(token.secret, again.secret) == 0);
}

/* No key is derived here: that takes long on purpose. */
static void try_cms(const struct buffer *pem)
{
    struct cms_text text AUTO_CMS_TEXT, again AUTO_CMS_TEXT = {.bytes.data = NULL};
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (cms_parse(pem, &text) < 0)
        return;
    require(text.how.rounds > 0 && text.how.rounds <= ROUNDS_MAX);
    require(text.how.salt_len > 0 && text.how.salt_len <= SALT_MAX);
    if (cms_print(&text, &out) < 0)
        return;
    require(cms_parse(&out, &again) == 0 && again.bytes.len == text.bytes.len);
    require(memcmp(again.wrapped, text.wrapped, CMS_WRAPPED) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_add(&text, data, size);
    if (!text.data)
        return 0;
    try_key(&text);
    try_cert(&text);
    try_bundle(&text);
    try_encryption(&text);
    try_token(&text);
    try_cms(&text);
    return 0;
}
