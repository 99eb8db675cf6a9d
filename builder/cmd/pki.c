#include "builder/pki/pki.h"

#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/pki/convert.h"
#include "builder/pki/passphrase.h"

static int read_options(const struct args *args, struct pki_options *o, struct error *err)
{
    o->new_ca = args_flag(args, "new-ca");
    o->dry_run = args_flag(args, "dry-run");
    return pki_read_renew(args, &o->renew_before, err);
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
    if (pki_passphrase(args, err) < 0 || read_options(args, &options, err) < 0 ||
        convert(args, dir, &converts, &report.converted, err) < 0)
        return -1;
    /* What would be issued after it is told by a folder as it would be only. */
    bool ends = converts && options.dry_run;
    if (!ends && pki_issue(args->cluster, dir, &options, &report, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return pki_report_json(dir, options.dry_run, &report, err);
    if (!ends)
        pki_report_show(dir, options.dry_run, &report);
    if (report.count && !options.dry_run)
        printf("%s: %u files issued\n", dir, report.written);
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
                OPTION_RENEW,
                {"new-ca", NULL, "replace the CA, and issue all certificates anew"},
                {"dry-run", NULL, "say what would be done, write nothing"},
                OPTION_JSON,
                OPTION_QUIET},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
