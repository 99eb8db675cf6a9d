#include "builder/pki/work.h"

#include <stdlib.h>

#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/pki/check.h"
#include "builder/pki/convert.h"
#include "builder/pki/folder.h"
#include "builder/pki/swap.h"
#include "common/cleanup.h"

enum { LOCK_SECONDS = 30 };

int work_open(const struct cluster *cluster, const char *dir, bool write, struct pki_work *w,
              struct error *err)
{
    *w = (struct pki_work){.cluster = cluster, .folder = -1, .lock = -1, .now = time(NULL)};
    if (identity_list_make(cluster, &w->ids, err) < 0)
        return -1;
    w->holdings = heap_array(w->ids.count, sizeof *w->holdings);
    w->decisions = heap_array(w->ids.count, sizeof *w->decisions);
    w->cas = heap_array(w->ids.ca_count, sizeof *w->cas);
    w->input = (struct outputs_input){cluster, &w->ids, w->holdings, w->now};
    if (check_clock(w->now, err) < 0)
        return -1;
    if (folder_open(dir, write, &w->folder, err) < 0)
        return error_context(err, "pki folder");
    if (write && lock_take(w->folder, ".lock", LOCK_SECONDS, &w->lock, err) < 0)
        return error_context(err, "pki folder %s", dir);
    if (w->folder >= 0 && sealing_check(w->folder, err) < 0)
        return error_context(err, "pki folder %s", dir);
    return 0;
}

void work_load(struct pki_work *w)
{
    for (size_t i = 0; i < w->ids.count; i++)
        holding_load(w->folder, &w->ids.items[i], &w->holdings[i]);
    outputs_load(&w->input, w->folder, &w->outputs);
}

int work_look(const struct cluster *cluster, const char *dir, struct pki_work *w, struct error *err)
{
    if (work_open(cluster, dir, false, w, err) < 0)
        return -1;
    if (w->folder < 0)
        return error_set(err, "pki folder %s: it is not there; `nodebake pki` makes it", dir);
    work_load(w);
    return 0;
}

/* A swap of CAs that a run did not finish goes first: half of it would look like a fault. */
int work_finish_swaps(const struct pki_work *w, bool dry_run, unsigned *written, struct error *err)
{
    bool pending = false;
    for (size_t i = 0; i < w->ids.ca_count; i++) {
        const char *stem = w->ids.items[i].stem;
        if (!dry_run && swap_finish(w->folder, stem, written, err) < 0)
            return -1;
        if (dry_run && swap_pending(w->folder, stem, &pending, err) < 0)
            return -1;
        if (pending)
            return error_set(err, "%s-new.pem is on its way into its place: run `nodebake pki`",
                             stem);
    }
    return 0;
}

void work_decide(struct pki_work *w, time_t until)
{
    const struct judge judge = {&w->ids, w->holdings, w->cas, w->now, until, w->elsewhere};
    for (size_t i = w->ids.ca_count; i < w->ids.count; i++)
        w->decisions[i] = decide(&judge, i);
}

void work_close(struct pki_work *w)
{
    for (size_t i = 0; w->holdings && i < w->ids.count; i++)
        holding_free(&w->holdings[i]);
    for (size_t i = 0; w->cas && i < w->ids.ca_count; i++)
        ca_free(&w->cas[i]);
    outputs_free(&w->outputs);
    free(w->holdings);
    free(w->decisions);
    free(w->cas);
    identity_list_free(&w->ids);
    cleanup_close(&w->lock);
    cleanup_close(&w->folder);
}
