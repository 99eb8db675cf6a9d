#include "builder/pki/batch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "common/cleanup.h"
#include "common/file.h"

int batch_add(struct batch *b, const char *name, bool secret, const struct buffer *bytes,
              struct error *err)
{
    struct buffer form AUTO_BUFFER = buffer_heap();
    char *named AUTO_FREE = NULL;
    int fd AUTO_CLOSE = -1;
    if (folder_form(name, secret, bytes, &named, &form, err) < 0)
        return -1;
    struct batch_file *file = APPEND(b->files, b->count, b->cap);
    file->temporary = heap_printf("%s.nodebake-tmp", named);
    file->name = steal(named);
    if (file_begin(b->folder, file->temporary, form.data, form.len, secret ? 0600 : 0644, geteuid(),
                   getegid(), &fd, err) < 0)
        return -1;
    /* Only begun, so that all are on their way together; what it came to is told by fsync. */
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

static int sync_file(const struct batch *b, const char *name, struct error *err)
{
    int fd AUTO_CLOSE = openat(b->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, "sync %s", name);
    return 0;
}

int batch_commit(struct batch *b, unsigned *written, struct error *err)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->files[i].temporary && sync_file(b, b->files[i].temporary, err) < 0)
            return -1;
    for (size_t i = 0; i < b->count; i++) {
        struct batch_file *file = &b->files[i];
        if (!file->temporary)
            continue;
        if (renameat(b->folder, file->temporary, b->folder, file->name) < 0)
            return error_errno(err, "rename %s to %s", file->temporary, file->name);
        free(steal(file->temporary));
        ++*written;
    }
    return b->count ? file_sync_dir(b->folder, ".", err) : 0;
}

void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->files[i].temporary)
            unlinkat(b->folder, b->files[i].temporary, 0);
        free(b->files[i].name);
        free(b->files[i].temporary);
    }
    free(b->files);
}
