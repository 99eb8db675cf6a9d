#include "firstboot/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { USAGE = 2 };

static const struct option_row {
    const char *name;
    const char *value; /* what it is called in the help; NULL: a switch */
    size_t field;      /* of struct options */
    const char *help;
} rows[] = {
    {"--root", "DIR", offsetof(struct options, root), "the root file system to finish (/)"},
    {"--facts", "FILE", offsetof(struct options, facts),
     "take the facts from lines NAME=VALUE, not from metadata"},
    {"--dmi", "DIR", offsetof(struct options, dmi), "what the firmware says (/sys/class/dmi/id)"},
    {"--kmsg", NULL, offsetof(struct options, kmsg), "report to the kernel's log"},
    {"--state", "DIR", offsetof(struct options, state),
     "tell the outcome in DIR/firstboot.json, too"},
    {"--obey", NULL, offsetof(struct options, obey),
     "after a failure do what the contract says: power off, or exit 3 for a shell"},
    {"--dry-run", NULL, offsetof(struct options, dry_run), "say what would be written"},
    {"--version", NULL, 0, "print the version"},
    {"--help", NULL, 0, "print this"},
};

static void help(void)
{
    dprintf(STDOUT_FILENO, "Usage: firstboot [OPTION]...\n"
                           "Finishes this node: asks its metadata for the contract's facts, writes "
                           "its files, enables its units.\n\n");
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char left[32];
        snprintf(left, sizeof left, "%s%s%s", rows[i].name, rows[i].value ? " " : "",
                 rows[i].value ? rows[i].value : "");
        dprintf(STDOUT_FILENO, "  %-14s  %s\n", left, rows[i].help);
    }
    dprintf(STDOUT_FILENO, "\nExit status: 0 finished (now or before), 1 could not finish, "
                           "2 wrong usage, 3 could not finish and a shell is wanted.\n");
}

static int wrong(const char *what, const char *arg)
{
    dprintf(STDERR_FILENO, "firstboot: %s '%s'; see firstboot --help\n", what, arg);
    return USAGE;
}

/* Finds the row of `arg`, NAME or NAME=VALUE; *value is what follows the =, or NULL. */
static const struct option_row *find(const char *arg, const char **value)
{
    size_t n = strcspn(arg, "=");
    *value = arg[n] ? arg + n + 1 : NULL;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == n && strncmp(rows[i].name, arg, n) == 0)
            return &rows[i];
    return NULL;
}

int options_parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){.root = "/", .dmi = "/sys/class/dmi/id"};
    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct option_row *row = find(argv[i], &value);
        if (!row)
            return wrong("unknown option", argv[i]);
        if (!row->value && value)
            return wrong("no value belongs to", row->name);
        if (row->value && !value && i + 1 < argc)
            value = argv[++i];
        if (row->value && !(value && *value))
            return wrong("a value is missing after", row->name);
        char *field = (char *)out + row->field;
        if (strcmp(row->name, "--help") == 0) {
            help();
            return 0;
        }
        if (strcmp(row->name, "--version") == 0) {
            dprintf(STDOUT_FILENO, "firstboot " NODEBAKE_VERSION "\n");
            return 0;
        }
        if (row->value)
            memcpy(field, &value, sizeof value);
        else
            memcpy(field, &(bool){true}, sizeof(bool));
    }
    return -1;
}
