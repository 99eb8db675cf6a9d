/* Formats in which images are published: a table, a file each. A sink gets the bytes of a disk
 * once, from its beginning to its end, beside the other sinks. */
#ifndef NB_BUILDER_FORMAT_H
#define NB_BUILDER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/attributes.h"
#include "common/error.h"

/* What a sink has to know before it begins. */
struct sink_start {
    const char *path;        /* the file to fill: there, empty, 0600 */
    uint64_t size;           /* bytes of the disk */
    const char *compression; /* of qcow2: "zstd" or "zlib" */
    time_t mtime;            /* for formats that hold a time */
};

struct sink;

/* One format. Functions follow the contract of errors. */
struct format {
    const char *name;
    const char *suffix; /* of the file, with its dot */
    bool overlays;      /* an image of it may hold only what differs from another one */
    /* All NULL: the raw file itself is published. */
    int (*begin)(const struct sink_start *start, struct sink **out, struct error *err);
    /* n bytes of the disk (1 to FORMAT_CHUNK) at an offset. Offsets only grow, and offsets and n
     * are multiples of FORMAT_PIECE but for the n of the disk's end. What is left out is zeros:
     * every piece that holds nothing else, and no other. */
    int (*data)(struct sink *sink, uint64_t at, const void *bytes, size_t n, struct error *err);
    /* Completes the file; without `complete` it only gives up. The sink is gone, also on -1. */
    int (*end)(struct sink *sink, bool complete, struct error *err);
};

/* The bytes in which zeros are left out (a cluster of qcow2), and those that a sink gets at most at
 * a time. */
enum { FORMAT_PIECE = 64 * 1024, FORMAT_CHUNK = 1 << 20 };

/* The format of that name, or NULL. */
const struct format *format_find(const char *name) NONNULL(1);

/* The names of all formats, separated by ", ". */
const char *format_names(void);

extern const struct format format_raw, format_qcow2, format_gce;

#endif
