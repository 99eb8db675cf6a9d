#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"

static int run(const struct args *args, struct error *err)
{
    struct pki_options options = {.new_ca = args_flag(args, "new-ca"),
                                  .dry_run = args_flag(args, "dry-run")};
    struct pki_report report AUTO_PKI_REPORT = {0};
    struct texts files AUTO_TEXTS = {0};
    char *dir AUTO_FREE = pki_folder(args);
    for (size_t i = 0; i < args->operand_count; i++)
        texts_add(&files, args->operands[i]);
    if (pki_passphrase(args, err) < 0 ||
        pki_import(args->cluster, dir, &files, &options, &report, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return pki_report_json(dir, options.dry_run, &report, err);
    pki_report_show(dir, options.dry_run, &report);
    if (report.count && !options.dry_run)
        printf("%s: %u files imported; `nodebake pki` writes the kubeconfigs\n", dir,
               report.written);
    return 0;
}

const struct command cmd_pki_import = {
    .name = "pki import",
    .operands = "FILE...",
    .summary = "Takes certificates that a CA elsewhere issued",
    .details =
        "FILE holds certificates in PEM form: one with those between it and the CA, in any order,\n"
        "or a CA's. Each is matched to the key that it belongs to, and checked; all are taken, or\n"
        "none. A CA that is there is replaced with --new-ca only.\n",
    .options = {OPTION_CLUSTER,
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                {"new-ca", NULL, "a CA among them replaces the one that is there"},
                {"dry-run", NULL, "check everything, say what would be done, write nothing"},
                OPTION_JSON},
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER,
    .run = run,
};
