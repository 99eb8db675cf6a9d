#include "builder/yaml/problems.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

void problems_name(struct problems *problems, const char *file)
{
    free(problems->file);
    problems->file = heap_copy(file);
}

/* By place; those of one place stay in the order in which they were found. */
static bool is_before(const struct problem *a, const struct problem *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static bool is_known(const struct problems *problems, size_t line, size_t column, const char *text)
{
    for (const struct problem *p = problems->items; p < problems->items + problems->count; p++)
        if (p->line == line && p->column == column && strcmp(p->text, text) == 0)
            return true;
    return false;
}

void problems_add(struct problems *problems, size_t line, size_t column, const char *text)
{
    struct problem new = {line, column, NULL}, *items = problems->items;
    size_t at = problems->count;
    while (at && is_before(&new, &items[at - 1]))
        at--;
    if (is_known(problems, line, column, text))
        return;
    if (problems->count == PROBLEMS_MAX) {
        problems->more++;
        if (at == PROBLEMS_MAX)
            return;
        free(items[--problems->count].text);
    }
    memmove(&items[at + 1], &items[at], (problems->count - at) * sizeof *items);
    new.text = heap_copy(text);
    items[at] = new;
    problems->count++;
}

int problems_settle(const struct problems *problems, int result, struct error *err)
{
    size_t n = problems->count + problems->more;
    if (!n)
        return result;
    return error_set(err, "%s: %zu problem%s", problems->file, n, n == 1 ? "" : "s");
}

int problems_first(const struct problems *problems, int result, struct error *err)
{
    static const char unknown[] = "unknown key '", known[] = "'; known here: ";
    if (!problems->count)
        return result;
    const struct problem *first = &problems->items[0];
    const char *list = strstr(first->text, known);
    /* A key like a known one is no secret. */
    if (list && strncmp(first->text, unknown, strlen(unknown)) == 0)
        return error_set(err, "%s:%zu: unknown key; %s", problems->file, first->line,
                         list + strlen("'; "));
    return error_set(err, "%s:%zu: %s", problems->file, first->line, first->text);
}

void problems_print(const struct problems *problems, FILE *out)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(out, "%s:%zu:%zu: %s\n", problems->file, problems->items[i].line,
                problems->items[i].column, problems->items[i].text);
    if (problems->more)
        fprintf(out, "%s: and %zu more\n", problems->file, problems->more);
}

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->items[i].text);
    free(problems->file);
    *problems = (struct problems){0};
}
