#include "builder/image/grub-cfg.h"

#include <string.h>

static struct grub_text trim(struct grub_text s)
{
    while (s.len && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len && strchr(" \t\r", s.at[s.len - 1]))
        s.len--;
    return s;
}

bool grub_next_word(struct grub_text *rest, struct grub_text *word)
{
    *word = (struct grub_text){rest->at, 0};
    while (word->len < rest->len && word->at[word->len] != ' ' && word->at[word->len] != '\t')
        word->len++;
    *rest = trim((struct grub_text){rest->at + word->len, rest->len - word->len});
    return word->len > 0;
}

bool grub_text_is(struct grub_text piece, const char *text)
{
    return piece.len == strlen(text) && memcmp(piece.at, text, piece.len) == 0;
}

bool grub_text_begins(struct grub_text piece, const char *text)
{
    size_t len = strlen(text);
    return piece.len >= len && memcmp(piece.at, text, len) == 0;
}

/* Between the quotes that it begins with, or its first word. */
static struct grub_text title_of(struct grub_text rest)
{
    char quote = rest.len && (*rest.at == '\'' || *rest.at == '"') ? *rest.at : '\0';
    const char *end = quote ? memchr(rest.at + 1, quote, rest.len - 1) : NULL;
    struct grub_text word;
    if (end)
        return (struct grub_text){rest.at + 1, (size_t)(end - rest.at - 1)};
    grub_next_word(&rest, &word);
    return word;
}

static struct grub_text next_line(struct grub_text *rest)
{
    const char *newline = memchr(rest->at, '\n', rest->len);
    struct grub_text line = {rest->at, newline ? (size_t)(newline - rest->at) : rest->len};
    size_t taken = line.len + (newline != NULL);
    *rest = (struct grub_text){rest->at + taken, rest->len - taken};
    return trim(line);
}

bool grub_next(struct grub_reader *reader, struct grub_line *line)
{
    while (reader->rest.len) {
        struct grub_text rest = next_line(&reader->rest), word;
        grub_next_word(&rest, &word);
        if (grub_text_is(word, "menuentry"))
            reader->title = title_of(rest);
        if (!grub_text_is(word, "linux") && !grub_text_is(word, "linux16") &&
            !grub_text_is(word, "linuxefi"))
            continue;
        line->title = reader->title;
        grub_next_word(&rest, &line->kernel);
        line->arguments = rest;
        return true;
    }
    return false;
}
