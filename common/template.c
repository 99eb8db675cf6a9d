#include "common/template.h"

#include <stdbool.h>
#include <string.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_name_byte(char c)
{
    return is_upper(c) || (c >= '0' && c <= '9') || c == '_';
}

enum piece_kind { PIECE_TEXT, PIECE_AT, PIECE_NAME };

/* One piece of a template: a run of plain text, an escaped @, or a name. */
struct piece {
    enum piece_kind kind;
    const char *text;
    size_t len;
    char name[FACT_NAME_MAX];
};

static struct piece at_piece(const char *text, size_t left)
{
    struct piece p = {.kind = PIECE_TEXT, .text = text, .len = 1};
    if (left > 1 && text[1] == '@') {
        p.kind = PIECE_AT;
        p.len = 2;
        return p;
    }
    size_t n = 0;
    while (n + 1 < left && n < FACT_NAME_MAX && is_name_byte(text[n + 1]))
        n++;
    if (n == 0 || n == FACT_NAME_MAX || n + 1 >= left || text[n + 1] != '@' || !is_upper(text[1]))
        return p; /* a lone @ */
    p.kind = PIECE_NAME;
    p.len = n + 2;
    memcpy(p.name, text + 1, n);
    p.name[n] = '\0';
    return p;
}

static struct piece next_piece(const char *text, size_t left)
{
    if (*text == '@')
        return at_piece(text, left);
    const char *at = memchr(text, '@', left);
    return (struct piece){.kind = PIECE_TEXT, .text = text, .len = at ? (size_t)(at - text) : left};
}

/* Appends literal text; in a template each @ of it is doubled. */
static void add_literal(struct buffer *out, const char *text, size_t len, bool escape)
{
    for (size_t i = 0; i < len; i++) {
        if (escape && text[i] == '@')
            buffer_puts(out, "@");
        buffer_add(out, text + i, 1);
    }
}

/* Resolves every name: counts those that stay, fails at the first unknown one. */
static int count_later(const char *text, size_t len, template_lookup *lookup, void *ctx,
                       unsigned *later, struct error *err)
{
    unsigned line = 1;
    *later = 0;
    for (size_t i = 0; i < len;) {
        struct piece p = next_piece(text + i, len - i);
        const char *value = NULL;
        if (p.kind == PIECE_NAME) {
            enum template_answer answer = lookup(ctx, p.name, &value);
            if (answer == TEMPLATE_UNKNOWN)
                return error_set(err, "line %u: nothing supplies @%s@", line, p.name);
            *later += answer == TEMPLATE_LATER;
        }
        for (size_t j = 0; j < p.len; j++)
            line += text[i + j] == '\n';
        i += p.len;
    }
    return 0;
}

int template_render(struct buffer *out, const char *text, size_t len, template_lookup *lookup,
                    void *ctx, unsigned *later, struct error *err)
{
    unsigned staying;
    buffer_puts(out, ""); /* an empty text is NUL-ended, too */
    if (count_later(text, len, lookup, ctx, &staying, err) < 0)
        return -1;
    for (size_t i = 0; i < len;) {
        struct piece p = next_piece(text + i, len - i);
        const char *value = NULL;
        if (p.kind == PIECE_TEXT)
            add_literal(out, p.text, p.len, staying > 0);
        else if (p.kind == PIECE_AT)
            add_literal(out, "@", 1, staying > 0);
        else if (lookup(ctx, p.name, &value) == TEMPLATE_LATER)
            buffer_printf(out, "@%s@", p.name);
        else
            add_literal(out, value, strlen(value), staying > 0);
        i += p.len;
    }
    if (out->overflow)
        return error_set(err, "the rendered text does not fit in %zu bytes", out->cap);
    if (later)
        *later = staying;
    return 0;
}
