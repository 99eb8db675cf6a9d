#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/rsa.h"
#include "builder/pki/x509.h"

int x509_error(struct error *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? error_set(err, "%s: %s", what, reason) : error_set(err, "%s", what);
}

void x509_key_free_at(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

void x509_cert_free_at(X509 **cert)
{
    X509_free(*cert);
}

static void bio_free_at(BIO **bio)
{
    BIO_free_all(*bio);
}
#define AUTO_BIO __attribute__((cleanup(bio_free_at)))

int x509_key_new(enum key_type type, EVP_PKEY **out, struct error *err)
{
    static const int bits[] = {[KEY_RSA_2048] = 2048, [KEY_RSA_3072] = 3072, [KEY_RSA_4096] = 4096};
    if (type != KEY_ECDSA_P256)
        return rsa_key_new(bits[type], out, err);
    *out = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return *out ? 0 : x509_error(err, "generate a key");
}

/* Instead of OpenSSL's own question on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static size_t count_blocks(const struct buffer *pem)
{
    static const char begin[] = "-----BEGIN ";
    size_t n = 0;
    for (const char *at = pem->data; (at = strstr(at, begin)) != NULL; at += strlen(begin))
        n++;
    return n;
}

/* More than one block leaves open which is meant; other tools would take another one. */
static int check_blocks(const struct buffer *pem, const char *wanted, struct error *err)
{
    size_t n = count_blocks(pem);
    if (pem->len > PEM_MAX || strlen(pem->data) != pem->len)
        return error_set(err, "not a PEM text");
    return n == 1 ? 0 : error_set(err, "%zu PEM blocks; one %s is wanted", n, wanted);
}

int x509_key_parse(const struct buffer *pem, EVP_PKEY **out, struct error *err)
{
    bool asked = false;
    if (check_blocks(pem, "private key", err) < 0)
        return -1;
    BIO *bio AUTO_BIO = BIO_new_mem_buf(pem->data, (int)pem->len);
    *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
    if (*out)
        return 0;
    /* OpenSSL's own reason names the last decoder that it tried. */
    ERR_clear_error();
    return error_set(err, asked ? "protected by a passphrase; nodebake needs the key without one"
                                : "not a private key in PEM form");
}

int x509_cert_parse(const struct buffer *pem, X509 **out, struct error *err)
{
    bool asked = false;
    if (check_blocks(pem, "certificate", err) < 0)
        return -1;
    BIO *bio AUTO_BIO = BIO_new_mem_buf(pem->data, (int)pem->len);
    *out = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, &asked) : NULL;
    ERR_clear_error();
    return *out ? 0 : error_set(err, "not a certificate in PEM form");
}

/* The memory of the BIO is wiped when it is freed. */
static int append_bio(BIO *bio, struct buffer *out, struct error *err)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    if (n <= 0)
        return x509_error(err, "write PEM");
    buffer_add(out, bytes, (size_t)n);
    return 0;
}

int x509_key_print(EVP_PKEY *key, struct buffer *out, struct error *err)
{
    BIO *bio AUTO_BIO = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        return x509_error(err, "write a private key");
    return append_bio(bio, out, err);
}

int x509_cert_print(X509 *cert, struct buffer *out, struct error *err)
{
    BIO *bio AUTO_BIO = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio_X509(bio, cert))
        return x509_error(err, "write a certificate");
    return append_bio(bio, out, err);
}
