#include "builder/cmd/pki-common.h"

#include <stdio.h>

#include "builder/duration.h"
#include "builder/heap.h"

enum { RENEW_HOURS_MAX = 100 * 8766 };

char *pki_folder(const struct args *args)
{
    const char *given = args_value(args, "pki");
    return given ? heap_copy(given) : cluster_path(args->cluster, "pki");
}

int pki_print_json(json_t *json, struct error *err)
{
    int result = json_dumpf(json, stdout, JSON_INDENT(2));
    json_decref(json);
    printf("\n");
    return result < 0 ? error_set(err, "JSON could not be written") : 0;
}

json_t *pki_json_texts(const struct texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}

int pki_read_renew(const struct args *args, unsigned *hours, struct error *err)
{
    const char *renew = args_value(args, "renew-before");
    if (renew && duration_hours(renew, 0, RENEW_HOURS_MAX, hours, err) < 0)
        return error_context(err, "--renew-before");
    return 0;
}

int pki_report_json(const char *dir, bool dry_run, const struct pki_report *report,
                    struct error *err)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct pki_step *s = &report->steps[i];
        json_array_append_new(steps, json_pack("{s:s, s:s, s:b, s:s}", "file", s->file, "action",
                                               pki_action_word(s->action), "newKey",
                                               (int)s->new_key, "why", s->why));
    }
    return pki_print_json(json_pack("{s:s, s:b, s:i, s:i, s:o}", "folder", dir, "dryRun",
                                    (int)dry_run, "converted", (int)report->converted, "written",
                                    (int)report->written, "steps", steps),
                          err);
}

void pki_report_show(const char *dir, bool dry_run, const struct pki_report *report)
{
    static const char *const done[] = {
        [PKI_ISSUE] = "issued",  [PKI_REISSUE] = "reissued",  [PKI_REPLACE] = "replaced",
        [PKI_WRITE] = "written", [PKI_REQUEST] = "requested", [PKI_IMPORT] = "imported"};
    for (size_t i = 0; i < report->count; i++) {
        const struct pki_step *s = &report->steps[i];
        printf("%s/%s: %s%s%s: %s\n", dir, s->file, dry_run ? "would be " : "", done[s->action],
               s->new_key ? " with a new key" : "", s->why);
    }
    if (!report->count)
        printf("%s: nothing to do\n", dir);
}
