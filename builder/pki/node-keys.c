#include "builder/pki/node-keys.h"

#include <stdlib.h>

#include "builder/heap.h"
#include "builder/pki/work.h"

struct pki_keys {
    struct pki_work work;
    struct error *faults; /* of each CA; empty: there is none */
};

static int judge(struct pki_keys *keys, struct error *err)
{
    struct pki_work *w = &keys->work;
    const struct ca_options how = {.now = w->now};
    unsigned ignored = 0;
    if (work_finish_swaps(w, true, &ignored, err) < 0)
        return -1;
    keys->faults = heap_array(w->ids.ca_count, sizeof *keys->faults);
    for (size_t i = 0; i < w->ids.ca_count; i++) {
        const struct identity *id = &w->ids.items[i];
        if (ca_prepare(id, &w->holdings[i], &how, &w->cas[i], &keys->faults[i]) == 0 &&
            w->cas[i].state == CA_ABSENT)
            error_set(&keys->faults[i], "%s.pem: it is not there", id->stem);
    }
    work_decide(w, w->now);
    return 0;
}

int pki_keys_open(const struct cluster *cluster, const char *dir, struct pki_keys **out,
                  struct error *err)
{
    struct pki_keys *keys AUTO_PKI_KEYS = heap_array(1, sizeof *keys);
    keys->work = (struct pki_work){.folder = -1, .lock = -1};
    if (work_look(cluster, dir, &keys->work, err) < 0)
        return -1;
    if (judge(keys, err) < 0)
        return error_context(err, "pki folder %s", dir);
    *out = steal(keys);
    return 0;
}

static int check(const struct pki_keys *keys, size_t i, struct error *err)
{
    const struct identity *id = &keys->work.ids.items[i];
    const struct decision *d = &keys->work.decisions[i];
    const struct error *ca = &keys->faults[id->issuer];
    if (*ca->text)
        return error_set(err, "%s", ca->text);
    if (d->verdict == VERDICT_REFUSE)
        return error_set(err, "%s", d->why.text);
    if (d->verdict == VERDICT_ISSUE)
        return error_set(err, "%s.pem: it is not there; `nodebake pki` issues it", id->stem);
    if (d->verdict == VERDICT_REISSUE)
        return error_set(err, "%s.pem: %s; `nodebake pki` issues it anew", id->stem, d->why.text);
    return 0;
}

int pki_keys_of(const struct pki_keys *keys, const char *node, struct node_keys *out,
                struct error *err)
{
    const struct pki_work *w = &keys->work;
    const struct identity *id = identity_find(&w->ids, node);
    if (!id)
        return error_set(err, "%s: no certificate is issued for it", node);
    size_t i = (size_t)(id - w->ids.items);
    if (check(keys, i, err) < 0)
        return -1;
    *out = (struct node_keys){.ca = &w->holdings[0].cert_pem,
                              .cert = &w->holdings[i].cert_pem,
                              .key = &w->holdings[i].key_pem,
                              .user = id->subject.cn};
    return 0;
}

void pki_keys_free(struct pki_keys *keys)
{
    if (!keys)
        return;
    work_close(&keys->work);
    free(keys->faults);
    free(keys);
}

void pki_keys_free_at(struct pki_keys **keys)
{
    pki_keys_free(*keys);
}
