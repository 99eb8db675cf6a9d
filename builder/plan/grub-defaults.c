#include "builder/heap.h"
#include "builder/plan/grub-edit.h"

/* grub-mkconfig reads the file with sh, under set -e. Entries get the words of GRUB_CMDLINE_LINUX,
 * and behind them, unless they are for recovery, those of GRUB_CMDLINE_LINUX_DEFAULT: so ours stand
 * in front. No word holds a quote. */
static const char head[] =
    "# Of nodebake: grub-mkconfig gives the kernel the words that stand in the image's grub.cfg.\n"
    "nodebake_keep() {\n"
    "    nodebake_kept=\n"
    "    for nodebake_word in $1; do\n"
    "        case $nodebake_word in\n";

static const char middle[] =
    "        console=*) nodebake_consoles=\"$nodebake_consoles $nodebake_word\" ;;\n"
    "        *) nodebake_kept=\"$nodebake_kept $nodebake_word\" ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "nodebake_consoles=\n"
    "set -f\n"
    "nodebake_keep \"${GRUB_CMDLINE_LINUX-}\"\n"
    "nodebake_linux=$nodebake_kept\n"
    "nodebake_keep \"${GRUB_CMDLINE_LINUX_DEFAULT-}\"\n"
    "set +f\n"
    "GRUB_CMDLINE_LINUX_DEFAULT=${nodebake_kept# }\n";

/* Of the base's words, those that give way. */
static void add_patterns(const struct kernel_line *asked, struct buffer *out)
{
    for (size_t i = 0; i < asked->consoles.count; i++) {
        const char *word = asked->consoles.items[i];
        int device = (int)kernel_console_device(word);
        buffer_printf(out, "        '%.*s' | '%.*s,'*) ;;\n", device, word, device, word);
    }
    for (size_t i = 0; i < asked->args.count; i++) {
        const char *word = asked->args.items[i];
        int name = (int)kernel_word_name(word);
        if (name)
            buffer_printf(out, "        '%.*s'*) ;;\n", name, word);
        else
            buffer_printf(out, "        '%s') ;;\n", word);
    }
}

/* The serial console, where neither the base nor anybody else has it. */
static void add_serial(const struct kernel_line *asked, struct buffer *out)
{
    for (size_t i = 0; i < asked->consoles.count; i++) {
        const char *word = asked->consoles.items[i];
        if (kernel_has_console((struct grub_text){word, strlen(word)}))
            return;
    }
    buffer_puts(out, "case \"$nodebake_consoles \" in\n"
                     "*' " KERNEL_CONSOLE " '* | *' " KERNEL_CONSOLE ",'*) ;;\n"
                     "*) nodebake_consoles=\"${nodebake_consoles:- " KERNEL_SCREEN
                     "} " KERNEL_CONSOLE_DEFAULT "\" ;;\n"
                     "esac\n");
}

void grub_defaults(const struct kernel_line *asked, struct buffer *out)
{
    buffer_puts(out, head);
    add_patterns(asked, out);
    buffer_puts(out, middle);
    add_serial(asked, out);
    buffer_puts(out, "GRUB_CMDLINE_LINUX=\"$nodebake_consoles");
    for (size_t i = 0; i < asked->consoles.count; i++)
        buffer_printf(out, " %s", asked->consoles.items[i]);
    for (size_t i = 0; i < asked->args.count; i++)
        buffer_printf(out, " %s", asked->args.items[i]);
    buffer_puts(out, "$nodebake_linux\"\n"
                     "GRUB_CMDLINE_LINUX=${GRUB_CMDLINE_LINUX# }\n"
                     "unset nodebake_kept nodebake_word nodebake_consoles nodebake_linux\n"
                     "unset -f nodebake_keep\n");
}
