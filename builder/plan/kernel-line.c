#include "builder/plan/kernel-line.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static const char CONSOLE[] = "console=";

/* The kernel and systemd take each of several. */
static const char *const repeatable[] = {
    "cgroup_disable=", "cgroup_enable=",      "earlycon=",     "ip=",
    "memmap=",         "modprobe.blacklist=", "systemd.mask=", "systemd.set_credential=",
    "systemd.setenv=", "systemd.wants=",
};

void kernel_line_add(struct kernel_line *line, const char *word)
{
    bool console = strncmp(word, CONSOLE, strlen(CONSOLE)) == 0;
    texts_add(console ? &line->consoles : &line->args, word);
}

size_t kernel_word_name(const char *word)
{
    size_t len = strcspn(word, "=");
    if (!word[len])
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(repeatable); i++)
        if (strncmp(word, repeatable[i], strlen(repeatable[i])) == 0)
            return 0;
    return len + 1;
}

size_t kernel_console_device(const char *word)
{
    return strcspn(word, ",");
}

bool kernel_line_replaces(const struct kernel_line *line, struct grub_text word)
{
    for (size_t i = 0; i < line->args.count; i++) {
        const char *arg = line->args.items[i];
        size_t name = kernel_word_name(arg);
        if (name ? word.len >= name && memcmp(word.at, arg, name) == 0 : grub_text_is(word, arg))
            return true;
    }
    return false;
}

/* Do both name the same device? */
static bool same_console(struct grub_text word, const char *console)
{
    size_t len = kernel_console_device(console);
    return word.len >= len && memcmp(word.at, console, len) == 0 &&
           (word.len == len || word.at[len] == ',');
}

bool kernel_has_console(struct grub_text words)
{
    struct grub_text word;
    while (grub_next_word(&words, &word))
        if (same_console(word, KERNEL_CONSOLE))
            return true;
    return false;
}

static bool lists_console(const struct texts *consoles, struct grub_text word)
{
    for (size_t i = 0; i < consoles->count; i++)
        if (same_console(word, consoles->items[i]))
            return true;
    return false;
}

void kernel_consoles(const struct kernel_line *line, struct grub_text words, struct texts *out)
{
    struct grub_text rest = words, word, serial = {KERNEL_CONSOLE, strlen(KERNEL_CONSOLE)};
    while (grub_next_word(&rest, &word)) {
        if (!grub_text_begins(word, CONSOLE) || lists_console(&line->consoles, word))
            continue;
        char *copy AUTO_FREE = heap_printf("%.*s", (int)word.len, word.at);
        texts_add(out, copy);
    }
    if (!lists_console(&line->consoles, serial) && !lists_console(out, serial)) {
        if (!out->count)
            texts_add(out, KERNEL_SCREEN);
        texts_add(out, KERNEL_CONSOLE_DEFAULT);
    }
    for (size_t i = 0; i < line->consoles.count; i++)
        texts_add(out, line->consoles.items[i]);
}

void kernel_line_free(struct kernel_line *line)
{
    texts_free(&line->args);
    texts_free(&line->consoles);
}
