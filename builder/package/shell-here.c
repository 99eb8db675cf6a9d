/* Here-documents of shell scripts. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/shell-read.h"

int shell_note_here(struct shell_reader *r, struct shell_node *node, bool tabs)
{
    struct shell_redirect *redirect = &node->redirects[node->redirect_count - 1];
    struct shell_word *word = &redirect->word;
    if (r->here_count == SHELL_HERE_MAX)
        return shell_refuse(r, "too many here-documents on a line");
    if (word->count != 1 || word->parts[0].kind != PART_TEXT)
        return shell_refuse(r, "the end of a here-document must be a plain word");
    struct shell_here *here = &r->here[r->here_count++];
    *here = (struct shell_here){.node = node,
                                .redirect = node->redirect_count - 1,
                                .end = heap_copy(word->parts[0].text),
                                .tabs = tabs,
                                .literal = word->quoted};
    return 0;
}

/* Appends the text up to the line that ends it. */
static int read_text(struct shell_reader *r, const struct shell_here *here, struct buffer *out)
{
    size_t n = strlen(here->end);
    while (r->at < r->end) {
        while (here->tabs && *r->at == '\t' && r->at + 1 < r->end)
            r->at++;
        const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
        const char *next = newline ? newline + 1 : r->end;
        size_t len = (size_t)((newline ? newline : r->end) - r->at);
        bool last = len == n && memcmp(r->at, here->end, n) == 0;
        if (!last)
            buffer_add(out, r->at, (size_t)(next - r->at));
        r->line++;
        r->at = next;
        if (last)
            return 0;
    }
    return shell_refuse(r, "a here-document without its end, %s", here->end);
}

/* Expansions in it are not looked at: with one, it is not known. */
static int read_here(struct shell_reader *r, const struct shell_here *here)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (read_text(r, here, &text) < 0)
        return -1;
    bool known = here->literal || !strpbrk(text.data, "$`\\");
    struct shell_word *word = &here->node->redirects[here->redirect].word;
    shell_word_free(word);
    size_t cap = 0;
    *APPEND(word->parts, word->count, cap) =
        (struct shell_part){known ? PART_TEXT : PART_UNKNOWN, heap_copy(text.data)};
    word->cap = cap;
    word->quoted = true;
    return 0;
}

int shell_read_newline(struct shell_reader *r)
{
    int result = 0;
    r->at++;
    r->line++;
    for (size_t i = 0; i < r->here_count; i++) {
        if (result == 0)
            result = read_here(r, &r->here[i]);
        free(r->here[i].end);
    }
    r->here_count = 0;
    return result;
}
