#include "builder/pki/pki.h"

#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"

static int read_options(const struct args *args, struct pki_options *o, struct error *err)
{
    o->new_ca = args_flag(args, "new-ca");
    o->dry_run = args_flag(args, "dry-run");
    return pki_read_renew(args, &o->renew_before, err);
}

static int run(const struct args *args, struct error *err)
{
    struct pki_options options = {0};
    struct pki_report report AUTO_PKI_REPORT = {0};
    char *dir AUTO_FREE = pki_folder(args);
    if (read_options(args, &options, err) < 0 ||
        pki_issue(args->cluster, dir, &options, &report, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return pki_report_json(dir, options.dry_run, &report, err);
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
        "as it is. A CA is replaced with --new-ca only.\n",
    .options = {OPTION_CLUSTER,
                OPTION_PKI,
                OPTION_RENEW,
                {"new-ca", NULL, "replace the CA, and issue all certificates anew"},
                {"dry-run", NULL, "say what would be done, write nothing"},
                OPTION_JSON,
                OPTION_QUIET},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
