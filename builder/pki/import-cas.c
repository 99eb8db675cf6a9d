#include "builder/pki/import-cas.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/pki/check.h"
#include "builder/pki/folder.h"

static bool has_key(X509 *cert, const EVP_PKEY *key)
{
    return key && EVP_PKEY_eq(X509_get0_pubkey(cert), key) == 1;
}

size_t import_holder(const struct pki_work *w, X509 *cert)
{
    struct error ignored;
    size_t found = w->ids.count;
    for (size_t i = 0; i < w->ids.count; i++) {
        if (!has_key(cert, w->holdings[i].key))
            continue;
        found = i;
        if (check_fit(&w->ids.items[i], cert, false, &ignored) == 0)
            break;
    }
    return found;
}

static struct import_cert *by_key(const struct import_files *files, const EVP_PKEY *key)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].alone && has_key(files->items[i].cert, key))
            return &files->items[i];
    return NULL;
}

/* It signed no other CA that could be meant. */
static bool is_lowest(const struct import_files *files, const struct import_cert *ca)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct import_cert *other = &files->items[i];
        if (other != ca && other->alone && chain_signed(other->cert, ca->cert))
            return false;
    }
    return true;
}

/* Did it issue all that is imported for CA i, and anything at all? */
static bool issued_all(const struct pki_work *w, const struct import_files *files, size_t i,
                       X509 *ca)
{
    const char *ignored;
    bool any = false;
    for (size_t k = 0; k < files->count; k++) {
        size_t holder = files->items[k].ca ? w->ids.count : import_holder(w, files->items[k].cert);
        if (holder == w->ids.count || w->ids.items[holder].issuer != i)
            continue;
        if (!chain_issued(files->items[k].cert, &files->cas, ca, &ignored))
            return false;
        any = true;
    }
    return any;
}

static int by_place(const struct pki_work *w, const struct import_files *files, size_t i,
                    struct import_cert **out, struct error *err)
{
    const char *stem = w->ids.items[i].stem;
    for (size_t k = 0; k < files->count; k++) {
        struct import_cert *ca = &files->items[k];
        if (!ca->alone || !is_lowest(files, ca) ||
            (w->ids.ca_count > 1 && !issued_all(w, files, i, ca->cert)))
            continue;
        if (*out)
            return error_set(err,
                             "%s: %s and %s: %s: both could be %s.pem: import one of the two only",
                             (*out)->file, (*out)->name, ca->file, ca->name, stem);
        *out = ca;
    }
    return 0;
}

static int take(struct pki_work *w, size_t i, const struct import_ca *ca, struct error *err)
{
    struct holding *h = &w->holdings[i];
    X509 *cert = ca->from->cert;
    if (check_ca(w->ids.items[i].stem, cert, w->now, err) < 0)
        return error_context(err, "%s", ca->from->file);
    if (ca->replaces) {
        x509_cert_free_at(&h->old);
        h->old = steal(h->cert);
    }
    if (!X509_up_ref(cert) || holding_set_cert(h, cert, err) < 0)
        return -1;
    w->cas[i] = (struct ca){.state = CA_KEPT};
    if (X509_up_ref(cert))
        w->cas[i].cert = cert;
    if (ca->own_key && EVP_PKEY_up_ref(h->key))
        w->cas[i].key = h->key;
    return 0;
}

static int choose(struct pki_work *w, const struct import_files *files, size_t i, bool new_ca,
                  struct import_ca *out, struct error *err)
{
    const struct holding *h = &w->holdings[i];
    const struct ca_options keep = {.now = w->now};
    if (*h->fault.text)
        return error_set(err, "%s", h->fault.text);
    struct import_cert *from = by_key(files, h->key);
    if (!from && (new_ca || (!h->key && !h->cert)) && by_place(w, files, i, &from, err) < 0)
        return -1;
    if (!from || (h->cert && (!new_ca || X509_cmp(h->cert, from->cert) == 0)))
        return ca_prepare(&w->ids.items[i], h, &keep, &w->cas[i], err);
    *out = (struct import_ca){from, h->cert != NULL, has_key(from->cert, h->key)};
    return take(w, i, out, err);
}

int import_cas_choose(struct pki_work *w, const struct import_files *files, bool new_ca,
                      struct import_ca *out, struct error *err)
{
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (choose(w, files, i, new_ca, &out[i], err) < 0)
            return -1;
    return 0;
}

static int write_as(const struct pki_work *w, const char *name, bool secret,
                    const struct buffer *bytes, unsigned *written, struct error *err)
{
    if (folder_write(w->folder, name, secret, bytes, err) < 0)
        return -1;
    ++*written;
    return 0;
}

/* In this order a run that is cut leaves the old CA, perhaps without its key, or the new one. */
int import_ca_write(const struct pki_work *w, size_t i, const struct import_ca *ca,
                    unsigned *written, struct error *err)
{
    const struct holding *h = &w->holdings[i];
    const char *stem = w->ids.items[i].stem;
    char *name AUTO_FREE = heap_printf("%s.pem", stem);
    char *key AUTO_FREE = heap_printf("%s-key.pem", stem);
    char *old AUTO_FREE = heap_printf("%s-old.pem", stem);
    char *old_key AUTO_FREE = heap_printf("%s-old-key.pem", stem);
    struct buffer old_pem AUTO_BUFFER = buffer_heap();
    if (h->key && !ca->own_key && write_as(w, old_key, true, &h->key_pem, written, err) < 0)
        return -1;
    if (ca->replaces && (x509_cert_print(h->old, &old_pem, err) < 0 ||
                         write_as(w, old, false, &old_pem, written, err) < 0))
        return -1;
    if (h->key && !ca->own_key && unlinkat(w->folder, key, 0) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", key);
    return write_as(w, name, false, &h->cert_pem, written, err);
}
