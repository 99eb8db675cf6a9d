#include "builder/pki/check.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char renew[] = "remove it to have a new one issued for the same key";

int check_pair(const char *stem, X509 *cert, EVP_PKEY *key, struct error *err)
{
    const EVP_PKEY *of_cert = X509_get0_pubkey(cert);
    if (of_cert && EVP_PKEY_eq(of_cert, key) == 1)
        return 0;
    return error_set(err,
                     "%s.pem is not the certificate of %s-key.pem: put back the one of the two "
                     "that was replaced",
                     stem, stem);
}

static void date_text(const ASN1_TIME *time, char out[static 20])
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm) || strftime(out, 20, "%Y-%m-%d", &tm) == 0)
        strcpy(out, "an unknown date");
}

static int check_times(const char *stem, X509 *cert, time_t now, const char *advice,
                       struct error *err)
{
    char date[20];
    int begun = X509_cmp_time(X509_get0_notBefore(cert), &now);
    int ended = X509_cmp_time(X509_get0_notAfter(cert), &now);
    if (begun == 0 || ended == 0)
        return error_set(err, "%s.pem has unreadable dates: %s", stem, advice);
    if (begun > 0) {
        date_text(X509_get0_notBefore(cert), date);
        return error_set(err, "%s.pem is not valid before %s: set the clock, or %s", stem, date,
                         advice);
    }
    if (ended > 0)
        return 0;
    date_text(X509_get0_notAfter(cert), date);
    return error_set(err, "%s.pem expired on %s: %s", stem, date, advice);
}

int check_ca(X509 *ca, time_t now, struct error *err)
{
    if (X509_check_ca(ca) != 1 || !(X509_get_key_usage(ca) & KU_KEY_CERT_SIGN))
        return error_set(err, "ca.pem is not a certificate that may sign others: put the cluster's "
                              "CA there");
    return check_times("ca", ca, now,
                       "move the folder away to have a new CA, and all certificates, issued", err);
}

/* Exactly one such part, with this value: a second organization would be a second group. */
static bool name_has(const X509_NAME *name, int nid, const char *wanted)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return false;
    unsigned char *text = NULL;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    bool same = n >= 0 && (size_t)n == strlen(wanted) && memcmp(text, wanted, (size_t)n) == 0;
    OPENSSL_free(text);
    return same;
}

static bool names_san(X509 *cert, const struct san *san)
{
    if (san->is_ip)
        return X509_check_ip_asc(cert, san->value, 0) == 1;
    return X509_check_host(cert, san->value, 0,
                           X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           NULL) == 1;
}

static int check_names(const struct identity *id, X509 *cert, struct error *err)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    if (!name_has(name, NID_commonName, id->subject.cn))
        return error_set(err, "%s.pem has not the common name '%s': %s", id->stem, id->subject.cn,
                         renew);
    if (!name_has(name, NID_organizationName, id->subject.o))
        return error_set(err, "%s.pem has not the one organization '%s': %s", id->stem,
                         id->subject.o, renew);
    for (size_t i = 0; i < id->subject.san_count; i++)
        if (!names_san(cert, &id->subject.sans[i]))
            return error_set(err, "%s.pem is not issued for %s: %s", id->stem,
                             id->subject.sans[i].value, renew);
    return 0;
}

static void store_free_at(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static void context_free_at(X509_STORE_CTX **ctx)
{
    X509_STORE_CTX_free(*ctx);
}

/* The CA is trusted as it stands, also when it is an intermediate one. */
static int verify(X509 *cert, X509 *ca, time_t now, const char **why)
{
    X509_STORE *store __attribute__((cleanup(store_free_at))) = X509_STORE_new();
    X509_STORE_CTX *ctx __attribute__((cleanup(context_free_at))) = X509_STORE_CTX_new();
    *why = "OpenSSL cannot verify";
    if (!store || !ctx || !X509_STORE_add_cert(store, ca) ||
        !X509_STORE_CTX_init(ctx, store, cert, NULL))
        return -1;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, now);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
    if (X509_verify_cert(ctx) == 1)
        return 0;
    *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    return -1;
}

int check_cert(const struct identity *id, X509 *cert, X509 *ca, time_t now, struct error *err)
{
    const char *why;
    if (check_times(id->stem, cert, now, renew, err) < 0)
        return -1;
    if (verify(cert, ca, now, &why) < 0)
        return error_set(err,
                         "%s.pem does not verify against ca.pem (%s): put back the ca.pem that "
                         "issued it, or remove %s.pem to have a new one issued",
                         id->stem, why, id->stem);
    if (id->serves && X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0) != 1)
        return error_set(err, "%s.pem is not a server's certificate: %s", id->stem, renew);
    return check_names(id, cert, err);
}
