#include "builder/plan/grub-edit.h"

#include <string.h>

#include "builder/heap.h"

/* Others are no kernel of ours: a memory test. */
static bool has_root(struct grub_text words)
{
    struct grub_text word;
    while (grub_next_word(&words, &word))
        if (grub_text_begins(word, "root="))
            return true;
    return false;
}

static bool next_kernel(struct grub_reader *reader, struct grub_line *line)
{
    while (grub_next(reader, line))
        if (has_root(line->arguments))
            return true;
    return false;
}

struct grub_kernels grub_kernels(const char *text, size_t len)
{
    struct grub_reader reader = {.rest = {text, len}, .title = {"", 0}};
    struct grub_kernels found = {0};
    struct grub_line line;
    while (next_kernel(&reader, &line)) {
        found.count++;
        found.serial += kernel_has_console(line.arguments);
    }
    return found;
}

/* Is it of those that grub-mkconfig's 10_linux puts before the words of /etc/default/grub? */
static bool is_grubs(struct grub_text word, bool *recovery)
{
    if (grub_text_is(word, "single") || grub_text_is(word, "recovery"))
        return *recovery = true;
    if (*recovery)
        return grub_text_is(word, "nomodeset") || grub_text_is(word, "dis_ucode_ldr");
    return grub_text_begins(word, "root=") || grub_text_begins(word, "rootflags=") ||
           grub_text_is(word, "ro") || grub_text_is(word, "rw");
}

static void add_word(struct buffer *out, const char *word, size_t len, const char **separator)
{
    buffer_puts(out, *separator);
    buffer_add(out, word, len);
    *separator = " ";
}

static void add_texts(struct buffer *out, const struct texts *texts, const char **separator)
{
    for (size_t i = 0; i < texts->count; i++)
        add_word(out, texts->items[i], strlen(texts->items[i]), separator);
}

static void add_arguments(struct grub_text rest, const struct kernel_line *asked,
                          const struct texts *consoles, struct buffer *out)
{
    const char *separator = "";
    struct grub_text word, behind = rest;
    bool recovery = false;
    while (grub_next_word(&behind, &word) && is_grubs(word, &recovery)) {
        add_word(out, word.at, word.len, &separator);
        rest = behind;
    }
    add_texts(out, consoles, &separator);
    add_texts(out, &asked->args, &separator);
    while (grub_next_word(&rest, &word))
        if (!grub_text_begins(word, "console=") && !kernel_line_replaces(asked, word))
            add_word(out, word.at, word.len, &separator);
}

void grub_edit(const char *text, size_t len, const struct kernel_line *asked, struct buffer *out)
{
    struct grub_reader reader = {.rest = {text, len}, .title = {"", 0}};
    struct grub_line line;
    struct texts consoles AUTO_TEXTS = {0};
    const char *at = text;
    while (next_kernel(&reader, &line)) {
        if (!consoles.count)
            kernel_consoles(asked, line.arguments, &consoles);
        buffer_add(out, at, (size_t)(line.arguments.at - at));
        add_arguments(line.arguments, asked, &consoles, out);
        at = line.arguments.at + line.arguments.len;
    }
    buffer_add(out, at, (size_t)(text + len - at));
}
