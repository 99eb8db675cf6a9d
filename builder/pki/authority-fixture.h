/* For tests: certificates of authorities, as PEM texts. */
#ifndef NB_BUILDER_AUTHORITY_FIXTURE_H
#define NB_BUILDER_AUTHORITY_FIXTURE_H

#include <openssl/x509.h>
#include <time.h>

#include "builder/image/disk-fixture.h"
#include "builder/pki/x509.h"

/* Appends a certificate that is valid for ten years from `begin`, with a new key; its key, too,
 * when `key` is not NULL. */
static inline void make_authority(const char *cn, time_t begin, struct buffer *out,
                                  struct buffer *key)
{
    struct error err = ERROR_INIT;
    EVP_PKEY *own AUTO_KEY = NULL;
    X509 *cert AUTO_CERT = NULL;
    const struct subject subject = {.cn = (char *)cn,
                                    .o = (char *)"Corp",
                                    .ou = (char *)"CA",
                                    .ca = true,
                                    .hours = CA_VALIDITY_HOURS};
    expect(x509_key_new(KEY_RSA_2048, &own, &err), &err);
    expect(x509_issue(&subject, own, NULL, begin, &cert, &err), &err);
    expect(x509_cert_print(cert, out, &err), &err);
    if (key)
        expect(x509_key_print(own, key, &err), &err);
}

#endif
