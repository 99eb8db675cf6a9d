#include "builder/pki/authority.h"

#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/chain.h"
#include "common/file.h"

static const char BEGIN[] = "-----BEGIN ";

static int check_date(const ASN1_TIME *from, time_t now, int wrong, const char *what,
                      struct error *err)
{
    struct tm tm = {0};
    char date[sizeof "9999-12-31"] = "?";
    int order = ASN1_TIME_cmp_time_t(from, now);
    if (order != wrong && order != -2)
        return 0;
    if (ASN1_TIME_to_tm(from, &tm))
        strftime(date, sizeof date, "%Y-%m-%d", &tm);
    return error_set(err, "%s %s", what, date);
}

static int check_dates(X509 *cert, time_t now, struct error *err)
{
    char name[200];
    if (check_date(X509_get0_notAfter(cert), now, -1, "expired on", err) == 0 &&
        check_date(X509_get0_notBefore(cert), now, 1, "is not valid before", err) == 0)
        return 0;
    X509_NAME_oneline(X509_get_subject_name(cert), name, sizeof name);
    return error_context(err, "the certificate of %s", name);
}

static bool has(const struct authorities *list, const char *pem)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].pem, pem) == 0)
            return true;
    return false;
}

/* Written anew: what stood around the block in the file stays behind. */
static int add(const struct buffer *block, time_t now, struct authorities *out, struct error *err)
{
    X509 *cert AUTO_CERT = NULL;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    int ok = 0;
    if (x509_cert_parse(block, &cert, err) < 0 || check_dates(cert, now, err) < 0 ||
        x509_cert_print(cert, &pem, err) < 0)
        return -1;
    unsigned long hash = X509_NAME_hash_ex(X509_get_subject_name(cert), NULL, NULL, &ok);
    if (!ok)
        return x509_error(err, "hash a certificate's subject");
    if (has(out, pem.data))
        return 0;
    *APPEND(out->items, out->count, out->cap) =
        (struct authority){heap_copy(pem.data), (uint32_t)hash};
    return 0;
}

int authorities_parse(const char *text, size_t len, time_t now, struct authorities *out,
                      struct error *err)
{
    bool any = false;
    if (memchr(text, '\0', len))
        return error_set(err, "not a PEM text");
    for (const char *at = text; (at = strstr(at, BEGIN)); any = true) {
        struct buffer block AUTO_BUFFER = buffer_heap();
        if (chain_block(at, &block, &at, err) < 0 || add(&block, now, out, err) < 0)
            return -1;
    }
    return any ? 0 : error_set(err, "holds no certificate in PEM form");
}

int authorities_read(const char *path, time_t now, struct authorities *out, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, path, AUTHORITIES_FILE_MAX, &text, err) < 0)
        return -1;
    return authorities_parse(text.data, text.len, now, out, err) < 0
               ? error_context(err, "%s", path)
               : 0;
}

void authorities_free(struct authorities *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].pem);
    free(list->items);
    *list = (struct authorities){0};
}
