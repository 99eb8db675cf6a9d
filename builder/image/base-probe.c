#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/qemu-path.h"
#include "builder/process.h"

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* qemu-img takes what is missing at the end of a cut file for zeros, without a word. */
static int check_whole(const char *base, const char *from, struct error *err)
{
    enum { WHOLE = 0, LEAKS = 3 };
    int status = -1;
    const char *const argv[] = {"qemu-img", "check", "-q", "-f", "qcow2", from, NULL};
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
    return 0;
}

static int ask(const char *from, json_t **info, struct error *err)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    const char *const argv[] = {"qemu-img", "info", "--output=json", from, NULL};
    struct process qemu_img = {.argv = argv, .out = &out};
    if (process_run(&qemu_img, NULL, err) < 0)
        return -1;
    *info = json_loadb(out.data, out.len, 0, NULL);
    return 0;
}

int image_probe(const char *path, struct disk_file *out, struct error *err)
{
    char *from AUTO_FREE = qemu_path(path);
    json_t *info AUTO_JSON = NULL;
    struct stat st;
    if (stat(path, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: not a disk image", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return error_set(err, "%s: not a disk image: it is empty", path);
    if (ask(from, &info, err) < 0)
        return -1;
    const char *format = text_of(info, "format");
    bool qcow2 = strcmp(format, "qcow2") == 0;
    if (!qcow2 && strcmp(format, "raw") != 0)
        return error_set(err, "%s: a %s image; convert it to raw or qcow2", path,
                         *format ? format : "strange");
    if (qcow2 && (check_qcow2(path, info, err) < 0 || check_whole(path, from, err) < 0))
        return -1;
    *out = (struct disk_file){.path = path, .qcow2 = qcow2};
    return 0;
}
