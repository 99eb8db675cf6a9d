/* Requests for certificates of identities, for a CA that lives elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/pki/check.h"
#include "builder/pki/folder.h"
#include "builder/pki/keygen.h"
#include "builder/pki/pki.h"
#include "builder/pki/work.h"
#include "builder/progress.h"
#include "builder/yaml/similar.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { HOUR = 3600, SIMILAR_MAX = 5 };

static bool is_similar(const char *name, const char *stem)
{
    size_t n = strlen(name);
    return yaml_similar(name, stem) || (n > 1 && strncmp(name, stem, n) == 0);
}

static int unknown_name(const struct identity_list *ids, const char *name, struct error *err)
{
    struct buffer list AUTO_BUFFER = buffer_heap();
    size_t n = 0;
    for (size_t i = 0; i < ids->count && n < SIMILAR_MAX; i++)
        if (is_similar(name, ids->items[i].stem))
            buffer_printf(&list, "%s'%s'", n++ ? ", " : "", ids->items[i].stem);
    if (n)
        return error_set(err, "nothing in this cluster is called '%.64s'; did you mean %s?", name,
                         list.data);
    return error_set(
        err, "nothing in this cluster is called '%.64s'; `nodebake pki show` has the names", name);
}

/* A CA that is there without its key is one of somebody else's. */
static int check_ca_files(const struct identity *id, const struct holding *h, struct error *err)
{
    if (*h->fault.text)
        return error_set(err, "%s", h->fault.text);
    if (h->cert && !h->key)
        return error_set(err,
                         "%s.pem is there, but not %s-key.pem: a request is made where the key is",
                         id->stem, id->stem);
    return h->cert ? check_pair(id->stem, h->cert, h->key, err) : 0;
}

/* What the CA says is no matter then: another one may be to sign. */
static int choose_named(struct pki_work *w, const struct texts *names, bool *wanted,
                        struct error *err)
{
    work_decide(w, w->now);
    for (size_t n = 0; n < names->count; n++) {
        const struct identity *id = identity_find(&w->ids, names->items[n]);
        if (!id)
            return unknown_name(&w->ids, names->items[n], err);
        size_t i = (size_t)(id - w->ids.items);
        if (i < w->ids.ca_count && check_ca_files(id, &w->holdings[i], err) < 0)
            return -1;
        if (i >= w->ids.ca_count && w->decisions[i].verdict == VERDICT_REFUSE)
            return error_set(err, "%s", w->decisions[i].why.text);
        error_set(&w->decisions[i].why, "it is asked for");
        wanted[i] = true;
    }
    return 0;
}

static int choose_due(struct pki_work *w, unsigned renew_before, bool *wanted, struct error *err)
{
    const struct ca_options how = {.now = w->now};
    for (size_t i = 0; i < w->ids.ca_count; i++)
        if (ca_prepare(&w->ids.items[i], &w->holdings[i], &how, &w->cas[i], err) < 0)
            return -1;
    work_decide(w, w->now + (time_t)renew_before * HOUR);
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++) {
        struct decision *d = &w->decisions[i];
        if (d->verdict == VERDICT_REFUSE)
            return error_set(err, "%s", d->why.text);
        if (d->verdict == VERDICT_ISSUE)
            error_set(&d->why, "it is not there");
        wanted[i] = d->verdict != VERDICT_KEEP;
    }
    return 0;
}

static int open_out(const char *out, int *fd, struct error *err)
{
    if (mkdir(out, 0755) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", out);
    *fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? error_errno(err, "%s", out) : 0;
}

static int make_key(struct pki_work *w, size_t i, struct keygen *keys, struct error *err)
{
    char *name AUTO_FREE = heap_printf("%s-key.pem", w->ids.items[i].stem);
    struct holding *h = &w->holdings[i];
    EVP_PKEY *key AUTO_KEY = NULL;
    if (keygen_take(keys, &key, err) < 0 || holding_set_key(h, steal(key), err) < 0)
        return -1;
    return folder_write(w->folder, name, true, &h->key_pem, err);
}

static int write_request(struct pki_work *w, size_t i, int out, struct keygen *keys,
                         unsigned *written, struct error *err)
{
    const struct identity *id = &w->ids.items[i];
    char *name AUTO_FREE = heap_printf("%s.csr", id->stem);
    struct buffer pem AUTO_BUFFER = buffer_heap();
    struct subject subject = id->subject;
    subject.last_ca = subject.ca;
    if (!w->holdings[i].key) {
        if (make_key(w, i, keys, err) < 0)
            return -1;
        ++*written;
    }
    if (x509_request(&subject, w->holdings[i].key, &pem, err) < 0 ||
        file_publish(out, name, pem.data, pem.len, 0644, err) < 0)
        return -1;
    ++*written;
    return 0;
}

static int write_requests(struct pki_work *w, const bool *wanted, int out, size_t count,
                          unsigned *written, struct error *err)
{
    size_t keys = 0;
    int result = 0;
    for (size_t i = 0; i < w->ids.count; i++)
        keys += wanted[i] && !w->holdings[i].key;
    struct progress p = progress_start(count, "request certificates");
    struct keygen *keygen = keygen_start(w->cluster->pki.key, keys);
    for (size_t i = 0; result == 0 && i < w->ids.count; i++)
        if (wanted[i]) {
            result = write_request(w, i, out, keygen, written, err);
            if (result < 0)
                error_context(err, "request %s", w->ids.items[i].stem);
            progress_add(&p, 1);
        }
    keygen_stop(keygen);
    progress_end(&p);
    return result;
}

static int csr_in(struct pki_work *w, const struct texts *names, const char *out,
                  const struct pki_options *options, struct pki_report *report, struct error *err)
{
    bool *wanted AUTO_FREE = heap_array(w->ids.count, sizeof *wanted);
    int folder AUTO_CLOSE = -1;
    if (work_finish_swaps(w, options->dry_run, &report->written, err) < 0)
        return -1;
    work_load(w);
    if ((names->count ? choose_named(w, names, wanted, err)
                      : choose_due(w, options->renew_before, wanted, err)) < 0)
        return -1;
    for (size_t i = 0; i < w->ids.count; i++)
        if (wanted[i])
            pki_report_add(report, PKI_REQUEST, !w->holdings[i].key,
                           heap_printf("%s.csr", w->ids.items[i].stem), w->decisions[i].why.text);
    if (options->dry_run || !report->count)
        return 0;
    if (folder_clean(w->folder, err) < 0 || open_out(out, &folder, err) < 0)
        return -1;
    return write_requests(w, wanted, folder, report->count, &report->written, err);
}

int pki_csr(const struct cluster *cluster, const char *dir, const struct texts *names,
            const char *out, const struct pki_options *options, struct pki_report *report,
            struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    if (work_open(cluster, dir, !options->dry_run, &w, err) < 0)
        return -1;
    w.elsewhere = true;
    return csr_in(&w, names, out, options, report, err) < 0
               ? error_context(err, "pki folder %s", dir)
               : 0;
}
