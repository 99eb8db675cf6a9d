#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/derive.h"
#include "builder/pki/seal.h"
#include "builder/pki/x509.h"

enum { IV = 16 };

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

enum seal_kind seal_kind_of(const char *name)
{
    if (ends_with(name, "-key.pem"))
        return SEAL_KEY;
    return ends_with(name, ".kubeconfig") || strcmp(name, "encryption-config.yaml") == 0 ||
                   strcmp(name, "bootstrap-token.yaml") == 0
               ? SEAL_TEXT
               : SEAL_NONE;
}

bool seal_is_encrypted(const struct buffer *pem)
{
    return pem->len && strstr(pem->data, "-----BEGIN " PEM_STRING_PKCS8 "-----");
}

int seal_refused(enum passphrase which, struct error *err)
{
    ERR_clear_error();
    return passphrase_given(which)
               ? error_set(err, "the passphrase does not open it")
               : error_set(err, "it is encrypted: give --passphrase-file or --passphrase-fd");
}

/* The parameters of PBES2 as nodebake writes it; -1 without an error: it is another's. */
static int read_pbes2(const X509_ALGOR *algorithm, struct derivation *how, unsigned char iv[IV])
{
    const ASN1_OBJECT *oid;
    int type, result = -1;
    const void *value;
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    PBE2PARAM *p = OBJ_obj2nid(oid) == NID_pbes2 && type == V_ASN1_SEQUENCE
                       ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter)
                       : NULL;
    if (!p)
        return -1;
    X509_ALGOR_get0(&oid, &type, &value, p->encryption);
    if (OBJ_obj2nid(oid) == NID_aes_256_cbc && type == V_ASN1_OCTET_STRING &&
        ASN1_STRING_length(value) == IV && derivation_read(p->keyfunc, how) == 0) {
        memcpy(iv, ASN1_STRING_get0_data(value), IV);
        result = 0;
    }
    PBE2PARAM_free(p);
    return result;
}

/* -1 without an error: the passphrase is wrong. */
static int decrypt_own(enum passphrase which, const X509_SIG *sealed, PKCS8_PRIV_KEY_INFO **out)
{
    const X509_ALGOR *algorithm;
    const ASN1_OCTET_STRING *bytes;
    const unsigned char *key, *der;
    unsigned char iv[IV];
    struct derivation how;
    struct buffer plain AUTO_BUFFER = buffer_heap();
    struct error ignored = ERROR_INIT;
    X509_SIG_get0(sealed, &algorithm, &bytes);
    if (read_pbes2(algorithm, &how, iv) < 0 ||
        derive(which, SEAL_FOR_KEYS, &how, &key, &ignored) < 0 ||
        derive_cbc(false, key, iv, ASN1_STRING_get0_data(bytes), (size_t)ASN1_STRING_length(bytes),
                   &plain) < 0)
        return -1;
    der = (const unsigned char *)plain.data;
    *out = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)plain.len);
    return *out ? 0 : -1;
}

static PKCS8_PRIV_KEY_INFO *decrypt(enum passphrase which, const X509_SIG *sealed)
{
    const X509_ALGOR *algorithm;
    unsigned char iv[IV];
    struct derivation how;
    size_t len;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    const char *text = passphrase_text(which, &len);
    X509_SIG_get0(sealed, &algorithm, NULL);
    if (read_pbes2(algorithm, &how, iv) == 0)
        return decrypt_own(which, sealed, &info) < 0 ? NULL : info;
    return PKCS8_decrypt(sealed, text, (int)len);
}

static X509_SIG *read_pem(const struct buffer *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    X509_SIG *sealed = bio ? PEM_read_bio_PKCS8(bio, NULL, NULL, NULL) : NULL;
    BIO_free_all(bio);
    return sealed;
}

int unseal_key(enum passphrase which, const struct buffer *pem, struct buffer *out,
               struct error *err)
{
    if (!passphrase_given(which))
        return seal_refused(which, err);
    X509_SIG *sealed = pem->len <= PEM_MAX ? read_pem(pem) : NULL;
    if (!sealed) {
        ERR_clear_error();
        return error_set(err, "not an encrypted private key in PEM form");
    }
    PKCS8_PRIV_KEY_INFO *info = decrypt(which, sealed);
    EVP_PKEY *key AUTO_KEY = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return key ? x509_key_print(key, out, err) : seal_refused(which, err);
}

static void add_bio(BIO *bio, struct buffer *out)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    buffer_add(out, bytes, (size_t)n);
}

static int print_pem(X509_SIG *sealed, struct buffer *out, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio && PEM_write_bio_PKCS8(bio, sealed);
    if (good)
        add_bio(bio, out);
    BIO_free_all(bio);
    return good ? 0 : x509_error(err, "write an encrypted key");
}

/* Encrypts the DER of a PKCS #8 key. */
static int encrypt(enum passphrase which, const unsigned char *der, size_t n, X509_SIG *sealed,
                   struct error *err)
{
    struct derivation how;
    struct buffer bytes AUTO_BUFFER = buffer_heap();
    unsigned char iv[IV];
    const unsigned char *key;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *content;
    if (derivation_own(which, SEAL_FOR_KEYS, &how, err) < 0 ||
        derive(which, SEAL_FOR_KEYS, &how, &key, err) < 0)
        return -1;
    if (RAND_bytes(iv, IV) != 1 || derive_cbc(true, key, iv, der, n, &bytes) < 0)
        return x509_error(err, "encrypt a key");
    X509_ALGOR *pbes2 =
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), how.rounds, how.salt, (int)how.salt_len, iv, how.prf);
    X509_SIG_getm(sealed, &algorithm, &content);
    bool good = pbes2 && X509_ALGOR_copy(algorithm, pbes2) &&
                ASN1_OCTET_STRING_set(content, (const unsigned char *)bytes.data, (int)bytes.len);
    X509_ALGOR_free(pbes2);
    return good ? 0 : x509_error(err, "encrypt a key");
}

int seal_key(enum passphrase which, const struct buffer *pem, struct buffer *out, struct error *err)
{
    EVP_PKEY *key AUTO_KEY = NULL;
    unsigned char *der = NULL;
    if (x509_key_parse(pem, &key, err) < 0)
        return -1;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG *sealed = X509_SIG_new();
    int result = n > 0 && sealed ? encrypt(which, der, (size_t)n, sealed, err)
                                 : x509_error(err, "encrypt a key");
    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    if (result == 0)
        result = print_pem(sealed, out, err);
    X509_SIG_free(sealed);
    return result;
}
