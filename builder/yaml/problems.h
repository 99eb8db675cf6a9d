/* What is wrong in a file: all of it, so that one run tells the user everything. */
#ifndef NB_BUILDER_PROBLEMS_H
#define NB_BUILDER_PROBLEMS_H

#include <stddef.h>
#include <stdio.h>

#include "common/attributes.h"
#include "common/error.h"

enum { PROBLEMS_MAX = 50 };

/* What is wrong at a place, and what would be right: one line, printable. */
struct problem {
    size_t line, column; /* from 1; columns are characters */
    char *text;
};

/* The problems of one file, sorted by place. Zeroed: there are none. */
struct problems {
    char *file;
    struct problem items[PROBLEMS_MAX];
    size_t count;
    size_t more; /* behind those, which are only counted */
};

/* Names the file whose problems they are. */
void problems_name(struct problems *problems, const char *file) NONNULL(1, 2);

/* Adds one, unless it is there already. */
void problems_add(struct problems *problems, size_t line, size_t column, const char *text)
    NONNULL(1, 4);

/* What reading the file came to: `result`, or -1 when there are problems; then the error tells
 * their number. */
int problems_settle(const struct problems *problems, int result, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

/* The same for a file that holds secrets: the error is the first problem, "FILE:LINE: …", which
 * does not cite a key that is not known. */
int problems_first(const struct problems *problems, int result, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

/* Prints a line "FILE:LINE:COLUMN: …" for each, and how many more there are. */
void problems_print(const struct problems *problems, FILE *out) NONNULL(1, 2);

/* Frees what the struct holds. */
void problems_free(struct problems *problems);
#define AUTO_PROBLEMS __attribute__((cleanup(problems_free)))

#endif
