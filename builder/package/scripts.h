/* Maintainer scripts: would one do nothing but what nodebake can do in its stead? */
#ifndef NB_BUILDER_SCRIPTS_H
#define NB_BUILDER_SCRIPTS_H

#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

enum script_action_kind {
    SCRIPT_LDCONFIG,     /* runs ldconfig */
    SCRIPT_ALTERNATIVES, /* runs update-alternatives with argv */
    SCRIPT_FILE          /* writes a file, 0644 root */
};

struct script_action {
    enum script_action_kind kind;
    char **argv; /* ends with NULL */
    char *path, *text;
};

/* What a run of scripts does, in order. */
struct script_actions {
    struct script_action *items;
    size_t count, cap;
};

/* The system that a script would run in. `exists`: is there anything at the path? 1, 0 or -1. */
struct script_system {
    int (*exists)(void *ctx, const char *path, struct error *err);
    void *ctx;
};

/* Follows a script as sh would run it with these arguments ($1, …), and appends what it does. 1, or
 * 0 when it is not known to be harmless (err says why: "line N: …"; nothing is appended), or -1
 * when the system could not be asked. Nothing is run. */
int script_judge(const char *text, size_t len, const char *const *args, size_t n,
                 const struct script_system *system, struct script_actions *out, struct error *err)
    NONNULL(1, 3, 5, 6, 7) MUST_CHECK;

/* Frees what it holds. */
void script_actions_free(struct script_actions *actions);
#define AUTO_ACTIONS __attribute__((cleanup(script_actions_free)))

#endif
