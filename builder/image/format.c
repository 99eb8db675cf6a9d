#include "builder/image/format.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { PERCENT_TEXT_MAX = 32, HUNDREDTHS = 10000 };

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

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
static int convert(const char *const *argv, const char *label, struct error *err)
{
    struct percent percent = {.len = 0};
    percent.progress = progress_start(HUNDREDTHS, "%s", label);
    /* QEMU writes a decimal comma in some languages. */
    static const char *const env[] = {"LC_ALL=C", NULL};
    struct process qemu_img = {
        .argv = argv, .env = env, .reader = read_percent, .reader_ctx = &percent};
    int result = process_run(&qemu_img, NULL, err);
    progress_end(&percent.progress);
    return result;
}

static int convert_qcow2(const char *raw, const char *path, struct error *err)
{
    const char *const argv[] = {
        "qemu-img", "convert", "-p", "-f", "raw",
        "-O",       "qcow2",   "-c", "-o", "compat=1.1,compression_type=zstd",
        raw,        path,      NULL};
    return convert(argv, "compress to qcow2", err);
}

static const struct format formats[] = {{"raw", ".raw", NULL}, {"qcow2", ".qcow2", convert_qcow2}};

const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

const char *format_names(void)
{
    return "raw, qcow2";
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* qemu-img takes what is missing at the end of a cut file for zeros, without a word. */
static int check_whole(const char *base, struct error *err)
{
    enum { WHOLE = 0, LEAKS = 3 };
    int status = -1;
    const char *const argv[] = {"qemu-img", "check", "-q", "-f", "qcow2", base, NULL};
    struct process qemu_img = {.argv = argv};
    if (process_run(&qemu_img, &status, err) < 0)
        return -1;
    if (status != WHOLE && status != LEAKS)
        return error_set(err, "%s: is damaged or cut short; see qemu-img check", base);
    return 0;
}

/* A backing or data file would be read in place of the file that the user named. */
static int check_qcow2(const char *base, const json_t *info, struct error *err)
{
    const json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
    const char *backing = text_of(info, "backing-filename");
    if (*backing)
        return error_set(err, "%s: needs another file (%s); flatten it with qemu-img convert", base,
                         backing);
    const char *external = text_of(data, "data-file");
    if (*external)
        return error_set(err,
                         "%s: its data lie in another file (%s); flatten it with qemu-img "
                         "convert",
                         base, external);
    if (json_is_true(json_object_get(info, "encrypted")))
        return error_set(err, "%s: is encrypted; decrypt it with qemu-img convert", base);
    if (json_is_true(json_object_get(data, "corrupt")))
        return error_set(err, "%s: is marked as corrupt; see qemu-img check", base);
    return check_whole(base, err);
}

/* Finds the format of the base, "raw" or "qcow2". */
static int find_format(const char *base, const char **name, struct error *err)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    const char *const argv[] = {"qemu-img", "info", "--output=json", base, NULL};
    struct process qemu_img = {.argv = argv, .out = &out};
    if (process_run(&qemu_img, NULL, err) < 0)
        return -1;
    json_t *info AUTO_JSON = json_loadb(out.data, out.len, 0, NULL);
    const char *found = text_of(info, "format");
    if (strcmp(found, "raw") == 0) {
        *name = "raw";
        return 0;
    }
    *name = "qcow2";
    if (strcmp(found, "qcow2") == 0)
        return check_qcow2(base, info, err);
    return error_set(err, "%s: a %s image; convert it to raw or qcow2", base,
                     *found ? found : "strange");
}

/* A new, empty file of ours that nobody else may read. */
static int create_private(const char *path, struct error *err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", path);
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "create %s", path);
    return 0;
}

/* qemu-img reads options and protocols out of names such as "json:{…}" and "nbd:host". */
static char *plain_path(const char *path)
{
    return path[0] == '/' ? heap_copy(path) : heap_printf("./%s", path);
}

/* The base's format, once it is known to be a whole image of its own. */
static int probe(const char *base, const char **format, struct error *err)
{
    char *from AUTO_FREE = plain_path(base);
    struct stat st;
    if (stat(base, &st) < 0)
        return error_errno(err, "%s", base);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: not a disk image", base);
    return find_format(from, format, err);
}

int image_check(const char *base, struct error *err)
{
    const char *format;
    return probe(base, &format, err);
}

int image_import(const char *base, const char *raw, struct error *err)
{
    char *from AUTO_FREE = plain_path(base);
    char *to AUTO_FREE = plain_path(raw);
    const char *format;
    if (probe(base, &format, err) < 0 || create_private(raw, err) < 0)
        return -1;
    char *label AUTO_FREE = heap_printf("copy %s", base);
    const char *const argv[] = {"qemu-img", "convert", "-p", "-f", format,
                                "-O",       "raw",     from, to,   NULL};
    if (convert(argv, label, err) < 0) {
        unlink(raw);
        return -1;
    }
    return 0;
}

static int sync_file(const char *path, struct error *err)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, "sync %s", path);
    return 0;
}

/* Makes the temporary file what its name will be: synced, private, and then there at once. */
static int publish(const char *temporary, const char *path, struct error *err)
{
    char *folder AUTO_FREE = heap_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (chmod(temporary, 0600) < 0)
        return error_errno(err, "chmod %s", temporary);
    if (sync_file(temporary, err) < 0)
        return -1;
    if (rename(temporary, path) < 0)
        return error_errno(err, "rename %s to %s", temporary, path);
    return file_sync_dir(AT_FDCWD, slash ? folder : ".", err);
}

static int copy_raw(const char *raw, const char *path, struct error *err)
{
    const char *const argv[] = {"qemu-img", "convert", "-p", "-f", "raw",
                                "-O",       "raw",     raw,  path, NULL};
    return convert(argv, "copy the raw image", err);
}

char *image_temporary(const char *path)
{
    return heap_printf("%s.nodebake-tmp", path);
}

int image_export(const struct format *format, const char *raw, const char *path, bool last,
                 struct error *err)
{
    if (!format->convert && last)
        return publish(raw, path, err);
    char *from AUTO_FREE = plain_path(raw);
    char *temporary AUTO_FREE = image_temporary(path);
    char *to AUTO_FREE = plain_path(temporary);
    if (create_private(temporary, err) < 0)
        return -1;
    int (*make)(const char *, const char *, struct error *) =
        format->convert ? format->convert : copy_raw;
    if (make(from, to, err) < 0 || publish(temporary, path, err) < 0) {
        unlink(temporary);
        return -1;
    }
    if (last && unlink(raw) < 0)
        return error_errno(err, "remove %s", raw);
    return 0;
}
