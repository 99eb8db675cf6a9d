/* Initrds, of which initramfs_append knows nothing yet. */
#include <stdint.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct initramfs_addition addition = {
        .firstboot = "program", .firstboot_len = 7, .script = "script", .script_len = 6};
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    int rc = initramfs_append(data, size, &addition, &out, &err);
    /* An error says what, success says nothing and keeps the initrd whole. */
    if (rc < 0 ? err.text[0] == '\0' || out.len : err.text[0] != '\0' || out.len <= size)
        __builtin_trap();
    return 0;
}
