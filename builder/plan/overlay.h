/* Overlays: folders that mirror /, laid over each other in order. */
#ifndef NB_BUILDER_OVERLAY_H
#define NB_BUILDER_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/error.h"

struct own_file;

/* Files of at most so many bytes may hold facts; firstboot takes no larger ones. */
enum { OVERLAY_FILE_MAX = 256 << 10, OVERLAY_FILES_MAX = 1000 };

/* A file or link of an overlay. */
struct overlay_file {
    char *path;  /* in the image */
    char *host;  /* on the host, or NULL */
    char *text;  /* content that does not lie on the host, or NULL */
    char *name;  /* "OVERLAY/path", for people; NULL: a file that cluster.yaml describes */
    char *place; /* of the user's own: where it was written, for errors; else NULL */
    char *link;  /* target of a link, else NULL */
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

struct overlay_list {
    struct overlay_file *files;
    size_t count, cap;
};

/* Adds the overlay's files to the list; one whose path stands there already replaces it. */
int overlay_add(const char *data, const char *overlay, struct overlay_list *list, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The same of a folder of the user's. */
int overlay_add_folder(const char *folder, struct overlay_list *list, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Adds a file that cluster.yaml (whose name stands in errors) describes. */
int overlay_add_own(const struct own_file *file, const char *cluster, struct overlay_list *list,
                    struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Takes the i-th file out of the list. */
void overlay_list_remove(struct overlay_list *list, size_t i) NONNULL(1);

/* Frees what the list holds. */
void overlay_list_free(struct overlay_list *list);
#define AUTO_OVERLAYS __attribute__((cleanup(overlay_list_free)))

#endif
