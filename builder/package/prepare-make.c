/* Making a prepared base, in the folder CACHE/bases/.work. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/base.h"
#include "builder/interrupt.h"
#include "builder/package/direct.h"
#include "builder/package/guest.h"
#include "builder/package/prepare-work.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/file.h"

/* The copy that is worked on. */
struct copy {
    struct work *w;
    struct disk_file file;
    const struct disk_writer *writer;
    struct error why; /* why the guest has to install; "": it has not */
};

/* A dry run looks at the base through an empty file that lies on it. */
static int lay_over(const struct work *w, const char *path)
{
    char from[PATH_MAX];
    if (!realpath(w->in->image.path, from))
        return error_errno(w->err, "%s", w->in->image.path);
    const char *const argv[] = {
        "qemu-img", "create", "-q", "-f", "qcow2", "-F", w->in->image.qcow2 ? "qcow2" : "raw",
        "-b",       from,     path, NULL};
    struct process qemu_img = {.argv = argv};
    return process_run(&qemu_img, NULL, w->err);
}

static int choose_writer(struct copy *c)
{
    const struct disk_writer *asked = c->w->in->writer;
    struct error *err = c->w->err;
    if (!asked)
        return disk_writer_choose(&c->file, &c->writer, err);
    int answer = asked->suits ? asked->suits(&c->file, err) : 1;
    if (answer == 0)
        return error_context(err, "--writer %s cannot edit it", asked->name);
    c->writer = asked;
    return answer < 0 ? -1 : 0;
}

/* ---- without the guest ---- */

static int write_changes(struct copy *c, struct disk *disk)
{
    struct work *w = c->w;
    struct changes changes AUTO_CHANGES = changes_of(c->writer, disk, w->in->mtime);
    char *scratch AUTO_FREE = work_path(w, PREPARE_WORK "/debs");
    if (mkdir(scratch, 0700) < 0)
        return error_errno(w->err, "create %s", scratch);
    int result = direct_plan(&changes, &w->choices,
                             (struct dpkg_text){w->status.data, w->status.len}, scratch, &c->why);
    if (result < 0) {
        *w->err = c->why;
        return -1;
    }
    if (result > 0)
        c->why.text[0] = '\0';
    return result > 0 && !w->in->dry ? changes_write(&changes, "write packages", w->err) : 0;
}

/* Looks at the system and, when it can be done here, installs. */
static int look(struct copy *c, struct disk *disk)
{
    struct work *w = c->w;
    struct base *base AUTO_BASE = NULL;
    if (base_read(c->writer, disk, &base, w->err) < 0 ||
        work_keep_status(w, base->dpkg_status, base->dpkg_len) < 0)
        return -1;
    if (work_complete(w))
        return 0;
    return work_choose(w) < 0 ? -1 : write_changes(c, disk);
}

static int in_guest(struct copy *c, struct disk *disk)
{
    return guest_install(c->writer, disk, &c->w->choices, c->w->in->mtime, c->w->err);
}

/* Opens the copy, takes the step, and closes it. */
static int with_disk(struct copy *c, int (*step)(struct copy *c, struct disk *disk))
{
    struct disk *disk;
    struct disk_set *set = NULL;
    struct error ignored = ERROR_INIT;
    if (c->writer->open_all(&c->file, 1, c->w->in->mtime, &disk, &set, c->w->err) < 0)
        return -1;
    int result = step(c, disk);
    /* What could not be flushed is a failure, unless there was one already. */
    if (c->writer->close_all(set, result < 0 ? &ignored : c->w->err) < 0)
        result = -1;
    return result;
}

/* ---- the outcome ---- */

static void say(const struct copy *c)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    const struct work *w = c->w;
    work_names(w, &names);
    w->out->says =
        heap_printf("%s %s%s into a copy of %s, %s%s", w->in->dry ? "would install" : "installed",
                    names.data, w->in->debs ? "" : " from its repositories", w->in->image.path,
                    *c->why.text ? "by its own dpkg: " : "without starting it", c->why.text);
}

static int sync_file(const struct work *w, const char *path)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? error_errno(w->err, "sync %s", path) : 0;
}

/* What nodebake writes follows from the key; what the guest writes holds the time of day. */
static int find_identity(const struct copy *c)
{
    struct timespec now;
    struct prepared *out = c->w->out;
    clock_gettime(CLOCK_REALTIME, &now);
    char *text AUTO_FREE =
        heap_printf("%s %lld.%09ld %d", c->w->key, (long long)now.tv_sec, now.tv_nsec, getpid());
    if (*c->why.text)
        return digest_memory(text, strlen(text), "sha256", out->identity, c->w->err);
    memcpy(out->identity, c->w->key, sizeof out->identity);
    return 0;
}

static int publish(const struct copy *c)
{
    struct work *w = c->w;
    if (find_identity(c) < 0)
        return -1;
    char *name AUTO_FREE = heap_printf("%s.raw", w->key);
    char *note AUTO_FREE = heap_printf("%s.txt", w->key);
    char *text AUTO_FREE = heap_printf("%s\n%s\n", w->out->identity, w->out->says);
    char *path AUTO_FREE = work_path(w, name);
    if (sync_file(w, c->file.path) < 0 ||
        file_publish(w->dir, note, text, strlen(text), 0600, w->err) < 0)
        return -1;
    if (rename(c->file.path, path) < 0)
        return error_errno(w->err, "rename %s to %s", c->file.path, path);
    w->out->path = heap_copy(path);
    return file_sync_dir(w->dir, ".", w->err);
}

static int make(struct copy *c)
{
    struct work *w = c->w;
    if (choose_writer(c) < 0 ||
        (!w->in->dry && c->writer->check && c->writer->check(&c->file, w->err) < 0) ||
        with_disk(c, look) < 0)
        return -1;
    if (work_complete(w))
        return 0;
    if (*c->why.text && !w->in->dry) {
        c->writer = disk_writer_find("guestfs");
        if (!c->writer || with_disk(c, in_guest) < 0)
            return error_context(w->err, "packages that need the guest (%s)", c->why.text);
    }
    say(c);
    return w->in->dry ? 0 : publish(c);
}

int work_make(struct work *w)
{
    char *path AUTO_FREE =
        work_path(w, w->in->dry ? PREPARE_WORK "/base.qcow2" : PREPARE_WORK "/base.raw");
    struct copy c = {.w = w, .file = {.path = path, .qcow2 = w->in->dry}, .why = ERROR_INIT};
    interrupt_removes(path);
    int result = w->in->dry ? lay_over(w, path) : image_import(&w->in->image, path, w->err);
    if (result == 0)
        result = make(&c);
    interrupt_keeps(path);
    return result;
}
