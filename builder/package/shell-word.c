/* Words of shell scripts, and here-documents. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/shell-read.h"

void shell_explain(struct shell_reader *r, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(r->err->text, sizeof r->err->text, "line %u: ", r->line);
    va_start(ap, fmt);
    vsnprintf(r->err->text + n, sizeof r->err->text - (size_t)n, fmt, ap);
    va_end(ap);
}

bool shell_sees(const struct shell_reader *r, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(r->end - r->at) >= n && memcmp(r->at, text, n) == 0;
}

static char next_of(const struct shell_reader *r)
{
    return r->at < r->end ? *r->at : '\0';
}

void shell_skip_blank(struct shell_reader *r)
{
    for (;;) {
        if (shell_sees(r, " ") || shell_sees(r, "\t")) {
            r->at++;
        } else if (shell_sees(r, "\\\n")) {
            r->at += 2;
            r->line++;
        } else if (shell_sees(r, "#")) {
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        } else {
            return;
        }
    }
}

static void add_part(struct shell_word *word, enum shell_part_kind kind, const char *text, size_t n)
{
    struct shell_part *last = word->count ? &word->parts[word->count - 1] : NULL;
    if (kind == PART_TEXT && last && last->kind == PART_TEXT) {
        char *joined = heap_printf("%s%.*s", last->text, (int)n, text);
        free(last->text);
        last->text = joined;
        return;
    }
    *APPEND(word->parts, word->count, word->cap) =
        (struct shell_part){kind, text ? heap_printf("%.*s", (int)n, text) : NULL};
}

static size_t name_length(const struct shell_reader *r)
{
    const char *p = r->at;
    if (p < r->end && isdigit((unsigned char)*p))
        return 1;
    while (p < r->end && (isalnum((unsigned char)*p) || *p == '_'))
        p++;
    return (size_t)(p - r->at);
}

static void add_name(struct shell_reader *r, struct shell_word *word, size_t n)
{
    bool digit = isdigit((unsigned char)*r->at);
    enum shell_part_kind kind = !digit ? PART_VARIABLE : *r->at == '0' ? PART_UNKNOWN : PART_PARAM;
    add_part(word, kind, r->at, n);
    r->at += n;
}

/* ${NAME}, ${NAME:-}; others are passed over when it is plain where they end. */
static int read_braces(struct shell_reader *r, struct shell_word *word)
{
    r->at += 2;
    const char *begin = r->at;
    size_t n = name_length(r);
    const char *close = r->at;
    while (close < r->end && !strchr("}\"'`$\\{\n", *close))
        close++;
    if (close == r->end || *close != '}')
        return shell_refuse(r, "an expansion that is not known");
    r->at += n;
    size_t rest = (size_t)(close - r->at);
    bool plain = n && (rest == 0 || (rest == 2 && memcmp(r->at, ":-", 2) == 0) ||
                       (rest == 1 && *r->at == '-'));
    r->at = begin;
    if (plain)
        add_name(r, word, n);
    else
        add_part(word, PART_UNKNOWN, NULL, 0);
    r->at = close + 1;
    return 0;
}

/* $( … ) holds a script of its own, whose end is where its grammar says. */
static int read_command(struct shell_reader *r, struct shell_word *word)
{
    struct shell_node *inner AUTO_SHELL = NULL;
    r->at += 2;
    if (shell_read_list(r, &inner) < 0)
        return -1;
    if (!shell_sees(r, ")"))
        return shell_refuse(r, "a $( without its )");
    r->at++;
    add_part(word, PART_UNKNOWN, NULL, 0);
    return 0;
}

static int read_backquotes(struct shell_reader *r, struct shell_word *word)
{
    for (r->at++; r->at < r->end && *r->at != '`'; r->at++) {
        r->line += *r->at == '\n';
        if (*r->at == '\\' && r->at + 1 < r->end)
            r->line += *++r->at == '\n';
    }
    if (r->at >= r->end)
        return shell_refuse(r, "a backquote without its other");
    r->at++;
    add_part(word, PART_UNKNOWN, NULL, 0);
    return 0;
}

static int read_dollar(struct shell_reader *r, struct shell_word *word, bool quoted)
{
    if (shell_sees(r, "$(("))
        return shell_refuse(r, "arithmetic is not known");
    if (shell_sees(r, "$("))
        return read_command(r, word);
    if (shell_sees(r, "${"))
        return read_braces(r, word);
    r->at++;
    size_t n = name_length(r);
    if (n) {
        add_name(r, word, n);
        return 0;
    }
    char c = next_of(r);
    if (c && strchr("@*#?$!-", c)) {
        add_part(word, quoted && c == '@' ? PART_ALL : PART_UNKNOWN, NULL, 0);
        r->at++;
        return 0;
    }
    if (c == '\'' || c == '"')
        return shell_refuse(r, "$%c is not known", c);
    add_part(word, PART_TEXT, "$", 1);
    return 0;
}

static int read_single(struct shell_reader *r, struct shell_word *word)
{
    const char *begin = ++r->at;
    while (r->at < r->end && *r->at != '\'')
        r->line += *r->at++ == '\n';
    if (r->at == r->end)
        return shell_refuse(r, "a quote without its other");
    add_part(word, PART_TEXT, begin, (size_t)(r->at - begin));
    r->at++;
    return 0;
}

/* A backslash in double quotes: it goes before these, joins lines, and is itself elsewhere. */
static void read_escape(struct shell_reader *r, struct shell_word *word)
{
    char c = r->at + 1 < r->end ? r->at[1] : '\0';
    if (c == '\n') {
        r->line++;
        r->at += 2;
    } else if (c && strchr("$`\"\\", c)) {
        add_part(word, PART_TEXT, r->at + 1, 1);
        r->at += 2;
    } else {
        add_part(word, PART_TEXT, r->at, 1);
        r->at++;
    }
}

static void read_run(struct shell_reader *r, struct shell_word *word, const char *ends)
{
    const char *begin = r->at;
    while (r->at < r->end && !strchr(ends, *r->at))
        r->line += *r->at++ == '\n';
    add_part(word, PART_TEXT, begin, (size_t)(r->at - begin));
}

static int read_double(struct shell_reader *r, struct shell_word *word)
{
    r->at++;
    while (r->at < r->end && *r->at != '"') {
        int result = 0;
        if (*r->at == '$')
            result = read_dollar(r, word, true);
        else if (*r->at == '`')
            result = read_backquotes(r, word);
        else if (*r->at == '\\')
            read_escape(r, word);
        else
            read_run(r, word, "\"$`\\");
        if (result < 0)
            return -1;
    }
    if (r->at >= r->end)
        return shell_refuse(r, "a quote without its other");
    r->at++;
    return 0;
}

/* A backslash outside of quotes; one before a newline joins lines. */
static int read_backslash(struct shell_reader *r, struct shell_word *word)
{
    if (r->at + 1 == r->end)
        return shell_refuse(r, "a backslash at the end");
    bool joins = r->at[1] == '\n';
    r->line += joins;
    add_part(word, PART_TEXT, r->at + 1, !joins);
    word->quoted = word->quoted || !joins;
    r->at += 2;
    return 0;
}

static int read_piece(struct shell_reader *r, struct shell_word *word)
{
    char c = *r->at;
    bool ends = r->at + 1 == r->end || strchr(" \t\n;", r->at[1]);
    switch (c) {
    case '\'':
    case '"':
        word->quoted = true;
        return c == '"' ? read_double(r, word) : read_single(r, word);
    case '$':
        return read_dollar(r, word, false);
    case '`':
        return read_backquotes(r, word);
    case '\\':
        return read_backslash(r, word);
    case '*':
    case '?':
    case '~':
    case '[':
        /* "[" alone is the command; a tilde matters at the beginning only. */
        add_part(word,
                 (c == '[' && word->count == 0 && ends) || (c == '~' && word->count) ? PART_TEXT
                                                                                     : PART_GLOB,
                 r->at++, 1);
        return 0;
    default:
        read_run(r, word, " \t\n;&|()<>'\"$`\\*?~[");
        return 0;
    }
}

int shell_read_word(struct shell_reader *r, struct shell_word *word)
{
    const char *begin = r->at;
    while (r->at < r->end && !strchr(" \t\n;&|()<>", *r->at))
        if (read_piece(r, word) < 0)
            return -1;
    if (r->at == begin)
        return shell_refuse(r, "a word is expected");
    return 0;
}

const char *shell_plain(const struct shell_word *word)
{
    return word->count == 1 && !word->quoted && word->parts[0].kind == PART_TEXT
               ? word->parts[0].text
               : NULL;
}
