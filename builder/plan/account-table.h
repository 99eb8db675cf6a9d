/* A file of the form of /etc/passwd: lines of fields that colons separate. */
#ifndef NB_BUILDER_ACCOUNT_TABLE_H
#define NB_BUILDER_ACCOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/base.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { ACCOUNT_FIELDS_MAX = 9 };

struct account_row {
    char *other; /* a line that names nobody (empty, a comment, one for NIS), else NULL */
    char *fields[ACCOUNT_FIELDS_MAX];
};

struct account_table {
    const char *path; /* borrowed */
    size_t width;     /* fields of a row */
    struct account_row *rows;
    size_t count, cap;
    bool changed;
};

/* Reads a file whose rows have `width` fields; a line with another number of them, without a name,
 * or with a NUL is an error that names file and line. */
int account_table_read(const struct base_file *file, size_t width, struct account_table *out,
                       struct error *err) NONNULL(1, 3, 4) MUST_CHECK;

/* The first row of that name, or NULL; valid until the next account_table_add. */
struct account_row *account_table_find(const struct account_table *table, const char *name)
    NONNULL(1, 2);

/* Appends a row of the table's width; copies the fields. */
void account_table_add(struct account_table *table, const char *const *fields) NONNULL(1, 2);

/* Replaces a field of a row of the table by a copy of the text. */
void account_table_set(struct account_table *table, struct account_row *row, size_t field,
                       const char *text) NONNULL(1, 2, 4);

/* The field as a decimal number, at most 4294967294; false when it is none. */
bool account_row_number(const struct account_row *row, size_t field, uint32_t *out) NONNULL(1, 3);

/* The whole text, to be freed with buffer_free. */
struct buffer account_table_text(const struct account_table *table) NONNULL(1);

/* Frees what the table holds; passwords are wiped. */
void account_table_free(struct account_table *table) NONNULL(1);
#define AUTO_TABLE __attribute__((cleanup(account_table_free)))

#endif
