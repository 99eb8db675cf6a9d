#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/inspect/gather.h"
#include "builder/inspect/grub.h"

static const char KERNEL[] = "vmlinuz-";

/* Where the initrd of a kernel is, or NULL; the caller frees it. */
static char *find_initrd(const struct inspection *in, const char *version)
{
    char *const paths[] = {heap_printf("/boot/initrd.img-%s", version),
                           heap_printf("/boot/initramfs-%s.img", version),
                           heap_printf("/boot/initrd-%s", version)};
    char *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (!found && inspect_exists(in, paths[i]))
            found = report_text(paths[i], strlen(paths[i]));
        free(paths[i]);
    }
    return found;
}

static int find_kernels(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    struct buffer names AUTO_BUFFER = buffer_heap();
    size_t prefix = strlen(KERNEL);
    if (in->view.writer->list(in->view.disk, "/boot", &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        if (strncmp(name, KERNEL, prefix) != 0 || !name[prefix])
            continue;
        const char *version = name + prefix;
        *APPEND(r->kernels, r->kernel_count, r->kernel_cap) = (struct kernel){
            .version = report_text(version, strlen(version)), .initrd = find_initrd(in, version)};
    }
    return 0;
}

static bool has_kernel(const struct report *r, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < r->kernel_count; i++)
        if (strncmp(name, KERNEL, strlen(KERNEL)) == 0 &&
            strcmp(name + strlen(KERNEL), r->kernels[i].version) == 0)
            return true;
    return false;
}

static int read_grub(struct inspection *in, struct error *err)
{
    static const char *const paths[] = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"};
    struct report *r = in->report;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = 0;
    for (size_t i = 0; i < ARRAY_LEN(paths) && found == 0; i++)
        found = inspect_read(in, paths[i], GRUB_MAX, &text, err);
    if (found < 0)
        return -1;
    grub_read(text.data, text.len, r);
    if (r->entry_count && r->kernel_count && !has_kernel(r, r->entries[0].kernel))
        report_remark(r, "%s, which grub.cfg starts, is not in /boot", r->entries[0].kernel);
    return 0;
}

int gather_boot(struct inspection *in, struct error *err)
{
    if (find_kernels(in, err) < 0 || read_grub(in, err) < 0)
        return -1;
    return 0;
}
