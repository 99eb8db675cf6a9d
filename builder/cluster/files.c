/* The files that cluster.yaml names, and nodebake's own that it asks for. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cluster/spec.h"
#include "builder/heap.h"
#include "common/address.h"

char *spec_path(const char *dir, const char *path)
{
    if (!path || *path == '/' || strcmp(dir, ".") == 0)
        return heap_copy(path);
    return heap_printf("%s/%s", dir, path);
}

struct wanted {
    const struct spot *spot;
    bool is_folder;
    bool may_lack; /* it may be made later */
    const char *hint;
};

static void check_path(const struct wanted *wanted, const char *dir)
{
    struct stat st;
    char *path AUTO_FREE = spec_path(dir, wanted->spot->text);
    if (!path)
        return;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0) {
        if (errno != ENOENT || !wanted->may_lack)
            yaml_problem(wanted->spot->ref, "%.512s: %s; %s", path, strerror(errno), wanted->hint);
    } else if (S_ISDIR(st.st_mode) != wanted->is_folder)
        yaml_problem(wanted->spot->ref, "%.512s is %s; %s", path,
                     wanted->is_folder ? "not a folder" : "a folder", wanted->hint);
}

static const char suffix[] = ".yaml";

/* A shipped file's name without its suffix, or NULL. */
static char *stem_of(const char *file)
{
    size_t len = strlen(file), cut = strlen(suffix);
    if (len <= cut || strcmp(file + len - cut, suffix) != 0)
        return NULL;
    return heap_printf("%.*s", (int)(len - cut), file);
}

/* Examples of cluster.yaml lie beside the profiles. */
static int is_profile(const struct dirent *e)
{
    char *stem AUTO_FREE = stem_of(e->d_name);
    return stem && dns_label_valid(stem);
}

static int is_release(const struct dirent *e)
{
    char *stem AUTO_FREE = stem_of(e->d_name);
    return stem != NULL;
}

/* "a, b": what lies beside `file`. The caller frees it. */
static char *names_beside(const char *file, int (*filter)(const struct dirent *))
{
    struct dirent **entries = NULL;
    struct buffer names = buffer_heap();
    char *folder AUTO_FREE = heap_printf("%.*s", (int)(strrchr(file, '/') - file), file);
    int n = scandir(folder, &entries, filter, versionsort);
    for (int i = 0; i < n; i++) {
        char *stem AUTO_FREE = stem_of(entries[i]->d_name);
        buffer_printf(&names, "%s%s", i ? ", " : "", stem);
        free(entries[i]);
    }
    free(entries);
    if (!names.len)
        buffer_puts(&names, "none");
    return names.data;
}

static void check_shipped(const struct spec *s, const struct install *install)
{
    if (s->profile.text) {
        char *file AUTO_FREE = install_profile(install, s->profile.text);
        char *known AUTO_FREE = names_beside(file, is_profile);
        if (access(file, R_OK) < 0)
            yaml_problem(s->profile.ref, "there is no profile '%s'; known: %s", s->profile.text,
                         known);
    }
    if (s->kubernetes.text && !s->release.ref.file) {
        char *file AUTO_FREE = install_release(install, s->kubernetes.text);
        char *known AUTO_FREE = names_beside(file, is_release);
        if (access(file, R_OK) < 0)
            yaml_problem(s->kubernetes.ref,
                         "nodebake ships no release file for Kubernetes %s, only for %s; name "
                         "yours with `release: FILE`",
                         s->kubernetes.text, known);
    }
}

void spec_check_files(const struct spec *s, const char *dir, struct cluster_needs needs)
{
    const struct wanted own[] = {
        {&s->release, false, false, "name a release file, or leave it out for nodebake's own"},
        {&s->artifacts, true, !needs.base, "name the folder with the release's files"},
    };
    const struct wanted base[] = {
        {&s->image, false, false, "name the disk image of a base system, raw or qcow2"},
        {&s->debs, true, false, "name the folder with .deb files, or leave it out"},
    };
    if (needs.install)
        check_shipped(s, needs.install);
    for (size_t i = 0; needs.install && i < ARRAY_LEN(own); i++)
        check_path(&own[i], dir);
    for (size_t i = 0; needs.install && i < s->path_count; i++)
        check_path(&(struct wanted){.spot = &s->paths[i].path,
                                    .is_folder = s->paths[i].is_folder,
                                    .hint = s->paths[i].hint},
                   dir);
    for (size_t i = 0; needs.base && i < ARRAY_LEN(base); i++)
        check_path(&base[i], dir);
}
