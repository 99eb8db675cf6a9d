/* Certificates that a CA elsewhere issued are taken into the folder: all of them or none. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/check.h"
#include "builder/pki/folder.h"
#include "builder/pki/import-cas.h"
#include "builder/pki/pki.h"

struct import {
    struct pki_work *w;
    struct import_files files;
    struct import_ca *cas;      /* one for each CA */
    struct import_cert **taken; /* for each identity: what is written, or NULL */
    struct import_cert **seen;  /* the same with what is there already */
};

static int find_holder(const struct import *m, const struct import_cert *c, size_t *out,
                       struct error *err)
{
    size_t i = *out = import_holder(m->w, c->cert);
    if (i == m->w->ids.count)
        return error_set(err,
                         "no key in the folder is its key: `nodebake pki csr` makes keys and the "
                         "requests for them");
    const char *stem = m->w->ids.items[i].stem;
    if (i < m->w->ids.ca_count)
        return error_set(err,
                         "it belongs to %s-key.pem, and may not sign others: a CA's has CA:TRUE "
                         "and keyCertSign",
                         stem);
    if (m->seen[i])
        return error_set(err, "%s is for %s, too: import one of the two only", m->seen[i]->file,
                         stem);
    return 0;
}

/* An older answer must not take the place of a newer one. */
static int check_newer(const struct pki_work *w, size_t i, const X509 *cert, struct error *err)
{
    const struct holding *h = &w->holdings[i];
    const char *stem = w->ids.items[i].stem;
    if (!h->cert || w->decisions[i].verdict != VERDICT_KEEP ||
        ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(h->cert)) >= 0)
        return 0;
    return error_set(err, "it ends before %s.pem, which is there and fits: remove that to have it",
                     stem);
}

static int check_leaf(const struct import *m, size_t i, X509 *cert, struct certs *between,
                      struct error *err)
{
    const struct identity *id = &m->w->ids.items[i];
    const struct ca *ca = &m->w->cas[id->issuer];
    const char *stem = m->w->ids.items[id->issuer].stem;
    if (check_fit(id, cert, ca->key != NULL, err) < 0)
        return error_context(err, "for %s", id->stem);
    if (!ca->cert)
        return error_set(err,
                         "%s.pem is not there: import the certificate of the CA, too, in a file "
                         "of its own",
                         stem);
    if (chain_build(cert, &m->files.cas, ca->cert, id->subject.usages, m->w->now, between, err) < 0)
        return error_context(err, "it does not lead to %s.pem", stem);
    return check_newer(m->w, i, cert, err);
}

/* What `nodebake pki` will say of it when it is there. */
static int check_kept(const struct pki_work *w, size_t i, struct error *err)
{
    const struct judge judge = {&w->ids, w->holdings, w->cas, w->now, w->now, false};
    struct decision d = decide(&judge, i);
    return d.verdict == VERDICT_KEEP ? 0 : error_set(err, "%s", d.why.text);
}

static int take_leaf(struct import *m, struct import_cert *c, struct error *err)
{
    size_t i;
    struct certs between AUTO_CERTS = {0};
    if (find_holder(m, c, &i, err) < 0 || check_leaf(m, i, c->cert, &between, err) < 0)
        return -1;
    struct holding *h = &m->w->holdings[i];
    struct buffer before AUTO_BUFFER = buffer_heap();
    buffer_add(&before, h->cert_pem.data ? h->cert_pem.data : "", h->cert_pem.len);
    if (holding_set_chain(h, c->cert, &between, err) < 0 || check_kept(m->w, i, err) < 0)
        return -1;
    import_use(&m->files, c->cert);
    for (size_t k = 0; k < between.count; k++)
        import_use(&m->files, between.items[k]);
    m->seen[i] = c;
    if (before.len != h->cert_pem.len || memcmp(before.data, h->cert_pem.data, before.len) != 0)
        m->taken[i] = c;
    return 0;
}

static int unused(const struct import *m, const struct import_cert *c, struct error *err)
{
    const struct pki_work *w = m->w;
    size_t holder = import_holder(w, c->cert);
    if (holder != w->ids.count && holder >= w->ids.ca_count)
        return error_set(err, "it is a CA's, and %s-key.pem is no CA's key",
                         w->ids.items[holder].stem);
    for (size_t i = 0; c->alone && i < w->ids.ca_count; i++) {
        const char *stem = w->ids.items[i].stem;
        if (w->holdings[i].cert)
            return error_set(err, "%s.pem is there already; --new-ca puts another in its place",
                             stem);
        if (w->holdings[i].key)
            return error_set(err, "it is not the certificate of %s-key.pem", stem);
    }
    if (c->alone && w->ids.ca_count > 1)
        return error_set(err, "which CA of the cluster it is cannot be told: import it together "
                              "with a certificate that it issued");
    return error_set(err, "nothing that is imported needs it");
}

static bool has_alone(const struct import_files *files)
{
    bool any = false;
    for (size_t i = 0; i < files->count; i++)
        any = any || files->items[i].alone;
    return any;
}

static int decide_import(struct import *m, bool new_ca, struct error *err)
{
    struct pki_work *w = m->w;
    if (import_cas_choose(w, &m->files, new_ca, m->cas, err) < 0)
        return -1;
    if (new_ca && !has_alone(&m->files))
        return error_set(err, "--new-ca: no file holds a CA alone");
    work_decide(w, w->now);
    for (size_t i = 0; i < m->files.count; i++) {
        struct import_cert *c = &m->files.items[i];
        if (!c->ca && take_leaf(m, c, err) < 0)
            return error_context(err, "%s: the certificate of %s", c->file, c->name);
    }
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (w->cas[i].cert)
            import_use(&m->files, w->cas[i].cert);
    for (size_t i = 0; i < m->files.count; i++) {
        const struct import_cert *c = &m->files.items[i];
        if (!c->used && unused(m, c, err) < 0)
            return error_context(err, "%s: the certificate of %s", c->file, c->name);
    }
    return 0;
}

static void tell(const struct import *m, struct pki_report *report)
{
    for (size_t i = 0; i < m->w->ids.count; i++) {
        bool ca = i < m->w->ids.ca_count;
        const struct import_cert *from = ca ? m->cas[i].from : m->taken[i];
        if (!from)
            continue;
        char *why AUTO_FREE = heap_printf("from %s", from->file);
        pki_report_add(report, ca && m->cas[i].replaces ? PKI_REPLACE : PKI_IMPORT, false,
                       heap_printf("%s.pem", m->w->ids.items[i].stem), why);
    }
}

/* CAs first: a certificate of a CA that is not there would look like a fault. */
static int write_import(const struct import *m, unsigned *written, struct error *err)
{
    const struct pki_work *w = m->w;
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (m->cas[i].from && import_ca_write(w, i, &m->cas[i], written, err) < 0)
            return -1;
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++) {
        char *name AUTO_FREE = heap_printf("%s.pem", w->ids.items[i].stem);
        if (!m->taken[i])
            continue;
        if (folder_write(w->folder, name, false, &w->holdings[i].cert_pem, err) < 0)
            return -1;
        ++*written;
    }
    return 0;
}

static int import_in(struct import *m, const struct pki_options *options, struct pki_report *report,
                     struct error *err)
{
    if (work_finish_swaps(m->w, options->dry_run, &report->written, err) < 0)
        return -1;
    work_load(m->w);
    if (decide_import(m, options->new_ca, err) < 0)
        return -1;
    tell(m, report);
    if (options->dry_run || !report->count)
        return 0;
    return folder_clean(m->w->folder, err) < 0 ? -1 : write_import(m, &report->written, err);
}

static void import_free_at(struct import *m)
{
    import_files_free(&m->files);
    heap_free_at(&m->cas);
    heap_free_at(&m->taken);
    heap_free_at(&m->seen);
}

int pki_import(const struct cluster *cluster, const char *dir, const struct texts *files,
               const struct pki_options *options, struct pki_report *report, struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    struct import m __attribute__((cleanup(import_free_at))) = {.w = &w};
    if (import_read(files, time(NULL), &m.files, err) < 0 ||
        work_open(cluster, dir, !options->dry_run, &w, err) < 0)
        return -1;
    m.cas = heap_array(w.ids.ca_count, sizeof *m.cas);
    m.taken = heap_array(w.ids.count, sizeof *m.taken);
    m.seen = heap_array(w.ids.count, sizeof *m.seen);
    return import_in(&m, options, report, err) < 0 ? error_context(err, "pki folder %s", dir) : 0;
}
