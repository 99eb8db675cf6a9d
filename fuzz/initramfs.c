/* Initrds of which nothing is known yet. */
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
    struct initrd content = {.order = buffer_heap()};
    int rc = initrd_scan(data, size, &content, &err);
    if (rc == 0)
        rc = initramfs_append(data, size, &content, &addition, &out, &err);
    buffer_free(&content.order);
    /* An error says what, success says nothing and keeps the initrd whole. */
    if (rc < 0 ? err.text[0] == '\0' || out.len : err.text[0] != '\0' || out.len <= size)
        __builtin_trap();
    return 0;
}
