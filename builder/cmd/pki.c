#include "builder/pki/pki.h"

#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/duration.h"
#include "builder/heap.h"
#include "builder/pki/convert.h"
#include "builder/pki/passphrase.h"

enum { RENEW_HOURS_MAX = 100 * 8766 };

static int read_options(const struct args *args, struct pki_options *o, struct error *err)
{
    const char *renew = args_value(args, "renew-before");
    o->new_ca = args_flag(args, "new-ca");
    o->dry_run = args_flag(args, "dry-run");
    if (renew && duration_hours(renew, 0, RENEW_HOURS_MAX, &o->renew_before, err) < 0)
        return error_context(err, "--renew-before");
    return 0;
}

static int show_json(const char *dir, const struct pki_options *o, const struct pki_report *report,
                     unsigned converted, struct error *err)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct pki_step *s = &report->steps[i];
        json_array_append_new(steps, json_pack("{s:s, s:s, s:b, s:s}", "file", s->file, "action",
                                               pki_action_word(s->action), "newKey",
                                               (int)s->new_key, "why", s->why));
    }
    return pki_print_json(json_pack("{s:s, s:b, s:i, s:i, s:o}", "folder", dir, "dryRun",
                                    (int)o->dry_run, "converted", (int)converted, "written",
                                    (int)report->written, "steps", steps),
                          err);
}

static void show(const char *dir, const struct pki_options *o, const struct pki_report *report)
{
    static const char *const done[] = {[PKI_ISSUE] = "issued",
                                       [PKI_REISSUE] = "reissued",
                                       [PKI_REPLACE] = "replaced",
                                       [PKI_WRITE] = "written"};
    for (size_t i = 0; i < report->count; i++) {
        const struct pki_step *s = &report->steps[i];
        printf("%s/%s: %s%s%s: %s\n", dir, s->file, o->dry_run ? "would be " : "", done[s->action],
               s->new_key ? " with a new key" : "", s->why);
    }
    if (!report->count)
        printf("%s: nothing to do\n", dir);
    else if (!o->dry_run)
        printf("%s: %u files issued\n", dir, report->written);
}

/* What the command line asks for beside issuing. */
static const struct {
    const char *option, *deed;
    enum conversion how;
} conversions[] = {
    {"encrypt", "encrypted", CONVERT_ENCRYPT},
    {"decrypt", "decrypted", CONVERT_DECRYPT},
    {"new-passphrase-file", "encrypted with the new passphrase", CONVERT_CHANGE},
};

/* Sets the index of the conversion, or -1. */
static int choose_conversion(const struct args *args, int *chosen, struct error *err)
{
    *chosen = -1;
    for (size_t i = 0; i < ARRAY_LEN(conversions); i++) {
        if (!args_value(args, conversions[i].option))
            continue;
        if (*chosen >= 0)
            return error_set(err, "--%s and --%s exclude each other", conversions[*chosen].option,
                             conversions[i].option);
        *chosen = (int)i;
    }
    if (*chosen >= 0 && !passphrase_given(PASSPHRASE_NOW))
        return error_set(err, "--%s needs --passphrase-file or --passphrase-fd",
                         conversions[*chosen].option);
    return 0;
}

/* Counts the files; *asked: it was asked for. */
static int convert(const struct args *args, const char *dir, bool *asked, unsigned *count,
                   struct error *err)
{
    int i;
    bool dry = args_flag(args, "dry-run");
    const char *next = args_value(args, "new-passphrase-file");
    if (choose_conversion(args, &i, err) < 0)
        return -1;
    if (i < 0)
        return 0;
    if (next && passphrase_read_file(PASSPHRASE_NEXT, next, err) < 0)
        return error_context(err, "--new-passphrase-file");
    if (pki_convert(dir, conversions[i].how, dry, count, err) < 0)
        return -1;
    *asked = true;
    if ((*count || dry) && !args_flag(args, "json"))
        printf("%s: %u files %s%s\n", dir, *count, dry ? "would be " : "", conversions[i].deed);
    return 0;
}

static int run(const struct args *args, struct error *err)
{
    struct pki_options options = {0};
    struct pki_report report AUTO_PKI_REPORT = {0};
    char *dir AUTO_FREE = pki_folder(args);
    bool converts = false;
    unsigned converted = 0;
    if (pki_passphrase(args, err) < 0 || read_options(args, &options, err) < 0 ||
        convert(args, dir, &converts, &converted, err) < 0)
        return -1;
    /* What would be issued after it is told by a folder as it would be only. */
    bool ends = converts && options.dry_run;
    if (!ends && pki_issue(args->cluster, dir, &options, &report, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return show_json(dir, &options, &report, converted, err);
    if (!ends)
        show(dir, &options, &report);
    return 0;
}

const struct command cmd_pki = {
    .name = "pki",
    .operands = "",
    .summary = "Issues the cluster's certificates, kubeconfigs and secrets",
    .details =
        "Issues what is missing in DIR, and anew what does not fit the cluster file any more or\n"
        "has expired, for the key that is there; says what and why. What is valid and fits stays\n"
        "as it is. A CA is replaced with --new-ca only. With a passphrase, all secrets that are\n"
        "written are encrypted; what lies plain is converted with --encrypt only.\n",
    .options = {OPTION_CLUSTER,
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                {"encrypt", NULL, "encrypt the secrets that lie plain in DIR"},
                {"decrypt", NULL, "write all secrets in DIR plain"},
                {"new-passphrase-file", "FILE", "change the passphrase to the first line of FILE"},
                {"renew-before", "TIME", "issue anew what ends within TIME, such as 720h or 30d"},
                {"new-ca", NULL, "replace the CA, and issue all certificates anew"},
                {"dry-run", NULL, "say what would be done, write nothing"},
                OPTION_JSON,
                OPTION_QUIET},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
