/* qcow2, its clusters compressed by QEMU. `qemu-img convert -c` would have to read the disk by
 * itself; here clusters come one after the other through the filter that compresses what is
 * written. QEMU packs them in the order in which they come: the same disk gives the same file. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/format.h"
#include "builder/image/qemu-nbd.h"
#include "builder/image/qemu-path.h"
#include "builder/process.h"

enum { SECTOR = 512, CLUSTER = FORMAT_PIECE };

struct sink {
    struct qemu_nbd *server;
    char *path;
    uint64_t size; /* of the disk */
};

static uint64_t whole(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static int qemu_img(const char *const *argv, struct error *err)
{
    static const char *const plain_language[] = {"LC_ALL=C", NULL};
    struct process process = {.argv = argv, .env = plain_language};
    return process_run(&process, NULL, err);
}

/* The filter takes whole clusters only: the disk begins with as many as it needs. */
static int create(const struct sink_start *start, struct error *err)
{
    char *path AUTO_FREE = qemu_path(start->path);
    char *bytes AUTO_FREE = heap_printf("%llu", (unsigned long long)whole(start->size, CLUSTER));
    char *options AUTO_FREE =
        heap_printf("compat=1.1,cluster_size=%d,compression_type=%s", CLUSTER, start->compression);
    const char *const argv[] = {"qemu-img", "create", "-q", "-f",  "qcow2",
                                "-o",       options,  path, bytes, NULL};
    return qemu_img(argv, err);
}

/* Cuts the last cluster to the end of the disk. */
static int cut(const struct sink *sink, struct error *err)
{
    uint64_t size = whole(sink->size, SECTOR);
    if (size % CLUSTER == 0)
        return 0;
    char *path AUTO_FREE = qemu_path(sink->path);
    char *bytes AUTO_FREE = heap_printf("%llu", (unsigned long long)size);
    const char *const argv[] = {"qemu-img", "resize", "-q",  "--shrink", "-f",
                                "qcow2",    path,     bytes, NULL};
    return qemu_img(argv, err);
}

static int start_server(const char *path, struct qemu_nbd **out, struct error *err)
{
    char *plain AUTO_FREE = qemu_path(path);
    char *value AUTO_FREE = qemu_option(plain);
    char *image AUTO_FREE = heap_printf("driver=compress,file.driver=qcow2,file.file.driver=file,"
                                        "file.file.filename=%s",
                                        value);
    const char *const arguments[] = {"--cache=unsafe", "--image-opts", image, NULL};
    return qemu_nbd_start(path, arguments, out, err);
}

static int begin(const struct sink_start *start, struct sink **out, struct error *err)
{
    struct qemu_nbd *server;
    if (create(start, err) < 0 || start_server(start->path, &server, err) < 0)
        return -1;
    struct sink *sink = heap_array(1, sizeof *sink);
    *sink = (struct sink){.server = server, .path = heap_copy(start->path), .size = start->size};
    *out = sink;
    return 0;
}

static int data(struct sink *sink, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    size_t rest = n % CLUSTER;
    if (qemu_nbd_write(sink->server, at, bytes, n - rest, err) < 0)
        return -1;
    if (!rest)
        return 0;
    char *last AUTO_FREE = heap_array(CLUSTER, 1);
    memcpy(last, (const char *)bytes + n - rest, rest);
    int result = qemu_nbd_write(sink->server, at + n - rest, last, CLUSTER, err);
    explicit_bzero(last, CLUSTER); /* images hold keys */
    return result;
}

static int end(struct sink *sink, bool complete, struct error *err)
{
    int result = qemu_nbd_stop(sink->server, complete, err);
    if (result == 0 && complete)
        result = cut(sink, err);
    free(sink->path);
    free(sink);
    return result;
}

const struct format format_qcow2 = {
    .name = "qcow2",
    .suffix = ".qcow2",
    .overlays = true,
    .begin = begin,
    .data = data,
    .end = end,
};
