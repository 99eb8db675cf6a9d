/* A subcommand: its entry says what it is, takes and needs; help, completion and the checks
 * before it runs come from there. */
#ifndef NB_BUILDER_COMMAND_H
#define NB_BUILDER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/cluster/cluster.h"
#include "builder/install.h"
#include "common/attributes.h"
#include "common/error.h"

enum { COMMAND_OPTIONS_MAX = 16, COMMAND_VALUES_MAX = 64 };

/* A long option; one without an argument is a flag. */
struct option_spec {
    const char *name;     /* "cluster" for --cluster */
    const char *argument; /* "FILE", or NULL */
    const char *help;
};

/* What stood on the command line. */
struct args {
    struct {
        const struct option_spec *option;
        const char *value; /* "" for a flag */
    } values[COMMAND_VALUES_MAX];
    size_t value_count;
    char *const *operands;
    size_t operand_count;
    const struct cluster *cluster; /* with NEEDS_CLUSTER */
    const struct install *install; /* with NEEDS_INSTALL */
    struct problems *problems; /* of a file that cannot be used; printed when the command fails */
};

enum {
    NEEDS_CLUSTER = 1,  /* --cluster FILE is read before the command runs */
    NEEDS_INSTALL = 2,  /* nodebake's own files are found; the cluster's profile and release, too */
    NEEDS_QEMU_IMG = 4, /* qemu-img is in PATH */
    NEEDS_BASE = 8,     /* what the cluster file names for a build is there */
};

struct command {
    const char *name;
    const char *operands; /* "[ROLE|NODE]...", or "" */
    const char *summary;  /* one line */
    const char *details;  /* what the summary leaves open; ends with a newline */
    struct option_spec options[COMMAND_OPTIONS_MAX]; /* ends with one that has no name */
    size_t operands_min, operands_max;
    bool passes_on; /* options end at the first operand: what follows is for another program */
    unsigned needs;
    /* 0, the exit status of a program that it ran, or -1 with an error. */
    int (*run)(const struct args *args, struct error *err);
};

#define OPTION_CLUSTER                                                                             \
    {                                                                                              \
        "cluster", "FILE", "the cluster file (default: cluster.yaml)"                              \
    }
#define OPTION_QUIET                                                                               \
    {                                                                                              \
        "quiet", NULL, "no progress"                                                               \
    }

/* The commands of main.c, NULL at the end. */
extern const struct command *const commands[];

/* The last value given to the option, or NULL. */
const char *args_value(const struct args *args, const char *option) NONNULL(1, 2);

/* The n-th value given to a repeatable option, or NULL. */
const char *args_nth(const struct args *args, const char *option, size_t n) NONNULL(1, 2);

/* Was the flag given? */
bool args_flag(const struct args *args, const char *option) NONNULL(1, 2);

/* Reads a command line (argv[0] is the command's name). 0, or -1 with a usage error. */
int args_parse(const struct command *command, int argc, char *const *argv, struct args *out,
               struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* Prints a command's help to standard output. */
void command_help(const struct command *command) NONNULL(1);

#endif
