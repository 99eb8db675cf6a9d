#include "builder/image/qemu-path.h"

#include "builder/heap.h"

char *qemu_path(const char *path)
{
    return path[0] == '/' ? heap_copy(path) : heap_printf("./%s", path);
}

/* Two commas are one of the value. */
char *qemu_option(const char *path)
{
    char *option = heap_array(2 * strlen(path) + 1, 1), *end = option;
    for (; *path; path++) {
        if (*path == ',')
            *end++ = ',';
        *end++ = *path;
    }
    return option;
}
