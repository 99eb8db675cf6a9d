/* What the kernel's command line shall hold, and which of the base's words it takes the place of.
 */
#ifndef NB_BUILDER_KERNEL_LINE_H
#define NB_BUILDER_KERNEL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/grub-cfg.h"
#include "builder/texts.h"

/* The serial console that every image has. */
#define KERNEL_CONSOLE         "console=ttyS0"
#define KERNEL_CONSOLE_DEFAULT "console=ttyS0,115200"
/* Beside it, where the base names no console at all. */
#define KERNEL_SCREEN "console=tty0"

/* The words that are asked for, in their order. */
struct kernel_line {
    struct texts args;     /* all others */
    struct texts consoles; /* console=…; the last one becomes /dev/console */
};

/* Adds a copy of the word. */
void kernel_line_add(struct kernel_line *line, const char *word) NONNULL(1, 2);

/* How long NAME= is at the beginning of the word, of which the base's words of that name give way;
 * 0 when only the very same word does: a flag, and what may be given several times. */
size_t kernel_word_name(const char *word) NONNULL(1);

/* How long console=DEVICE is at the beginning of the word. */
size_t kernel_console_device(const char *word) NONNULL(1);

/* Does the base's word give way to one that is asked for? No console does. */
bool kernel_line_replaces(const struct kernel_line *line, struct grub_text word) NONNULL(1);

/* Is there one of the serial console in the base's words? */
bool kernel_has_console(struct grub_text words);

/* The consoles for all entries, where the first one has these words: the base's, the serial one
 * when it is missing, those that are asked for. Appends to `out`. */
void kernel_consoles(const struct kernel_line *line, struct grub_text words, struct texts *out)
    NONNULL(1, 3);

/* Frees what the struct holds. */
void kernel_line_free(struct kernel_line *line) NONNULL(1);
#define AUTO_KERNEL_LINE __attribute__((cleanup(kernel_line_free)))

#endif
