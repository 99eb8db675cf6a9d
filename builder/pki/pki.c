#include "builder/pki/pki.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "builder/heap.h"
#include "builder/pki/batch.h"
#include "builder/pki/folder.h"
#include "builder/pki/keygen.h"
#include "builder/pki/swap.h"
#include "builder/pki/work.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum { HOUR = 3600 };

const char *pki_action_word(enum pki_action action)
{
    static const char *const words[] = {
        [PKI_ISSUE] = "issue", [PKI_REISSUE] = "reissue", [PKI_REPLACE] = "replace",
        [PKI_WRITE] = "write", [PKI_REQUEST] = "request", [PKI_IMPORT] = "import"};
    return words[action];
}

void pki_report_free(struct pki_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->steps[i].file);
        free(report->steps[i].why);
    }
    free(report->steps);
}

void pki_report_add(struct pki_report *report, enum pki_action action, bool new_key, char *file,
                    const char *why)
{
    *APPEND(report->steps, report->count, report->cap) =
        (struct pki_step){action, new_key, file, heap_copy(why)};
}

static int prepare_cas(struct pki_work *w, const struct pki_options *options, struct error *err)
{
    const struct ca_options how = {
        .now = w->now, .key = w->cluster->pki.key, .make = true, .replace = options->new_ca};
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (ca_prepare(&w->ids.items[i], &w->holdings[i], &how, &w->cas[i], err) < 0)
            return -1;
    return 0;
}

static void tell_ca(const struct pki_work *w, size_t i, struct pki_report *report)
{
    static const struct {
        enum pki_action action;
        const char *why;
    } words[] = {[CA_RENEWED] = {PKI_ISSUE, "its key is there"},
                 [CA_NEW] = {PKI_ISSUE, "it is not there"},
                 [CA_REPLACED] = {PKI_REPLACE, "a new CA was asked for"}};
    enum ca_state state = w->cas[i].state;
    if (state != CA_KEPT)
        pki_report_add(report, words[state].action, state != CA_RENEWED,
                       heap_printf("%s.pem", w->ids.items[i].stem), words[state].why);
}

static void tell_cert(const struct pki_work *w, size_t i, struct pki_report *report)
{
    const struct decision *d = &w->decisions[i];
    if (d->verdict == VERDICT_KEEP)
        return;
    pki_report_add(report, d->verdict == VERDICT_ISSUE ? PKI_ISSUE : PKI_REISSUE, d->new_key,
                   heap_printf("%s.pem", w->ids.items[i].stem),
                   d->verdict == VERDICT_ISSUE ? "it is not there" : d->why.text);
}

static void tell(const struct pki_work *w, struct pki_report *report)
{
    for (size_t i = 0; i < w->ids.count; i++)
        if (i < w->ids.ca_count)
            tell_ca(w, i, report);
        else
            tell_cert(w, i, report);
    for (size_t i = 0; i < w->outputs.count; i++)
        if (w->outputs.items[i].write)
            pki_report_add(report, PKI_WRITE, false,
                           heap_printf("%s%s", w->outputs.items[i].file,
                                       folder_suffix(w->outputs.items[i].file)),
                           w->outputs.items[i].why.text);
}

/* Everything is looked at before the first write. */
static int decide_all(struct pki_work *w, const struct pki_options *options, struct error *err)
{
    work_load(w);
    if (prepare_cas(w, options, err) < 0)
        return -1;
    work_decide(w, w->now + (time_t)options->renew_before * HOUR);
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++)
        if (w->decisions[i].verdict == VERDICT_REFUSE)
            return error_set(err, "%s", w->decisions[i].why.text);
    return outputs_decide(&w->input, w->decisions, w->cas[0].state != CA_KEPT,
                          w->now + (time_t)options->renew_before * HOUR, w->folder, &w->outputs,
                          err);
}

static int publish(const struct pki_work *w, size_t i, bool key, unsigned *written,
                   struct error *err)
{
    const struct holding *h = &w->holdings[i];
    char *name AUTO_FREE = heap_printf("%s%s", w->ids.items[i].stem, key ? "-key.pem" : ".pem");
    if (folder_write(w->folder, name, key, key ? &h->key_pem : &h->cert_pem, err) < 0)
        return -1;
    ++*written;
    return 0;
}

static int take_ca(struct pki_work *w, size_t i, struct error *err)
{
    struct holding *h = &w->holdings[i];
    EVP_PKEY *key = w->cas[i].key;
    X509 *cert = w->cas[i].cert;
    if (w->cas[i].state != CA_RENEWED && EVP_PKEY_up_ref(key) && holding_set_key(h, key, err) < 0)
        return -1;
    return X509_up_ref(cert) ? holding_set_cert(h, cert, err) : 0;
}

static int write_ca(struct pki_work *w, size_t i, unsigned *written, struct error *err)
{
    const struct holding *h = &w->holdings[i];
    enum ca_state state = w->cas[i].state;
    if (state == CA_KEPT)
        return 0;
    if (take_ca(w, i, err) < 0)
        return -1;
    if (state == CA_REPLACED)
        return swap_begin(w->folder, w->ids.items[i].stem, &h->key_pem, &h->cert_pem, err);
    if (state == CA_NEW && publish(w, i, true, written, err) < 0)
        return -1;
    return publish(w, i, false, written, err);
}

static int write_cas(struct pki_work *w, unsigned *written, struct error *err)
{
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (write_ca(w, i, written, err) < 0)
            return error_context(err, "issue %s", w->ids.items[i].stem);
    return work_finish_swaps(w, false, written, err);
}

static int put(const struct pki_work *w, size_t i, bool key, struct batch *batch, struct error *err)
{
    const struct holding *h = &w->holdings[i];
    char *name AUTO_FREE = heap_printf("%s%s", w->ids.items[i].stem, key ? "-key.pem" : ".pem");
    return batch_add(batch, name, key, key ? &h->key_pem : &h->cert_pem, err);
}

static int issue_pair(struct pki_work *w, size_t i, struct keygen *keygen, struct batch *keys,
                      struct batch *certs, struct error *err)
{
    const struct identity *id = &w->ids.items[i];
    const struct ca *ca = &w->cas[id->issuer];
    const struct issuer issuer = {ca->cert, ca->key};
    struct holding *h = &w->holdings[i];
    EVP_PKEY *key AUTO_KEY = NULL;
    X509 *cert AUTO_CERT = NULL;
    if (w->decisions[i].new_key &&
        (keygen_take(keygen, &key, err) < 0 || holding_set_key(h, steal(key), err) < 0 ||
         put(w, i, true, keys, err) < 0))
        return -1;
    if (x509_issue(&id->subject, h->key, &issuer, w->now, &cert, err) < 0 ||
        holding_set_cert(h, steal(cert), err) < 0)
        return -1;
    return put(w, i, false, certs, err);
}

/* All keys have their names before the first certificate: one without its key is of no use, and
 * nothing could tell. */
static int issue_pairs(struct pki_work *w, struct keygen *keygen, struct progress *p,
                       unsigned *written, struct error *err)
{
    struct batch keys AUTO_BATCH = {.folder = w->folder}, certs AUTO_BATCH = {.folder = w->folder};
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++) {
        if (w->decisions[i].verdict == VERDICT_KEEP)
            continue;
        if (issue_pair(w, i, keygen, &keys, &certs, err) < 0)
            return error_context(err, "issue %s", w->ids.items[i].stem);
        progress_add(p, 1);
    }
    return batch_commit(&keys, written, err) < 0 ? -1 : batch_commit(&certs, written, err);
}

static int write_outputs(struct pki_work *w, unsigned *written, struct error *err)
{
    struct batch batch AUTO_BATCH = {.folder = w->folder};
    for (size_t i = 0; i < w->outputs.count; i++) {
        const struct output *o = &w->outputs.items[i];
        struct buffer text AUTO_BUFFER = buffer_heap();
        if (!o->write)
            continue;
        output_print(&w->input, &w->outputs, o, &text);
        if (batch_add(&batch, o->file, true, &text, err) < 0)
            return -1;
    }
    return batch_commit(&batch, written, err);
}

static int write_all(struct pki_work *w, unsigned *written, struct error *err)
{
    size_t certs = 0, keys = 0;
    struct progress p = {0};
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++) {
        certs += w->decisions[i].verdict != VERDICT_KEEP;
        keys += w->decisions[i].new_key;
    }
    if (certs)
        p = progress_start(certs, "issue certificates");
    struct keygen *keygen = keygen_start(w->cluster->pki.key, keys);
    int result = write_cas(w, written, err);
    if (result == 0)
        result = issue_pairs(w, keygen, &p, written, err);
    keygen_stop(keygen);
    if (certs)
        progress_end(&p);
    return result < 0 ? -1 : write_outputs(w, written, err);
}

static int issue_in(struct pki_work *w, const struct pki_options *options,
                    struct pki_report *report, struct error *err)
{
    if (work_finish_swaps(w, options->dry_run, &report->written, err) < 0 ||
        decide_all(w, options, err) < 0)
        return -1;
    tell(w, report);
    if (options->dry_run)
        return 0;
    return folder_clean(w->folder, err) < 0 ? -1 : write_all(w, &report->written, err);
}

int pki_issue(const struct cluster *cluster, const char *dir, const struct pki_options *options,
              struct pki_report *report, struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    if (work_open(cluster, dir, !options->dry_run, &w, err) < 0)
        return -1;
    return issue_in(&w, options, report, err) < 0 ? error_context(err, "pki folder %s", dir) : 0;
}

static int rotate_in(struct pki_work *w, bool dry_run, char **name, struct error *err)
{
    struct encryption config AUTO_ENCRYPTION = {0};
    struct buffer text AUTO_BUFFER = buffer_heap(), out AUTO_BUFFER = buffer_heap();
    static const char file[] = "encryption-config.yaml";
    bool there;
    if (folder_read(w->folder, file, true, &text, &there, err) < 0)
        return -1;
    if (!there)
        return error_set(err, "%s is not there: `nodebake pki` makes it", file);
    if (encryption_parse(text.data, text.len, &config, err) < 0 ||
        encryption_rotate(&config, err) < 0)
        return -1;
    encryption_print(&config, w->cluster->kubernetes, &out);
    *name = heap_copy(config.keys[0].name);
    return dry_run ? 0 : folder_write(w->folder, file, true, &out, err);
}

int pki_rotate_encryption(const struct cluster *cluster, const char *dir, bool dry_run, char **name,
                          struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    /* Not made here: without the folder there is nothing to rotate. */
    if (work_open(cluster, dir, false, &w, err) < 0)
        return -1;
    if (w.folder >= 0 && !dry_run) {
        work_close(&w);
        if (work_open(cluster, dir, true, &w, err) < 0)
            return -1;
    }
    return rotate_in(&w, dry_run, name, err) < 0 ? error_context(err, "pki folder %s", dir) : 0;
}
