#include "builder/pki/pki.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/pki/check.h"
#include "builder/pki/folder.h"
#include "builder/pki/identity.h"
#include "builder/pki/kubeconfig.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { LOCK_SECONDS = 30 };

enum part { PART_KEY, PART_CERT, PART_KUBECONFIG, PARTS };

static const struct {
    const char *suffix;
    mode_t mode;
} parts[PARTS] = {
    [PART_KEY] = {"-key.pem", 0600},
    [PART_CERT] = {".pem", 0644},
    [PART_KUBECONFIG] = {".kubeconfig", 0600},
};

/* What the folder holds of one identity: the files' bytes, none when it is not there. */
struct holding {
    struct buffer bytes[PARTS];
    bool present[PARTS];
};

struct work {
    const struct cluster *cluster;
    const struct identity_list *ids;
    struct holding *holdings;
    int dir;
    time_t now;
    struct issuer ca; /* no key: it can sign nothing */
    unsigned issued;
};

static void part_name(const struct identity *id, enum part part, char out[static 256])
{
    struct buffer name = {.data = out, .cap = 256};
    buffer_printf(&name, "%s%s", id->stem, parts[part].suffix);
}

static int load_holding(const struct work *w, size_t i, struct error *err)
{
    struct holding *h = &w->holdings[i];
    for (enum part p = 0; p < PARTS; p++) {
        char name[256];
        part_name(&w->ids->items[i], p, name);
        h->bytes[p] = buffer_heap();
        if (folder_read(w->dir, name, parts[p].mode == 0600, &h->bytes[p], &h->present[p], err) < 0)
            return -1;
    }
    return 0;
}

static int parse_key(const struct work *w, size_t i, EVP_PKEY **key, struct error *err)
{
    if (x509_key_parse(&w->holdings[i].bytes[PART_KEY], key, err) == 0)
        return 0;
    return error_context(err, "%s-key.pem", w->ids->items[i].stem);
}

static int parse_cert(const struct work *w, size_t i, X509 **cert, struct error *err)
{
    if (x509_cert_parse(&w->holdings[i].bytes[PART_CERT], cert, err) == 0)
        return 0;
    return error_context(err, "%s.pem", w->ids->items[i].stem);
}

/* Without ca.pem and its key, nothing that is there can be checked or used. */
static int new_ca(struct work *w, struct error *err)
{
    for (size_t i = 1; i < w->ids->count; i++)
        if (w->holdings[i].present[PART_CERT])
            return error_set(
                err,
                "%s.pem is there, but neither ca.pem nor ca-key.pem: put them back, or "
                "remove it to have all issued by a new CA",
                w->ids->items[i].stem);
    if (x509_key_new(&w->ca.key, err) < 0)
        return -1;
    return x509_issue(&w->ids->items[0].subject, w->ca.key, NULL, w->now, &w->ca.cert, err);
}

/* Nothing is written here: a new CA exists in memory until all that is there was checked. */
static int prepare_ca(struct work *w, struct error *err)
{
    const struct holding *h = &w->holdings[0];
    if (!h->present[PART_KEY] && !h->present[PART_CERT])
        return new_ca(w, err);
    if (h->present[PART_KEY] && parse_key(w, 0, &w->ca.key, err) < 0)
        return -1;
    if (!h->present[PART_CERT])
        return x509_issue(&w->ids->items[0].subject, w->ca.key, NULL, w->now, &w->ca.cert, err);
    if (parse_cert(w, 0, &w->ca.cert, err) < 0 || check_ca(w->ca.cert, w->now, err) < 0)
        return -1;
    return w->ca.key ? check_pair("ca", w->ca.cert, w->ca.key, err) : 0;
}

static int check_holding(const struct work *w, size_t i, struct error *err)
{
    const struct identity *id = &w->ids->items[i];
    const struct holding *h = &w->holdings[i];
    EVP_PKEY *key AUTO_KEY = NULL;
    X509 *cert AUTO_CERT = NULL;
    if (h->present[PART_KEY] && parse_key(w, i, &key, err) < 0)
        return -1;
    if (!h->present[PART_CERT])
        return w->ca.key ? 0
                         : error_set(err,
                                     "ca-key.pem is not there, and %s.pem has to be issued: put "
                                     "the key of ca.pem back",
                                     id->stem);
    if (!key)
        return error_set(err,
                         "%s.pem is there, but not its key %s-key.pem: put the key back, or remove "
                         "%s.pem to have both issued anew",
                         id->stem, id->stem, id->stem);
    if (parse_cert(w, i, &cert, err) < 0 || check_pair(id->stem, cert, key, err) < 0)
        return -1;
    return check_cert(id, cert, w->ca.cert, w->now, err);
}

static int publish(struct work *w, size_t i, enum part part, struct error *err)
{
    char name[256];
    struct holding *h = &w->holdings[i];
    part_name(&w->ids->items[i], part, name);
    if (file_publish(w->dir, name, h->bytes[part].data, h->bytes[part].len, parts[part].mode, err) <
        0)
        return -1;
    h->present[part] = true;
    w->issued++;
    return 0;
}

static int publish_key(struct work *w, size_t i, EVP_PKEY *key, struct error *err)
{
    if (x509_key_print(key, &w->holdings[i].bytes[PART_KEY], err) < 0)
        return -1;
    return publish(w, i, PART_KEY, err);
}

static int publish_cert(struct work *w, size_t i, X509 *cert, struct error *err)
{
    if (x509_cert_print(cert, &w->holdings[i].bytes[PART_CERT], err) < 0)
        return -1;
    return publish(w, i, PART_CERT, err);
}

static int write_ca(struct work *w, struct error *err)
{
    const struct holding *h = &w->holdings[0];
    if (!h->present[PART_KEY] && !h->present[PART_CERT] && publish_key(w, 0, w->ca.key, err) < 0)
        return -1;
    return h->present[PART_CERT] ? 0 : publish_cert(w, 0, w->ca.cert, err);
}

/* The key first: a certificate without its key is of no use, and nothing could tell. */
static int issue_pair(struct work *w, size_t i, struct error *err)
{
    EVP_PKEY *key AUTO_KEY = NULL;
    X509 *cert AUTO_CERT = NULL;
    if (w->holdings[i].present[PART_KEY]) {
        if (parse_key(w, i, &key, err) < 0)
            return -1;
    } else if (x509_key_new(&key, err) < 0 || publish_key(w, i, key, err) < 0) {
        return -1;
    }
    if (x509_issue(&w->ids->items[i].subject, key, &w->ca, w->now, &cert, err) < 0)
        return -1;
    return publish_cert(w, i, cert, err);
}

static int write_kubeconfig(struct work *w, size_t i, struct error *err)
{
    const struct identity *id = &w->ids->items[i];
    struct holding *h = &w->holdings[i];
    struct buffer text AUTO_BUFFER = buffer_heap(), *old = &h->bytes[PART_KUBECONFIG];
    const struct kubeconfig config = {
        .cluster = w->cluster->name,
        .server = id->server,
        .user = id->subject.cn,
        .ca = &w->holdings[0].bytes[PART_CERT],
        .cert = &h->bytes[PART_CERT],
        .key = &h->bytes[PART_KEY],
    };
    kubeconfig_print(&config, &text);
    if (h->present[PART_KUBECONFIG] && old->len == text.len &&
        memcmp(old->data, text.data, text.len) == 0)
        return 0;
    buffer_clear(old);
    buffer_add(old, text.data, text.len);
    return publish(w, i, PART_KUBECONFIG, err);
}

static int write_missing(struct work *w, struct error *err)
{
    uint64_t missing = 0;
    for (size_t i = 1; i < w->ids->count; i++)
        missing += !w->holdings[i].present[PART_CERT];
    struct progress p = {0};
    if (missing)
        p = progress_start(missing, "issue certificates");
    int result = write_ca(w, err);
    for (size_t i = 1; i < w->ids->count && result == 0; i++) {
        const struct identity *id = &w->ids->items[i];
        if (!w->holdings[i].present[PART_CERT]) {
            result = issue_pair(w, i, err);
            progress_add(&p, 1);
        }
        if (result == 0 && id->server)
            result = write_kubeconfig(w, i, err);
        if (result < 0)
            error_context(err, "issue %s", id->stem);
    }
    if (missing)
        progress_end(&p);
    return result;
}

static int issue_in(struct work *w, struct error *err)
{
    for (size_t i = 0; i < w->ids->count; i++)
        if (load_holding(w, i, err) < 0)
            return -1;
    if (prepare_ca(w, err) < 0)
        return -1;
    for (size_t i = 1; i < w->ids->count; i++)
        if (check_holding(w, i, err) < 0)
            return -1;
    return write_missing(w, err);
}

static void work_free(struct work *w)
{
    for (size_t i = 0; i < w->ids->count; i++)
        for (enum part p = 0; p < PARTS; p++)
            buffer_free(&w->holdings[i].bytes[p]);
    free(w->holdings);
    x509_cert_free_at(&w->ca.cert);
    x509_key_free_at(&w->ca.key);
}

int pki_issue(const struct cluster *cluster, const char *dir, unsigned *issued, struct error *err)
{
    struct identity_list ids AUTO_IDENTITIES = {0};
    int fd AUTO_CLOSE = -1, lock AUTO_CLOSE = -1;
    *issued = 0;
    if (identity_list_make(cluster, &ids, err) < 0)
        return -1;
    if (folder_open(dir, &fd, err) < 0)
        return error_context(err, "pki folder");
    if (lock_take(fd, ".lock", LOCK_SECONDS, &lock, err) < 0)
        return error_context(err, "pki folder %s", dir);
    struct work w = {.cluster = cluster,
                     .ids = &ids,
                     .holdings = heap_array(ids.count, sizeof *w.holdings),
                     .dir = fd,
                     .now = time(NULL)};
    int result = issue_in(&w, err);
    *issued = w.issued;
    work_free(&w);
    return result < 0 ? error_context(err, "pki folder %s", dir) : 0;
}
