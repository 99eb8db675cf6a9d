/* A growing list of texts on the heap. */
#ifndef NB_BUILDER_TEXTS_H
#define NB_BUILDER_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

struct texts {
    char **items;
    size_t count, cap;
};

/* Appends a copy. */
void texts_add(struct texts *texts, const char *text) NONNULL(1, 2);

/* Does the text stand in the list? */
bool texts_have(const struct texts *texts, const char *text) NONNULL(1, 2);

/* Frees what the struct holds. */
void texts_free(struct texts *texts) NONNULL(1);
#define AUTO_TEXTS __attribute__((cleanup(texts_free)))

#endif
