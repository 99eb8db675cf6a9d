/* A base that lacks packages gets them, once:
 *
 *     CACHE/bases/.lock           held by whoever makes one
 *     CACHE/bases/.work/          what is not complete yet
 *     CACHE/bases/DIGEST.status   the package database of the base of that digest
 *     CACHE/bases/KEY.raw         a prepared base; its key stands for base, packages and program
 *     CACHE/bases/KEY.txt         its identity, and what was done; its time is that of the last use
 *     CACHE/packages/             what the base's repositories had: see selection.h
 */
#ifndef NB_BUILDER_PREPARE_H
#define NB_BUILDER_PREPARE_H

#include "builder/digest.h"
#include "builder/image/disk.h"
#include "builder/package/apt-root.h"

struct preparation {
    struct disk_file image;           /* the base, probed; it is only read */
    const struct disk_writer *writer; /* NULL: the first that suits the base */
    const char *const *packages;      /* that the system must have */
    size_t package_count;
    const char *debs;         /* folder of .deb files, or NULL */
    bool repositories;        /* without debs: they come from those that the base knows */
    struct apt_access access; /* to them */
    bool refresh;             /* they are asked, even when it is known what they had before */
    const char *cache;        /* nodebake's cache folder */
    time_t mtime;             /* of what has no time of its own */
    bool rehash;              /* remembered digests are not trusted */
    bool dry;                 /* only finds out what would be done */
};

/* What came of it; strings are the caller's. */
struct prepared {
    char *path; /* the raw image to build from; NULL: the base itself, or a dry run */
    char *says; /* for people, a line without its end; NULL: nothing was done */
    /* Stands for the content of path, as a digest would; two that the guest made differ. */
    char identity[DIGEST_HEX_MAX];
};

/* Finds or makes a base that has the packages. Without debs and repositories, and when the base
 * lacks nothing, that is the base itself. */
int base_prepare(const struct preparation *preparation, struct prepared *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees what it holds. */
void prepared_free(struct prepared *prepared);
#define AUTO_PREPARED __attribute__((cleanup(prepared_free)))

#endif
