#include "builder/image/disk.h"

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
