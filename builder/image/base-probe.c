#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/qemu-path.h"
#include "builder/process.h"
#include "common/cleanup.h"

enum { LAYERS_MAX = 16 };

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

/* A data file would be read in place of the file that the user named. */
static int check_qcow2(const char *base, const json_t *info, struct error *err)
{
    const json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
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

static int check_file(const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: not a disk image", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return error_set(err, "%s: not a disk image: it is empty", path);
    return 0;
}

/* What stands alone, or what is one layer of several. */
static int probe(const char *path, struct disk_file *out, json_t **info, struct error *err)
{
    char *from AUTO_FREE = qemu_path(path);
    if (check_file(path, err) < 0 || ask(from, info, err) < 0)
        return -1;
    const char *format = text_of(*info, "format");
    bool qcow2 = strcmp(format, "qcow2") == 0;
    if (!qcow2 && strcmp(format, "raw") != 0)
        return error_set(err, "%s: a %s image; convert it to raw or qcow2", path,
                         *format ? format : "strange");
    if (qcow2 && check_qcow2(path, *info, err) < 0)
        return -1;
    *out = (struct disk_file){.path = path, .qcow2 = qcow2};
    return 0;
}

int image_probe(const char *path, struct disk_file *out, struct error *err)
{
    char *from AUTO_FREE = qemu_path(path);
    json_t *info AUTO_JSON = NULL;
    if (probe(path, out, &info, err) < 0)
        return -1;
    const char *backing = text_of(info, "backing-filename");
    if (out->qcow2 && *backing)
        return error_set(err, "%s: needs another file (%s); flatten it with qemu-img convert", path,
                         backing);
    return out->qcow2 ? check_whole(path, from, err) : 0;
}

/* qemu-img takes all that it does not know for a raw disk. */
static int refuse_packed(const char *path, struct error *err)
{
    static const struct {
        const char *magic, *advice;
        size_t len;
    } kinds[] = {
        {"\x1f\x8b", "gzip; `tar -xSzf` unpacks the disk.raw of an image for GCE", 2},
        {"\xfd\x37zXZ", "xz; unxz unpacks it", 5},
        {"\x28\xb5\x2f\xfd", "zstd; unzstd unpacks it", 4},
        {"BZh", "bzip2; bunzip2 unpacks it", 3},
    };
    char head[8] = "";
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, "%s", path);
    ssize_t n = read(fd, head, sizeof head);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (n >= (ssize_t)kinds[i].len && memcmp(head, kinds[i].magic, kinds[i].len) == 0)
            return error_set(err, "%s: is compressed with %s", path, kinds[i].advice);
    return 0;
}

/* QEMU notes by locks on single bytes what it may do with an image that it has open. */
static int refuse_busy(const char *path, struct error *err)
{
    enum { WRITES = 101 };
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WRITES, .l_len = 1};
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, "%s", path);
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        return error_set(err,
                         "%s: a machine runs from it, or another program writes to it; shut it "
                         "down, or take a copy",
                         path);
    return 0;
}

/* Where the name of a file below leads; the caller frees it. QEMU would open "http:…" and the like,
 * too: an image that somebody else made must not reach the network. */
static char *resolve_below(const char *path, const char *below, struct error *err)
{
    const char *slash = strrchr(path, '/');
    if (strcspn(below, ":") < strcspn(below, "/")) {
        error_set(err, "%s: lies on %s, which is no plain path", path, below);
        return NULL;
    }
    if (below[0] == '/' || !slash)
        return heap_copy(below);
    return heap_printf("%.*s%s", (int)(slash - path + 1), path, below);
}

static int probe_layer(const char *path, struct disk_file *file, struct image_layers *layers,
                       struct error *err);

/* The name stays the layers'. */
static int probe_below(const char *path, const char *name, struct image_layers *layers,
                       struct error *err)
{
    struct disk_file file;
    uint64_t size = layers->size;
    char *below = resolve_below(path, name, err);
    if (!below)
        return -1;
    *APPEND(layers->below, layers->count, layers->cap) = below;
    if (layers->count > LAYERS_MAX)
        return error_set(err, "%s lies on more than %d files", path, LAYERS_MAX);
    int result = probe_layer(below, &file, layers, err);
    layers->size = size; /* that of the topmost */
    return result < 0 ? -1 : 0;
}

/* qemu-img check wants all layers below to be there: they come first. */
static int probe_layer(const char *path, struct disk_file *file, struct image_layers *layers,
                       struct error *err)
{
    char *from AUTO_FREE = qemu_path(path);
    json_t *info AUTO_JSON = NULL;
    if (probe(path, file, &info, err) < 0)
        return -1;
    layers->size = (uint64_t)json_integer_value(json_object_get(info, "virtual-size"));
    const char *name = text_of(info, "backing-filename");
    if (!file->qcow2)
        return 0;
    if (*name && probe_below(path, name, layers, err) < 0)
        return -1;
    return check_whole(path, from, err);
}

int image_probe_layers(const char *path, struct disk_file *out, struct image_layers *layers,
                       struct error *err)
{
    if (check_file(path, err) < 0 || refuse_packed(path, err) < 0 || refuse_busy(path, err) < 0)
        return -1;
    if (probe_layer(path, out, layers, err) == 0)
        return 0;
    return layers->count ? error_context(err, "%s lies on other files", path) : -1;
}

void image_layers_free(struct image_layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        free(layers->below[i]);
    free(layers->below);
    *layers = (struct image_layers){.count = 0};
}
