/* What nodebake makes of GRUB's configuration when the words are asked for.
 *
 * usage: grub-try edit [WORD...] <grub.cfg     the new grub.cfg
 *        grub-try defaults [WORD...]           the file for /etc/default/grub.d */
#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/grub-edit.h"

enum { FAILED = 1, USAGE = 2, CHUNK = 4096 };

static void read_all(FILE *in, struct buffer *text)
{
    char chunk[CHUNK];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
        buffer_add(text, chunk, n);
}

int main(int argc, char **argv)
{
    struct kernel_line asked AUTO_KERNEL_LINE = {0};
    struct buffer text AUTO_BUFFER = buffer_heap(), out AUTO_BUFFER = buffer_heap();
    const char *what = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; i++)
        kernel_line_add(&asked, argv[i]);
    if (strcmp(what, "edit") == 0) {
        read_all(stdin, &text);
        grub_edit(text.data ? text.data : "", text.len, &asked, &out);
    } else if (strcmp(what, "defaults") == 0)
        grub_defaults(&asked, &out);
    else
        return USAGE;
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : FAILED;
}
