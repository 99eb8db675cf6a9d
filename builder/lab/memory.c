#include "builder/lab/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "common/file.h"

void memory_add(struct memory_need *need, const char *name, unsigned memory)
{
    size_t len = strlen(need->names);
    need->total += memory + MEMORY_BESIDE;
    need->count++;
    snprintf(need->names + len, sizeof need->names - len, "%s%s", len ? ", " : "", name);
}

unsigned long memory_available(void)
{
    static const char key[] = "MemAvailable:";
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, "/proc/meminfo", 65536, &text, &ignored) < 0)
        return 0;
    const char *at = strstr(text.data, key);
    return at ? strtoul(at + strlen(key), NULL, 10) / 1024 : 0;
}

int memory_check(const struct memory_need *need, unsigned long available, struct error *err)
{
    if (!need->count || !available || need->total <= available)
        return 0;
    return error_set(err,
                     "too little memory: %s need %lu MiB (%d of it each for QEMU itself), and "
                     "%lu MiB are free; start fewer machines, or smaller ones with --memory",
                     need->names, need->total, MEMORY_BESIDE, available);
}
