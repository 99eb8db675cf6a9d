#include "builder/image/disk.h"

#include <string.h>

static const struct disk_writer *const writers[] = {&disk_writer_guestfs};

const struct disk_writer *disk_writer_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        if (strcmp(writers[i]->name, name) == 0)
            return writers[i];
    return NULL;
}
