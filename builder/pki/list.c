#include "builder/pki/list.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "builder/pki/work.h"
#include "builder/yaml/utf8.h"

enum { DAY = 24 * 60 * 60 };

/* The most particular part first; the caller frees it. */
static char *name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long n = 0;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(bio, &bytes);
    char *text = heap_printf("%.*s", n > 0 ? (int)n : 0, n > 0 ? bytes : "");
    utf8_printable(text);
    BIO_free_all(bio);
    return text;
}

static void add_san(struct texts *sans, const GENERAL_NAME *name)
{
    int type;
    char ip[INET6_ADDRSTRLEN] = "";
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_IPADD) {
        int n = ASN1_STRING_length(value);
        inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), ip, sizeof ip);
        texts_add(sans, n == 4 || n == 16 ? ip : "?");
    } else if (type == GEN_DNS) {
        char *text AUTO_FREE = heap_printf("%.*s", ASN1_STRING_length(value),
                                           (const char *)ASN1_STRING_get0_data(value));
        utf8_printable(text);
        texts_add(sans, text);
    }
}

static void add_sans(struct texts *sans, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_san(sans, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
}

/* Days that are over count whole. */
static void add_end(struct pki_row *row, X509 *cert, time_t now)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
        return;
    time_t ends = timegm(&tm);
    row->ends = row->ends && row->ends < ends ? row->ends : ends;
    long seconds = (long)(row->ends - now);
    row->days_left = seconds >= 0 ? seconds / DAY : -((-seconds + DAY - 1) / DAY);
}

static void add_between(struct pki_row *row, X509 *cert, time_t now)
{
    char *name AUTO_FREE = name_text(X509_get_subject_name(cert));
    texts_add(&row->between, name);
    add_end(row, cert, now);
}

static void add_file(struct texts *files, bool there, const char *stem, const char *suffix)
{
    char *name AUTO_FREE = heap_printf("%s%s", stem, suffix);
    if (there)
        texts_add(files, name);
}

static void add_files(const struct pki_work *w, size_t i, struct texts *files)
{
    const struct holding *h = &w->holdings[i];
    const char *stem = w->ids.items[i].stem;
    add_file(files, h->cert, stem, ".pem");
    add_file(files, h->key, stem, "-key.pem");
    add_file(files, h->old, stem, "-old.pem");
    for (size_t k = 0; k < w->outputs.count; k++) {
        const struct output *o = &w->outputs.items[k];
        if (o->kind == OUTPUT_KUBECONFIG && o->identity == i)
            add_file(files, o->there, o->file, folder_suffix(o->file));
    }
}

static void add_row(const struct pki_work *w, size_t i, struct pki_rows *out)
{
    const struct holding *h = &w->holdings[i];
    struct pki_row *row = APPEND(out->items, out->count, out->cap);
    row->name = heap_copy(w->ids.items[i].stem);
    row->fault = *h->fault.text ? heap_copy(h->fault.text) : NULL;
    add_files(w, i, &row->files);
    if (!h->cert)
        return;
    row->subject = name_text(X509_get_subject_name(h->cert));
    row->issuer = name_text(X509_get_issuer_name(h->cert));
    add_sans(&row->sans, h->cert);
    add_end(row, h->cert, w->now);
    for (size_t k = 0; k < h->between.count; k++)
        add_between(row, h->between.items[k], w->now);
}

int pki_list(const struct cluster *cluster, const char *dir, struct pki_rows *out,
             struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    if (work_look(cluster, dir, &w, err) < 0)
        return -1;
    for (size_t i = 0; i < w.ids.count; i++)
        add_row(&w, i, out);
    for (size_t i = 0; i < w.outputs.count; i++)
        if (w.outputs.items[i].kind != OUTPUT_KUBECONFIG)
            add_file(&out->others, w.outputs.items[i].there, w.outputs.items[i].file,
                     folder_suffix(w.outputs.items[i].file));
    return 0;
}

void pki_rows_free(struct pki_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct pki_row *row = &rows->items[i];
        free(row->name);
        free(row->subject);
        free(row->issuer);
        free(row->fault);
        texts_free(&row->between);
        texts_free(&row->sans);
        texts_free(&row->files);
    }
    free(rows->items);
    texts_free(&rows->others);
}
