#include "builder/plan/account-table.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static void free_field(char *field)
{
    if (field)
        explicit_bzero(field, strlen(field));
    free(field);
}

static char *copy_bytes(const char *bytes, size_t n)
{
    char *copy = heap_array(n + 1, 1);
    memcpy(copy, bytes, n);
    return copy;
}

/* libc passes over comments and empty lines; lines with a sign are NIS's. */
static bool names_somebody(const char *line, size_t len)
{
    return len && !strchr("#+-", *line) && strspn(line, " \t") < len;
}

static int read_row(struct account_table *table, const char *line, size_t len, struct error *err)
{
    struct account_row *row = APPEND(table->rows, table->count, table->cap);
    size_t n = 0;
    if (!names_somebody(line, len)) {
        row->other = copy_bytes(line, len);
        return 0;
    }
    for (const char *at = line, *end = line + len;; n++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *stop = colon ? colon : end;
        if (n < table->width)
            row->fields[n] = copy_bytes(at, (size_t)(stop - at));
        if (!colon)
            break;
        at = colon + 1;
    }
    if (n + 1 != table->width || !*row->fields[0])
        return error_set(err, "%s:%zu: not a name and %zu fields behind it, separated by colons",
                         table->path, table->count, table->width - 1);
    return 0;
}

int account_table_read(const struct base_file *file, size_t width, struct account_table *out,
                       struct error *err)
{
    struct account_table table AUTO_TABLE = {.path = file->path, .width = width};
    const char *end = file->text + file->len;
    if (memchr(file->text, '\0', file->len))
        return error_set(err, "%s: holds a NUL byte; not a text", file->path);
    for (const char *at = file->text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        if (read_row(&table, at, (size_t)(stop - at), err) < 0)
            return -1;
        at = newline ? newline + 1 : end;
    }
    *out = table;
    table = (struct account_table){0};
    return 0;
}

struct account_row *account_table_find(const struct account_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (!table->rows[i].other && strcmp(table->rows[i].fields[0], name) == 0)
            return &table->rows[i];
    return NULL;
}

void account_table_add(struct account_table *table, const char *const *fields)
{
    struct account_row *row = APPEND(table->rows, table->count, table->cap);
    for (size_t i = 0; i < table->width; i++)
        row->fields[i] = heap_copy(fields[i]);
    table->changed = true;
}

void account_table_set(struct account_table *table, struct account_row *row, size_t field,
                       const char *text)
{
    if (strcmp(row->fields[field], text) == 0)
        return;
    char *copy = heap_copy(text);
    free_field(row->fields[field]);
    row->fields[field] = copy;
    table->changed = true;
}

bool account_row_number(const struct account_row *row, size_t field, uint32_t *out)
{
    const char *text = row->fields[field];
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10)
        return false;
    unsigned long long n = strtoull(text, NULL, 10);
    *out = (uint32_t)n;
    return n < UINT32_MAX;
}

struct buffer account_table_text(const struct account_table *table)
{
    struct buffer text = buffer_heap();
    for (size_t i = 0; i < table->count; i++) {
        const struct account_row *row = &table->rows[i];
        for (size_t f = 0; !row->other && f < table->width; f++)
            buffer_printf(&text, "%s%s", f ? ":" : "", row->fields[f]);
        buffer_printf(&text, "%s\n", row->other ? row->other : "");
    }
    return text;
}

void account_table_free(struct account_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].other);
        for (size_t f = 0; f < ACCOUNT_FIELDS_MAX; f++)
            free_field(table->rows[i].fields[f]);
    }
    free(table->rows);
}
