/* How the lab is shown: a table, and the progress of machines until they are ready. */
#ifndef NB_BUILDER_LAB_VIEW_H
#define NB_BUILDER_LAB_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "common/attributes.h"
#include "common/buffer.h"

/* Appends a line a node: name, role, state, address, since when, and why. */
void view_table(const json_t *status, time_t now, struct buffer *out) NONNULL(1, 3);

/* Appends a time span as people read it: 7 s, 3 min 5 s, 2 h 10 min. */
void view_span(long seconds, struct buffer *out) NONNULL(2);

/* Progress of some nodes, on standard error: redrawn on a terminal, elsewhere a line a change. */
struct view {
    bool terminal, quiet;
    double begun;
    size_t drawn;      /* lines that stand on the terminal */
    char (*shown)[32]; /* states, by index of the nodes */
    const char *const *names;
    size_t count;
};

/* Shows how the nodes are now. */
void view_progress(struct view *view, const json_t *status, time_t now) NONNULL(1, 2);

#endif
