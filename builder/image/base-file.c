#include "builder/image/base-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/copy.h"
#include "builder/image/private-file.h"
#include "builder/image/qemu-path.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum { SECTOR = 512, PERCENT_TEXT_MAX = 32, HUNDREDTHS = 10000 };

/* QEMU writes a decimal comma in some languages. */
static const char *const plain_language[] = {"LC_ALL=C", NULL};

/* qemu-img tells "    (12.34/100%)" and a carriage return; the number may come in pieces. */
struct percent {
    struct progress progress;
    char text[PERCENT_TEXT_MAX];
    size_t len;
};

static void read_percent(void *ctx, const char *bytes, size_t n)
{
    struct percent *p = ctx;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '(') {
            p->len = 0;
        } else if (bytes[i] == '/') {
            p->text[p->len] = '\0';
            uint64_t done = (uint64_t)(strtod(p->text, NULL) * 100);
            if (done > p->progress.done && done <= HUNDREDTHS)
                progress_add(&p->progress, done - p->progress.done);
        } else if (p->len < PERCENT_TEXT_MAX - 1) {
            p->text[p->len++] = bytes[i];
        }
    }
}

/* qemu-img with its progress shown as ours. */
static int convert(const char *base, const char *raw, const char *label, struct error *err)
{
    char *from AUTO_FREE = qemu_path(base);
    char *to AUTO_FREE = qemu_path(raw);
    const char *const argv[] = {"qemu-img", "convert", "-p", "-f", "qcow2",
                                "-O",       "raw",     from, to,   NULL};
    struct percent percent = {.len = 0};
    percent.progress = progress_start(HUNDREDTHS, "%s", label);
    struct process qemu_img = {
        .argv = argv, .env = plain_language, .reader = read_percent, .reader_ctx = &percent};
    int result = process_run(&qemu_img, NULL, err);
    progress_end(&percent.progress);
    return result;
}

/* Data go where they were; holes stay holes. */
static int copy_data(struct copy_end from, struct copy_end to, uint64_t size,
                     struct progress *progress, struct error *err)
{
    for (uint64_t at = 0, data; at < size;) {
        data = copy_next_data(from.fd, at, size);
        uint64_t end = copy_end_of_data(from.fd, data, size);
        progress_add(progress, data - at);
        from.at = to.at = data;
        if (copy_bytes(from, to, end - data, true, progress, err) < 0)
            return -1;
        at = end;
    }
    return 0;
}

/* Disks are whole sectors: the last one is filled up with zeros. */
static int copy_raw(struct copy_end from, struct copy_end to, const char *label, struct error *err)
{
    off_t size = lseek(from.fd, 0, SEEK_END);
    if (size < 0)
        return error_errno(err, "read %s", from.path);
    bool shared = ioctl(to.fd, FICLONE, from.fd) == 0;
    if (ftruncate(to.fd, (size + SECTOR - 1) / SECTOR * SECTOR) < 0)
        return error_errno(err, "write %s", to.path);
    if (shared)
        return 0;
    struct progress progress = progress_start((uint64_t)size, "%s", label);
    int result = copy_data(from, to, (uint64_t)size, &progress, err);
    progress_end(&progress);
    return result;
}

/* Runs copy_raw, or convert for qcow2, on a new file. A source that changes meanwhile would give
 * an image of no one state. */
static int copy_unchanged(const struct disk_file *file, const char *copy, const char *label,
                          struct error *err)
{
    struct stat before, after;
    int from AUTO_CLOSE = open(file->path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &before) < 0)
        return error_errno(err, "open %s", file->path);
    int to AUTO_CLOSE = private_file_create(copy, err);
    if (to < 0)
        return -1;
    struct copy_end source = {.fd = from, .path = file->path}, target = {.fd = to, .path = copy};
    if ((file->qcow2 ? convert(file->path, copy, label, err)
                     : copy_raw(source, target, label, err)) < 0)
        return -1;
    if (fstat(from, &after) < 0)
        return error_errno(err, "read %s", file->path);
    if (after.st_size != before.st_size || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
        after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
        return error_set(err, "%s: was changed while it was read", file->path);
    return 0;
}

int image_import(const struct disk_file *base, const char *raw, struct error *err)
{
    char *label AUTO_FREE = heap_printf("copy %s", base->path);
    if (copy_unchanged(base, raw, label, err) < 0) {
        unlink(raw);
        return -1;
    }
    return 0;
}

int image_clone(const char *raw, const char *copy, const char *label, struct error *err)
{
    struct disk_file file = {.path = raw};
    if (copy_unchanged(&file, copy, label, err) < 0) {
        unlink(copy);
        return -1;
    }
    return 0;
}

int image_overlay(const char *path, const char *backing, struct error *err)
{
    if (strpbrk(backing, "/:"))
        return error_set(err, "%s: a backing image must be a plain name of the same folder",
                         backing);
    int fd AUTO_CLOSE = private_file_create(path, err);
    if (fd < 0)
        return -1;
    char *to AUTO_FREE = qemu_path(path);
    const char *const argv[] = {"qemu-img", "create", "-q", "-f",         "qcow2", "-b", backing,
                                "-F",       "qcow2",  "-o", "compat=1.1", to,      NULL};
    struct process qemu_img = {.argv = argv, .env = plain_language};
    if (process_run(&qemu_img, NULL, err) < 0) {
        unlink(path);
        return -1;
    }
    return 0;
}
