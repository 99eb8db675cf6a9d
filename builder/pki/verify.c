/* What is wrong in the pki folder, without changing it. */
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/check.h"
#include "builder/pki/pki.h"
#include "builder/pki/swap.h"
#include "builder/pki/work.h"

static void fault(struct texts *faults, const char *text)
{
    if (!texts_have(faults, text))
        texts_add(faults, text);
}

static void fault_of(struct texts *faults, const char *name, const char *suffix, const char *text)
{
    char *line AUTO_FREE = heap_printf("%s%s: %s", name, suffix, text);
    fault(faults, line);
}

static void verify_ca(struct pki_work *w, size_t i, struct texts *faults)
{
    const struct ca_options how = {.now = w->now};
    const char *stem = w->ids.items[i].stem;
    struct error why = ERROR_INIT;
    bool pending = false;
    if (swap_pending(w->folder, stem, &pending, &why) == 0 && pending)
        fault_of(faults, stem, "-new.pem", "it is on its way into its place: run `nodebake pki`");
    if (ca_prepare(&w->ids.items[i], &w->holdings[i], &how, &w->cas[i], &why) < 0)
        fault(faults, why.text);
    else if (w->cas[i].state == CA_ABSENT)
        fault_of(faults, stem, ".pem", "it is not there");
}

static void verify_cert(const struct pki_work *w, size_t i, struct texts *faults)
{
    const struct decision *d = &w->decisions[i];
    const char *stem = w->ids.items[i].stem;
    if (d->verdict == VERDICT_REFUSE)
        fault(faults, d->why.text);
    else if (d->verdict == VERDICT_REISSUE)
        fault_of(faults, stem, ".pem", d->why.text);
    else if (d->verdict == VERDICT_ISSUE)
        fault_of(faults, stem, ".pem", "it is not there");
    if (d->verdict == VERDICT_ISSUE && d->new_key)
        fault_of(faults, stem, "-key.pem", "it is not there");
}

static void verify_output(const struct pki_work *w, const struct output *o, struct texts *faults)
{
    const char *kind = encryption_kind(w->cluster->kubernetes);
    if (*o->fault.text)
        fault(faults, o->fault.text);
    else if (!o->there)
        fault_of(faults, o->file, "", "it is not there");
    else if (o->kind == OUTPUT_KUBECONFIG || o->kind == OUTPUT_BOOTSTRAP) {
        /* What could not be read of what it is made of is told already. */
        output_faults(&w->input, &w->outputs, o, w->folder, faults);
    } else if (o->kind == OUTPUT_ENCRYPTION && strcmp(w->outputs.encryption.kind, kind) != 0) {
        char *text AUTO_FREE =
            heap_printf("Kubernetes %s takes the kind %s", w->cluster->kubernetes, kind);
        fault_of(faults, o->file, "", text);
    } else if (o->kind == OUTPUT_TOKEN && output_token_fault(&w->input, &w->outputs, w->now))
        fault_of(faults, o->file, "", output_token_fault(&w->input, &w->outputs, w->now));
}

int pki_verify(const struct cluster *cluster, const char *dir, struct texts *faults,
               struct error *err)
{
    struct pki_work w AUTO_WORK = {.folder = -1, .lock = -1};
    if (work_look(cluster, dir, &w, err) < 0)
        return -1;
    for (size_t i = 0; i < w.ids.ca_count; i++)
        verify_ca(&w, i, faults);
    work_decide(&w, w.now);
    for (size_t i = w.ids.ca_count; i < w.ids.count; i++)
        verify_cert(&w, i, faults);
    for (size_t i = 0; i < w.outputs.count; i++)
        verify_output(&w, &w.outputs.items[i], faults);
    return 0;
}
