#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"

static int run(const struct args *args, struct error *err)
{
    struct pki_options options = {.dry_run = args_flag(args, "dry-run")};
    struct pki_report report AUTO_PKI_REPORT = {0};
    struct texts names AUTO_TEXTS = {0};
    char *dir AUTO_FREE = pki_folder(args);
    const char *out = args_value(args, "out");
    if (pki_passphrase(args, err) < 0)
        return -1;
    if (!out)
        return error_set(err, "--out DIR is missing: where the requests are to be written");
    for (size_t i = 0; i < args->operand_count; i++)
        texts_add(&names, args->operands[i]);
    if (pki_read_renew(args, &options.renew_before, err) < 0 ||
        pki_csr(args->cluster, dir, &names, out, &options, &report, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return pki_report_json(out, options.dry_run, &report, err);
    pki_report_show(out, options.dry_run, &report);
    if (report.count && !options.dry_run)
        printf("%s: %zu requests: have the CA sign them, then `nodebake pki import FILE...`\n", out,
               report.count);
    return 0;
}

const struct command cmd_pki_csr = {
    .name = "pki csr",
    .operands = "[NAME]...",
    .summary = "Writes requests for certificates, for a CA that lives elsewhere",
    .details =
        "NAME is one of `nodebake pki show`; by default all whose certificates `nodebake pki`\n"
        "would issue. Keys that are not there are made, and stay in the folder of keys.\n",
    .options = {OPTION_CLUSTER,
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                {"out", "DIR", "where to write NAME.csr; made when it is not there"},
                OPTION_RENEW,
                {"dry-run", NULL, "say what would be done, write nothing"},
                OPTION_JSON,
                OPTION_QUIET},
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER,
    .run = run,
};
