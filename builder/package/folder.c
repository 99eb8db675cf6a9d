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

static int add(const char *path, const char *architecture, struct known *known, struct deb_set *set,
               struct error *err)
{
    char sha256[DIGEST_HEX_MAX];
    struct deb *deb AUTO_DEB = NULL;
    if (known_digest(known, path, false, sha256, err) < 0 || deb_open(path, sha256, &deb, err) < 0)
        return -1;
    if (strcmp(deb->architecture, architecture) == 0 || strcmp(deb->architecture, "all") == 0)
        *APPEND(set->items, set->count, set->cap) = steal(deb);
    return 0;
}

int debs_scan(const char *folder, const char *architecture, struct known *known,
              struct deb_set *out, struct error *err)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, is_deb, by_name), result = 0;
    *out = (struct deb_set){.folder = heap_copy(folder)};
    if (n < 0)
        result = error_errno(err, "folder of packages %s", folder);
    if (n > FOLDER_DEBS_MAX)
        result = error_set(err, "%s holds %d packages, more than the %d allowed", folder, n,
                           FOLDER_DEBS_MAX);
    for (int i = 0; i < n; i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, names[i]->d_name);
        if (result == 0)
            result = add(path, architecture, known, out, err);
        free(names[i]);
    }
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
