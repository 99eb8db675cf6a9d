#include "builder/pki/ca.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "builder/pki/check.h"

static int make_key(enum ca_state state, enum key_type type, struct ca *out, struct error *err)
{
    out->state = state;
    return x509_key_new(type, &out->key, err);
}

static void take_key(const struct holding *h, struct ca *out)
{
    if (h->key && EVP_PKEY_up_ref(h->key))
        out->key = h->key;
}

static void take_cert(const struct holding *h, struct ca *out)
{
    if (X509_up_ref(h->cert))
        out->cert = h->cert;
}

static int keep(const struct identity *id, const struct holding *h, time_t now, struct ca *out,
                struct error *err)
{
    out->state = CA_KEPT;
    take_cert(h, out);
    take_key(h, out);
    if (check_ca(id->stem, h->cert, now, err) < 0)
        return -1;
    return h->key ? check_pair(id->stem, h->cert, h->key, err) : 0;
}

int ca_prepare(const struct identity *id, const struct holding *h, const struct ca_options *options,
               struct ca *out, struct error *err)
{
    *out = (struct ca){.state = CA_ABSENT};
    if (*h->fault.text)
        return error_set(err, "%s", h->fault.text);
    bool replace = options->replace && (h->cert || h->key);
    if (!replace && h->cert)
        return keep(id, h, options->now, out, err);
    if (!options->make)
        return 0;
    if (!replace && h->key) {
        out->state = CA_RENEWED;
        take_key(h, out);
    } else if (make_key(replace ? CA_REPLACED : CA_NEW, options->key, out, err) < 0) {
        return -1;
    }
    return x509_issue(&id->subject, out->key, NULL, options->now, &out->cert, err);
}

void ca_free(struct ca *ca)
{
    x509_cert_free_at(&ca->cert);
    x509_key_free_at(&ca->key);
}
