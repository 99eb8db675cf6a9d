/* What the commands about the pki folder share. */
#ifndef NB_BUILDER_CMD_PKI_COMMON_H
#define NB_BUILDER_CMD_PKI_COMMON_H

#include <jansson.h>

#include "builder/command.h"
#include "builder/pki/pki.h"

/* The folder: --pki, or pki/ beside the cluster file. The caller frees it. */
char *pki_folder(const struct args *args) NONNULL(1);

/* Prints and frees the value. */
int pki_print_json(json_t *json, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* The texts as an array. */
json_t *pki_json_texts(const struct texts *texts) NONNULL(1);

/* Reads --renew-before into hours. */
int pki_read_renew(const struct args *args, unsigned *hours, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Prints what is done, or would be, in the folder: as JSON, or a line a step. */
int pki_report_json(const char *dir, bool dry_run, const struct pki_report *report,
                    struct error *err) NONNULL(1, 3, 4) MUST_CHECK;
void pki_report_show(const char *dir, bool dry_run, const struct pki_report *report) NONNULL(1, 3);

#define OPTION_PKI                                                                                 \
    {                                                                                              \
        "pki", "DIR", "folder of certificates and keys (default: pki/ beside FILE)"                \
    }
#define OPTION_RENEW                                                                               \
    {                                                                                              \
        "renew-before", "TIME", "issue anew what ends within TIME, such as 720h or 30d"            \
    }

/* Takes the passphrase that the command line names, if any. To be called before all else, by each
 * command that has OPTIONS_PASSPHRASE. */
int pki_passphrase(const struct args *args, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Two rows. */
#define OPTIONS_PASSPHRASE                                                                         \
    {"passphrase-file", "FILE", "the keys' passphrase is the first line of FILE"},                 \
    {                                                                                              \
        "passphrase-fd", "N", "... of what descriptor N gives"                                     \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", NULL, "print JSON"                                                                 \
    }

#endif
