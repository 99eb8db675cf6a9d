#include "builder/pki/import-files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "builder/heap.h"
#include "common/file.h"

/* RSA of 2048 bits. */
enum { SECURITY_BITS = 112 };

static int check_date(const ASN1_TIME *end, time_t now, bool last, struct error *err)
{
    struct tm tm = {0};
    char date[20] = "an unknown date";
    int order = ASN1_TIME_cmp_time_t(end, now);
    if (order != -2 && (last ? order > 0 : order <= 0))
        return 0;
    if (ASN1_TIME_to_tm(end, &tm))
        strftime(date, sizeof date, "%Y-%m-%d", &tm);
    return error_set(err, "%s %s", last ? "it expired on" : "it is not valid before", date);
}

static int check_cert(X509 *cert, time_t now, struct error *err)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    if (check_date(X509_get0_notBefore(cert), now, false, err) < 0 ||
        check_date(X509_get0_notAfter(cert), now, true, err) < 0)
        return -1;
    if (!key)
        return error_set(err, "its key is of no kind that OpenSSL knows");
    if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
        return error_set(err, "its key of %d bits is too weak", EVP_PKEY_get_bits(key));
    int ca = X509_check_ca(cert);
    if (ca && (ca != 1 || !(X509_get_key_usage(cert) & KU_KEY_CERT_SIGN)))
        return error_set(err,
                         "it is half a CA's: one that may sign others has CA:TRUE and keyCertSign");
    return 0;
}

static struct import_cert *find(const struct import_files *files, X509 *cert)
{
    for (size_t i = 0; i < files->count; i++)
        if (X509_cmp(files->items[i].cert, cert) == 0)
            return &files->items[i];
    return NULL;
}

static char *name_of(const X509 *cert)
{
    char text[300];
    X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof text);
    return heap_copy(text);
}

static int add(const char *file, X509 *cert, bool alone, time_t now, struct import_files *out,
               struct error *err)
{
    struct import_cert *twin = find(out, cert);
    char *name AUTO_FREE = name_of(cert);
    if (check_cert(cert, now, err) < 0)
        return error_context(err, "the certificate of %s", name);
    if (twin && !twin->ca)
        return error_set(err, "the certificate of %s is in %s already", name, twin->file);
    if (twin) {
        twin->alone |= alone;
        return 0;
    }
    bool ca = X509_check_ca(cert) == 1;
    if (ca)
        certs_add(&out->cas, cert);
    if (X509_up_ref(cert))
        *APPEND(out->items, out->count, out->cap) = (struct import_cert){
            .cert = cert, .file = file, .name = steal(name), .ca = ca, .alone = alone};
    return 0;
}

int import_parse(const char *file, const struct buffer *text, time_t now, struct import_files *out,
                 struct error *err)
{
    struct certs certs AUTO_CERTS = {0};
    bool alone = true;
    if (chain_parse(text, IMPORT_CERTS_MAX, &certs, err) < 0)
        return error_context(err, "%s", file);
    for (size_t i = 0; i < certs.count; i++)
        alone = alone && X509_check_ca(certs.items[i]);
    for (size_t i = 0; i < certs.count; i++)
        if (add(file, certs.items[i], alone, now, out, err) < 0)
            return error_context(err, "%s", file);
    return 0;
}

int import_read(const struct texts *paths, time_t now, struct import_files *out, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct buffer text AUTO_BUFFER = buffer_heap();
        if (file_read(AT_FDCWD, paths->items[i], IMPORT_FILE_MAX, &text, err) < 0 ||
            import_parse(paths->items[i], &text, now, out, err) < 0)
            return -1;
    }
    return import_check_signers(out, err);
}

int import_check_signers(const struct import_files *files, struct error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct import_cert *by = &files->items[i];
        for (size_t k = 0; !by->ca && k < files->count; k++)
            if (k != i && chain_signed(files->items[k].cert, by->cert))
                return error_set(err,
                                 "%s: the certificate of %s signed that of %s, and may not: a "
                                 "CA's has CA:TRUE and keyCertSign",
                                 by->file, by->name, files->items[k].name);
    }
    return 0;
}

void import_use(struct import_files *files, X509 *cert)
{
    struct import_cert *own = find(files, cert);
    if (own && own->used)
        return;
    if (own)
        own->used = true;
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].ca && !files->items[i].used && chain_signed(cert, files->items[i].cert))
            import_use(files, files->items[i].cert);
}

void import_files_free(struct import_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        X509_free(files->items[i].cert);
        free(files->items[i].name);
    }
    free(files->items);
    certs_free(&files->cas);
    *files = (struct import_files){0};
}
