#include "builder/package/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static int is_deb(const struct dirent *item)
{
    size_t n = strlen(item->d_name);
    return n > 4 && item->d_name[0] != '.' && strcmp(item->d_name + n - 4, ".deb") == 0;
}

/* Not alphasort, which goes by the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add(const char *path, const char *architecture, const char *kept, struct deb_set *set,
               struct error *err)
{
    char sha256[DIGEST_HEX_MAX];
    struct deb *deb AUTO_DEB = NULL;
    int result =
        kept ? digest_kept(kept, path, false, sha256, err) : digest_path(path, sha256, err);
    if (result < 0 || deb_open(path, sha256, &deb, err) < 0)
        return -1;
    if (strcmp(deb->architecture, architecture) == 0 || strcmp(deb->architecture, "all") == 0)
        *APPEND(set->items, set->count, set->cap) = steal(deb);
    return 0;
}

static int add_all(struct dirent **names, int n, const char *architecture, const char *kept,
                   struct deb_set *set, struct error *err)
{
    if (n > FOLDER_DEBS_MAX)
        return error_set(err, "%s holds %d packages, more than the %d allowed", set->folder, n,
                         FOLDER_DEBS_MAX);
    for (int i = 0; i < n; i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", set->folder, names[i]->d_name);
        if (add(path, architecture, kept, set, err) < 0)
            return -1;
    }
    return 0;
}

int debs_scan(const char *folder, const char *architecture, const char *kept, struct deb_set *out,
              struct error *err)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, is_deb, by_name);
    if (n < 0)
        return error_errno(err, "folder of packages %s", folder);
    *out = (struct deb_set){.folder = heap_copy(folder)};
    int result = add_all(names, n, architecture, kept, out, err);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    if (result < 0)
        debs_free(out);
    return result;
}

void debs_free(struct deb_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        deb_free(set->items[i]);
    free(set->items);
    free(set->folder);
    *set = (struct deb_set){0};
}
