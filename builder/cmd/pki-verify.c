#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/pki/pki.h"

static int run(const struct args *args, struct error *err)
{
    struct texts faults AUTO_TEXTS = {0};
    char *dir AUTO_FREE = pki_folder(args);
    if (pki_passphrase(args, err) < 0 || pki_verify(args->cluster, dir, &faults, err) < 0)
        return -1;
    if (args_flag(args, "json")) {
        if (pki_print_json(
                json_pack("{s:s, s:o}", "folder", dir, "faults", pki_json_texts(&faults)), err) < 0)
            return -1;
    } else {
        for (size_t i = 0; i < faults.count; i++)
            printf("%s\n", faults.items[i]);
    }
    if (!faults.count)
        return 0;
    return error_set(err, "%s: %zu fault%s", dir, faults.count, faults.count == 1 ? "" : "s");
}

const struct command cmd_pki_verify = {
    .name = "pki verify",
    .operands = "",
    .summary = "Checks certificates, keys and kubeconfigs against the cluster file",
    .details =
        "Who issued each certificate, its key, dates, usages and names; the CAs, certificates and\n"
        "servers in kubeconfigs; the encryption configuration; owners and modes. Changes nothing.\n"
        "Prints a line a fault and ends with 1; prints nothing when all is well.\n",
    .options = {OPTION_CLUSTER, OPTION_PKI, OPTIONS_PASSPHRASE, OPTION_JSON},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
