#include "builder/image/disk.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which they are preferred. */
static const struct disk_writer *const writers[] = {&disk_writer_ext4, &disk_writer_guestfs};

const struct disk_writer *disk_writer_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        if (strcmp(writers[i]->name, name) == 0)
            return writers[i];
    return NULL;
}

int disk_writer_choose(const struct disk_file *file, const struct disk_writer **out,
                       struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        struct error why = ERROR_INIT;
        int answer = writers[i]->suits ? writers[i]->suits(file, &why) : 1;
        if (answer < 0) {
            *err = why;
            return -1;
        }
        if (answer > 0) {
            *out = writers[i];
            return 0;
        }
    }
    return error_set(err, "%s: no writer edits this image", file->path);
}

int disk_view_open(const struct disk_file *file, const struct disk_writer *writer,
                   struct disk_view *out, struct buffer *remarks, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        struct error why = ERROR_INIT;
        if (writer && writers[i] != writer)
            continue;
        out->writer = writers[i];
        int answer = writers[i]->view(file, &out->disk, &out->set, remarks, &why);
        if (answer > 0)
            return 0;
        *err = why;
        if (answer < 0)
            break;
    }
    /* Some errors name the file already. */
    if (!strstr(err->text, file->path))
        error_context(err, "%s", file->path);
    return -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

void disk_item_sort(struct disk_item *item)
{
    if (item->xattr_count > 1)
        qsort(item->xattrs, item->xattr_count, sizeof *item->xattrs, by_name);
}

void disk_item_free(struct disk_item *item)
{
    free(item->target);
    for (size_t i = 0; i < item->xattr_count; i++) {
        free(item->xattrs[i].name);
        free(item->xattrs[i].value);
    }
    free(item->xattrs);
    *item = (struct disk_item){0};
}
