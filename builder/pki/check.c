#include "builder/pki/check.h"

#include <arpa/inet.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* The release's day, whenever it was compiled: the same sources give the same program. A clock that
 * was never set, or whose battery is empty, is years off; a year is left for one that is held back
 * on purpose. */
#define YEAR (365L * 24 * 60 * 60)
static const time_t EARLIEST = NODEBAKE_RELEASED - YEAR, LATEST = NODEBAKE_RELEASED + 30 * YEAR;

static void time_text(time_t time, char out[static 20])
{
    struct tm tm;
    if (!gmtime_r(&time, &tm) || strftime(out, 20, "%Y-%m-%d", &tm) == 0)
        strcpy(out, "an unknown date");
}

int check_clock(time_t now, struct error *err)
{
    char date[20];
    if (now >= EARLIEST && now < LATEST)
        return 0;
    time_text(now, date);
    return error_set(err, "the clock says %s, which cannot be: set it", date);
}

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

int check_begun(const char *stem, X509 *cert, time_t now, struct error *err)
{
    char date[20];
    int begun = X509_cmp_time(X509_get0_notBefore(cert), &now);
    if (begun == 0 || X509_cmp_time(X509_get0_notAfter(cert), &now) == 0)
        return error_set(err, "%s.pem has unreadable dates: put another one there", stem);
    if (begun < 0)
        return 0;
    date_text(X509_get0_notBefore(cert), date);
    return error_set(err, "%s.pem is not valid before %s: set the clock, or put another one there",
                     stem, date);
}

int check_ca(const char *stem, X509 *ca, time_t now, struct error *err)
{
    char date[20];
    if (X509_check_ca(ca) != 1 || !(X509_get_key_usage(ca) & KU_KEY_CERT_SIGN))
        return error_set(err,
                         "%s.pem is not a certificate that may sign others: put the cluster's "
                         "CA there",
                         stem);
    if (check_begun(stem, ca, now, err) < 0)
        return -1;
    if (X509_cmp_time(X509_get0_notAfter(ca), &now) > 0)
        return 0;
    date_text(X509_get0_notAfter(ca), date);
    return error_set(err,
                     "%s.pem expired on %s: `nodebake pki --new-ca` makes a new CA and issues all "
                     "certificates anew",
                     stem, date);
}

int check_lasts(X509 *cert, X509 *ca, time_t now, time_t until, struct error *why)
{
    char date[20];
    const ASN1_TIME *end = X509_get0_notAfter(cert);
    date_text(end, date);
    if (X509_cmp_time(end, &now) <= 0)
        return error_set(why, "it expired on %s", date);
    /* One that ends with its CA could not be issued for longer. */
    if (X509_cmp_time(end, &until) <= 0 && ASN1_TIME_compare(end, X509_get0_notAfter(ca)) < 0)
        return error_set(why, "it ends on %s", date);
    return 0;
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

/* The bytes that a certificate has for the name. */
static size_t san_bytes(const struct san *san, struct in_addr *ip, const unsigned char **bytes)
{
    if (!san->is_ip) {
        *bytes = (const unsigned char *)san->value;
        return strlen(san->value);
    }
    *bytes = (const unsigned char *)ip;
    return inet_pton(AF_INET, san->value, ip) == 1 ? sizeof *ip : 0;
}

static bool same_name(const GENERAL_NAME *name, int kind, const unsigned char *bytes, size_t n)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    return type == kind && (size_t)ASN1_STRING_length(value) == n &&
           memcmp(ASN1_STRING_get0_data(value), bytes, n) == 0;
}

static bool has_name(const GENERAL_NAMES *names, int kind, const unsigned char *bytes, size_t n)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (same_name(sk_GENERAL_NAME_value(names, i), kind, bytes, n))
            return true;
    return false;
}

static int check_san(const struct san *san, const GENERAL_NAMES *names, struct error *why)
{
    struct in_addr ip;
    const unsigned char *bytes;
    size_t n = san_bytes(san, &ip, &bytes);
    if (has_name(names, san->is_ip ? GEN_IPADD : GEN_DNS, bytes, n))
        return 0;
    if (has_name(names, GEN_DNS, (const unsigned char *)san->value, strlen(san->value)))
        return error_set(why, "it has %s as a DNS name, not as an address", san->value);
    return error_set(why, "%s is not among its names", san->value);
}

static bool is_wanted(const struct subject *s, const GENERAL_NAME *name)
{
    struct in_addr ip;
    const unsigned char *bytes;
    for (size_t i = 0; i < s->san_count; i++) {
        size_t n = san_bytes(&s->sans[i], &ip, &bytes);
        if (same_name(name, s->sans[i].is_ip ? GEN_IPADD : GEN_DNS, bytes, n))
            return true;
    }
    return false;
}

static int name_error(const GENERAL_NAME *name, struct error *why)
{
    int type;
    char text[INET_ADDRSTRLEN] = "another address";
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_IPADD && ASN1_STRING_length(value) == sizeof(struct in_addr))
        inet_ntop(AF_INET, ASN1_STRING_get0_data(value), text, sizeof text);
    if (type == GEN_IPADD)
        return error_set(why, "%s is among its names, and not in the cluster file", text);
    return error_set(why, "'%.*s' is among its names, and not in the cluster file",
                     ASN1_STRING_length(value), (const char *)ASN1_STRING_get0_data(value));
}

static int check_extra(const struct subject *s, const GENERAL_NAMES *names, struct error *why)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        (void)GENERAL_NAME_get0_value(name, &type);
        if ((type == GEN_DNS || type == GEN_IPADD) && !is_wanted(s, name))
            return name_error(name, why);
    }
    return 0;
}

static void names_free_at(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static int check_sans(const struct identity *id, X509 *cert, struct error *why)
{
    GENERAL_NAMES *names __attribute__((cleanup(names_free_at))) =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (size_t i = 0; i < id->subject.san_count; i++)
        if (check_san(&id->subject.sans[i], names, why) < 0)
            return -1;
    return id->closed ? check_extra(&id->subject, names, why) : 0;
}

static int check_asked(const struct pki_subject *asked, const X509_NAME *name, struct error *why)
{
    const struct {
        int nid;
        const char *what, *value;
    } parts[] = {
        {NID_countryName, "country", asked->country},
        {NID_stateOrProvinceName, "state", asked->state},
        {NID_localityName, "locality", asked->locality},
        {NID_organizationalUnitName, "unit", asked->unit},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].value && !name_has(name, parts[i].nid, parts[i].value))
            return error_set(why, "its %s is not '%s'", parts[i].what, parts[i].value);
    return 0;
}

static int check_usages(const struct subject *s, X509 *cert, struct error *why)
{
    uint32_t usages = X509_get_extended_key_usage(cert);
    if (s->usages & USAGE_SERVER && !(usages & XKU_SSL_SERVER))
        return error_set(why, "it is not a server's certificate");
    if (s->usages & USAGE_CLIENT && !(usages & XKU_SSL_CLIENT))
        return error_set(why, "it is not a client's certificate");
    if (!(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
        return error_set(why, "its key may not sign");
    return 0;
}

int check_fit(const struct identity *id, X509 *cert, bool whole, struct error *why)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    if (!name_has(name, NID_commonName, id->subject.cn))
        return error_set(why, "its common name is not '%s'", id->subject.cn);
    if (!name_has(name, NID_organizationName, id->subject.o))
        return error_set(why, "its one organization is not '%s'", id->subject.o);
    if (whole && check_asked(id->asked, name, why) < 0)
        return -1;
    return check_usages(&id->subject, cert, why) < 0 ? -1 : check_sans(id, cert, why);
}
