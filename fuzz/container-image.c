/* Archives of container images, through a file without a name. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "builder/artifact/container-image.h"
#include "builder/heap.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    progress_quiet();
    struct texts names AUTO_TEXTS = {0};
    int fd AUTO_CLOSE = memfd_create("image", MFD_CLOEXEC);
    char *path AUTO_FREE = heap_printf("/proc/self/fd/%d", fd);
    if (fd < 0 || file_write_all(fd, (const char *)data, size) < 0)
        abort();
    int result = container_image_read(path, &names, &err);
    if ((result < 0) != (err.text[0] != '\0') || (result == 0 && names.count == 0))
        abort();
    for (size_t i = 0; i < names.count; i++) {
        char *full AUTO_FREE = container_image_full_name(names.items[i]);
        char *again AUTO_FREE = container_image_full_name(full);
        if (strcmp(full, again) != 0)
            abort();
    }
    return 0;
}
