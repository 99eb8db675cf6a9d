#include "builder/pki/extensions.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

void extensions_free_at(STACK_OF(X509_EXTENSION) * *list)
{
    sk_X509_EXTENSION_pop_free(*list, X509_EXTENSION_free);
}

static void names_free_at(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

/* The order in which `openssl x509` users expect the parts. C is a PrintableString by its
 * definition, all others are UTF8Strings. */
bool subject_name(const struct subject *s, X509_NAME *name)
{
    const struct {
        int nid;
        const char *value;
    } parts[] = {
        {NID_countryName, s->country},       {NID_stateOrProvinceName, s->state},
        {NID_localityName, s->locality},     {NID_organizationName, s->o},
        {NID_organizationalUnitName, s->ou}, {NID_commonName, s->cn},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        int type = parts[i].nid == NID_countryName ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
        if (parts[i].value &&
            !X509_NAME_add_entry_by_NID(name, parts[i].nid, type,
                                        (const unsigned char *)parts[i].value, -1, -1, 0))
            return false;
    }
    return true;
}

bool extension_add(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);
    bool ok = ext && X509v3_add_ext(list, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

static bool push_san(GENERAL_NAMES *names, const struct san *san)
{
    struct in_addr ip;
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = san->is_ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    bool ok = name && value;
    if (ok && san->is_ip)
        ok = inet_pton(AF_INET, san->value, &ip) == 1 && ASN1_STRING_set(value, &ip, sizeof ip);
    else if (ok)
        ok = ASN1_STRING_set(value, san->value, -1);
    if (ok)
        GENERAL_NAME_set0_value(name, san->is_ip ? GEN_IPADD : GEN_DNS, value);
    else
        ASN1_STRING_free(value);
    if (ok && sk_GENERAL_NAME_push(names, name))
        return true;
    GENERAL_NAME_free(name);
    return false;
}

/* Built part by part: a text for OpenSSL's parser would give commas in names a meaning. */
bool subject_sans(const struct subject *s, STACK_OF(X509_EXTENSION) * *list)
{
    GENERAL_NAMES *names __attribute__((cleanup(names_free_at))) = GENERAL_NAMES_new();
    for (size_t i = 0; i < s->san_count; i++)
        if (!names || !push_san(names, &s->sans[i]))
            return false;
    return s->san_count == 0 ||
           X509V3_add1_i2d(list, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1;
}

static const char *constraints(const struct subject *s)
{
    if (!s->ca)
        return "critical,CA:FALSE";
    return s->last_ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE";
}

/* Only an RSA key can take part in a key exchange by itself. */
static const char *key_usage(const struct subject *s, const EVP_PKEY *key)
{
    if (s->ca)
        return "critical,keyCertSign,cRLSign";
    return EVP_PKEY_is_a(key, "RSA") ? "critical,digitalSignature,keyEncipherment"
                                     : "critical,digitalSignature";
}

bool subject_usages(const struct subject *s, const EVP_PKEY *key, X509V3_CTX *ctx,
                    STACK_OF(X509_EXTENSION) * *list)
{
    static const char *const texts[] = {[USAGE_SERVER] = "serverAuth",
                                        [USAGE_CLIENT] = "clientAuth",
                                        [USAGE_SERVER | USAGE_CLIENT] = "serverAuth,clientAuth"};
    return extension_add(list, ctx, NID_basic_constraints, constraints(s)) &&
           extension_add(list, ctx, NID_key_usage, key_usage(s, key)) &&
           (!s->usages || extension_add(list, ctx, NID_ext_key_usage, texts[s->usages]));
}
