#include "builder/package/prune.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

enum { OPEN_FILES = 8 /* of nftw */ };

static int remove_item(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int prune_tree(const char *path, struct error *err)
{
    if (nftw(path, remove_item, OPEN_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
        errno != ENOENT)
        return error_errno(err, "remove %s", path);
    return 0;
}

struct old {
    char *name;
    struct timespec used;
};

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct old *)a)->used, *y = &((const struct old *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static struct old *find_old(const char *folder, const char *suffix, size_t *count)
{
    struct old *olds = NULL;
    size_t cap = 0;
    DIR *dir = opendir(folder);
    *count = 0;
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (!ends_with(e->d_name, suffix) || fstatat(dirfd(dir), e->d_name, &st, 0) < 0)
            continue;
        *APPEND(olds, *count, cap) = (struct old){heap_copy(e->d_name), st.st_mtim};
    }
    if (dir)
        closedir(dir);
    return olds;
}

void prune_old(const char *folder, const char *suffix, const char *with, size_t kept,
               const char *spare)
{
    struct error ignored = ERROR_INIT;
    size_t count;
    struct old *olds = find_old(folder, suffix, &count);
    if (count)
        qsort(olds, count, sizeof *olds, by_use);
    for (size_t i = 0; i < count; i++) {
        char *name = olds[i].name;
        int stem = (int)(strlen(name) - strlen(suffix));
        char *path AUTO_FREE = heap_printf("%s/%s", folder, name);
        char *other AUTO_FREE = heap_printf("%s/%.*s%s", folder, stem, name, with);
        if (i < kept || strncmp(name, spare, strlen(spare)) == 0)
            continue;
        if (prune_tree(other, &ignored) < 0 || prune_tree(path, &ignored) < 0)
            break;
    }
    for (size_t i = 0; i < count; i++)
        free(olds[i].name);
    free(olds);
}
