/* What the files that follow maintainer scripts share. */
#ifndef NB_BUILDER_SCRIPT_RUN_H
#define NB_BUILDER_SCRIPT_RUN_H

#include <stdbool.h>

#include "builder/package/scripts.h"
#include "builder/package/shell.h"

/* How a command went. */
enum outcome {
    WENT_WELL,
    FAILED,  /* which ends a script under set -e */
    UNTRUE,  /* a condition that did not hold; it does not end the script */
    RETURNS, /* the function ends, well */
    EXITS,   /* the script ends, well */
    REFUSED, /* not known to be harmless; err says why */
    BROKEN   /* the system could not be asked; err says why */
};

enum { SCRIPT_FUNCTIONS_MAX = 64, SCRIPT_STEPS_MAX = 10000, SCRIPT_CALLS_MAX = 16 };

/* Words of a command, expanded. */
struct words {
    char **items;
    size_t count, cap;
};

/* A script that is being followed. */
struct script_run {
    const struct script_system *system;
    struct script_actions *actions;
    const char *const *args; /* $1, … of the script, or of the function that runs */
    size_t arg_count;
    const struct shell_node *functions[SCRIPT_FUNCTIONS_MAX];
    size_t function_count, steps, calls;
    bool errexit; /* set -e */
    unsigned line;
    struct error *err;
};

/* Sets the error, with the line; returns REFUSED. */
enum outcome script_refuse(struct script_run *run, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* Appends what the word stands for; WENT_WELL or REFUSED. */
enum outcome script_expand(struct script_run *run, const struct shell_word *word, struct words *out)
    NONNULL(1, 2, 3);

/* Follows a command of the table by its words, of which there is at least one; REFUSED when the
 * table has none of that name. Its redirects are the node's. */
enum outcome script_command(struct script_run *run, const struct words *words,
                            const struct shell_node *node) NONNULL(1, 2, 3);

/* Is there anything at the path, in the system or made by the script? WENT_WELL, FAILED, REFUSED
 * or BROKEN. */
enum outcome script_exists(struct script_run *run, const char *path) NONNULL(1, 2);

/* Frees what it holds. */
void words_free(struct words *words);
#define AUTO_WORDS __attribute__((cleanup(words_free)))

#endif
