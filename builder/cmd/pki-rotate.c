#include <stdio.h>
#include <stdlib.h>

#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/pki/pki.h"

static int run(const struct args *args, struct error *err)
{
    char *dir AUTO_FREE = pki_folder(args), *name AUTO_FREE = NULL;
    bool dry = args_flag(args, "dry-run");
    if (pki_passphrase(args, err) < 0 ||
        pki_rotate_encryption(args->cluster, dir, dry, &name, err) < 0)
        return -1;
    printf("%s/encryption-config.yaml: %s %s first\n", dir, name, dry ? "would be" : "is");
    return 0;
}

const struct command cmd_pki_rotate = {
    .name = "pki rotate-encryption",
    .operands = "",
    .summary = "Puts a new key first in the encryption configuration",
    .details =
        "The API servers encrypt with the first key; what older ones encrypted stays readable.\n",
    .options = {OPTION_CLUSTER,
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                {"dry-run", NULL, "check everything, say what would be done, write nothing"}},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
