#include "builder/inspect/grub.h"

#include <string.h>

#include "builder/heap.h"

/* Part of a text. */
struct span {
    const char *at;
    size_t len;
};

static struct span trim(struct span s)
{
    while (s.len && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len && strchr(" \t\r", s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Takes the first word and the blanks behind it. */
static struct span take_word(struct span *rest)
{
    struct span word = {rest->at, 0};
    while (word.len < rest->len && word.at[word.len] != ' ' && word.at[word.len] != '\t')
        word.len++;
    *rest = trim((struct span){rest->at + word.len, rest->len - word.len});
    return word;
}

static bool is(struct span word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

/* Between the quotes that it begins with, or its first word. */
static struct span title_of(struct span rest)
{
    char quote = rest.len && (*rest.at == '\'' || *rest.at == '"') ? *rest.at : '\0';
    const char *end = quote ? memchr(rest.at + 1, quote, rest.len - 1) : NULL;
    return end ? (struct span){rest.at + 1, (size_t)(end - rest.at - 1)} : take_word(&rest);
}

static void read_line(struct span line, struct span *title, struct report *report)
{
    static const char *const loaders[] = {"linux", "linux16", "linuxefi"};
    struct span rest = trim(line), word = take_word(&rest);
    if (is(word, "menuentry"))
        *title = title_of(rest);
    for (size_t i = 0; i < ARRAY_LEN(loaders); i++) {
        if (!is(word, loaders[i]) || report->entry_count == GRUB_ENTRIES_MAX)
            continue;
        struct span kernel = take_word(&rest);
        *APPEND(report->entries, report->entry_count, report->entry_cap) =
            (struct boot_entry){.title = report_text(title->at, title->len),
                                .kernel = report_text(kernel.at, kernel.len),
                                .arguments = report_text(rest.at, rest.len)};
    }
}

void grub_read(const char *text, size_t len, struct report *report)
{
    const char *end = text + len;
    struct span title = {"", 0};
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        read_line((struct span){line, (size_t)(stop - line)}, &title, report);
        line = newline ? newline + 1 : end;
    }
}
