#include "builder/image/base-initrds.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"

static const char INITRD[] = "initrd.img-", KERNEL[] = "vmlinuz-";

static bool listed(const struct buffer *names, const char *prefix, const char *rest)
{
    char *wanted AUTO_FREE = heap_printf("%s%s", prefix, rest);
    for (const char *name = names->data; name < names->data + names->len; name += strlen(name) + 1)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

int base_find_initrds(const struct disk_writer *writer, struct disk *disk, struct base *base,
                      struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    size_t prefix = strlen(INITRD), cap = 0;
    if (writer->list(disk, "/boot", &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        if (strncmp(name, INITRD, prefix) != 0 || !listed(&names, KERNEL, name + prefix))
            continue;
        base->initrds = heap_grow(base->initrds, base->initrd_count, &cap, sizeof *base->initrds);
        base->initrds[base->initrd_count++] =
            (struct base_initrd){.path = heap_printf("/boot/%s", name),
                                 .kernel = heap_copy(name + prefix),
                                 .content = {.order = buffer_heap()}};
    }
    if (base->initrd_count == 0)
        return error_set(err,
                         "the base (%s) has no initrd of initramfs-tools (looked for "
                         "/boot/%s* beside /boot/%s*)",
                         base->os_name, INITRD, KERNEL);
    return 0;
}

int base_scan_initrds(const struct disk_writer *writer, struct disk *disk, struct base *base,
                      struct error *err)
{
    for (size_t i = 0; i < base->initrd_count; i++) {
        struct base_initrd *initrd = &base->initrds[i];
        struct buffer bytes AUTO_BUFFER = buffer_heap();
        if (initrd->scanned)
            continue;
        if (writer->read(disk, initrd->path, INITRD_MAX, &bytes, err) < 0)
            return -1;
        if (initrd_scan(bytes.data, bytes.len, &initrd->content, err) < 0)
            return error_context(err, "%s", initrd->path);
        initrd->scanned = true;
    }
    return 0;
}

void base_free_initrds(struct base *base)
{
    for (size_t i = 0; i < base->initrd_count; i++) {
        free(base->initrds[i].path);
        free(base->initrds[i].kernel);
        buffer_free(&base->initrds[i].content.order);
    }
    free(base->initrds);
}
