#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/cms.h"
#include "builder/pki/seal.h"
#include "builder/pki/x509.h"

/* RFC 3211: a count, the complement of the key's first bytes, the key, and random bytes up to whole
 * blocks, encrypted twice, the second time with the last block of the first as its IV. */
enum { BLOCK = 16, CHECK = 3, KEY_AT = 1 + CHECK };

static bool run(EVP_CIPHER_CTX *ctx, unsigned char *to, const unsigned char *from, int n)
{
    int done;
    return EVP_CipherUpdate(ctx, to, &done, from, n) && done == n;
}

static EVP_CIPHER_CTX *cipher(const unsigned char *key, const unsigned char *iv, bool encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) &&
        EVP_CIPHER_CTX_set_padding(ctx, 0))
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static bool wrap(const unsigned char *with, const unsigned char key[DERIVED_KEY],
                 struct cms_text *text)
{
    unsigned char *plain = text->wrapped; /* in place */
    EVP_CIPHER_CTX *ctx = cipher(with, text->wrap_iv, true);
    if (!ctx)
        return false;
    plain[0] = DERIVED_KEY;
    for (int i = 0; i < CHECK; i++)
        plain[1 + i] = key[i] ^ 0xff;
    memcpy(plain + KEY_AT, key, DERIVED_KEY);
    bool good = RAND_bytes(plain + KEY_AT + DERIVED_KEY, CMS_WRAPPED - KEY_AT - DERIVED_KEY) == 1 &&
                run(ctx, plain, plain, CMS_WRAPPED) && run(ctx, plain, plain, CMS_WRAPPED);
    EVP_CIPHER_CTX_free(ctx);
    if (!good)
        OPENSSL_cleanse(plain, CMS_WRAPPED);
    return good;
}

/* The last block, decrypted with the one before it, is the IV of the outer encryption. */
static bool unwrap_in(EVP_CIPHER_CTX *ctx, const struct cms_text *text, const unsigned char *with,
                      unsigned char plain[CMS_WRAPPED])
{
    const unsigned char *in = text->wrapped;
    const int rest = CMS_WRAPPED - BLOCK;
    unsigned char none[BLOCK];
    bool good = run(ctx, plain + rest - BLOCK, in + rest - BLOCK, 2 * BLOCK) &&
                run(ctx, none, plain + rest, BLOCK) && run(ctx, plain, in, rest) &&
                EVP_CipherInit_ex(ctx, NULL, NULL, with, text->wrap_iv, 0) &&
                run(ctx, plain, plain, CMS_WRAPPED);
    OPENSSL_cleanse(none, sizeof none);
    return good;
}

static bool unwrap(const unsigned char *with, const struct cms_text *text,
                   unsigned char key[DERIVED_KEY])
{
    unsigned char plain[CMS_WRAPPED];
    EVP_CIPHER_CTX *ctx = cipher(with, text->wrap_iv, false);
    bool good = ctx && unwrap_in(ctx, text, with, plain) && plain[0] == DERIVED_KEY;
    for (int i = 0; good && i < CHECK; i++)
        good = plain[1 + i] == (plain[KEY_AT + i] ^ 0xff);
    if (good)
        memcpy(key, plain + KEY_AT, DERIVED_KEY);
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(plain, sizeof plain);
    return good;
}

int seal_text(enum passphrase which, const struct buffer *text, struct buffer *out,
              struct error *err)
{
    struct cms_text cms AUTO_CMS_TEXT = {.bytes = buffer_heap()};
    unsigned char key[DERIVED_KEY];
    const unsigned char *with;
    if (derivation_own(which, SEAL_FOR_TEXTS, &cms.how, err) < 0 ||
        derive(which, SEAL_FOR_TEXTS, &cms.how, &with, err) < 0)
        return -1;
    bool good = RAND_bytes(key, sizeof key) == 1 && RAND_bytes(cms.iv, CMS_IV) == 1 &&
                RAND_bytes(cms.wrap_iv, CMS_IV) == 1 && wrap(with, key, &cms) &&
                derive_cbc(true, key, cms.iv, text->data, text->len, &cms.bytes) == 0;
    OPENSSL_cleanse(key, sizeof key);
    return good && cms_print(&cms, out) == 0 ? 0 : x509_error(err, "encrypt a text");
}

int unseal_text(enum passphrase which, const struct buffer *sealed, struct buffer *out,
                struct error *err)
{
    struct cms_text cms AUTO_CMS_TEXT = {.bytes.data = NULL};
    unsigned char key[DERIVED_KEY];
    const unsigned char *with;
    if (!passphrase_given(which))
        return seal_refused(which, err);
    if (cms_parse(sealed, &cms) < 0)
        return error_set(err, "not a CMS text in PEM form for a passphrase (PBKDF2, AES-256-CBC)");
    if (derive(which, SEAL_FOR_TEXTS, &cms.how, &with, err) < 0)
        return -1;
    bool good = unwrap(with, &cms, key) &&
                derive_cbc(false, key, cms.iv, cms.bytes.data, cms.bytes.len, out) == 0;
    OPENSSL_cleanse(key, sizeof key);
    return good ? 0 : seal_refused(which, err);
}
