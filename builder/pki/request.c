/* Requests for certificates: what x509_issue would write, for another to sign. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "builder/pki/extensions.h"

static void request_free_at(X509_REQ **request)
{
    X509_REQ_free(*request);
}

static void bio_free_at(BIO **bio)
{
    BIO_free_all(*bio);
}

static bool fill(X509_REQ *request, const struct subject *s, EVP_PKEY *key)
{
    STACK_OF(X509_EXTENSION) *list AUTO_EXTENSIONS = NULL;
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, NULL, NULL, request, NULL, 0);
    return X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
           subject_name(s, X509_REQ_get_subject_name(request)) &&
           X509_REQ_set_pubkey(request, key) && subject_usages(s, key, &ctx, &list) &&
           subject_sans(s, &list) && X509_REQ_add_extensions(request, list) &&
           X509_REQ_sign(request, key, x509_digest(key));
}

int x509_request(const struct subject *subject, EVP_PKEY *key, struct buffer *out,
                 struct error *err)
{
    X509_REQ *request __attribute__((cleanup(request_free_at))) = X509_REQ_new();
    BIO *bio __attribute__((cleanup(bio_free_at))) = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    if (!request || !bio || !fill(request, subject, key) || !PEM_write_bio_X509_REQ(bio, request))
        return x509_error(err, "make a request");
    long n = BIO_get_mem_data(bio, &bytes);
    buffer_add(out, bytes, n > 0 ? (size_t)n : 0);
    return 0;
}
