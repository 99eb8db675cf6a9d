#include "builder/plan/own.h"

#include <fnmatch.h>
#include <string.h>

#include "builder/heap.h"
#include "common/contract.h"

/* Links of a base whose /usr is merged, and of every base. */
static const struct {
    const char *link, *target;
} aliases[] = {
    {"/bin", "/usr/bin"},     {"/sbin", "/usr/sbin"},     {"/lib", "/usr/lib"},
    {"/lib32", "/usr/lib32"}, {"/lib64", "/usr/lib64"},   {"/libx32", "/usr/libx32"},
    {"/var/run", "/run"},     {"/var/lock", "/run/lock"},
};

/* fnmatch(3) patterns, whose * matches slashes, too. */
static const struct {
    const char *pattern, *why;
} reserved[] = {
    {"/etc/*nodebake*", "is nodebake's own"},
    {"/usr/*nodebake*", "is nodebake's own"},
    {PATH_STATE "/*", "is nodebake's own"},
    {"/etc/machine-id", "is made at first boot"},
    {"/etc/hostname", "is the node's name, which firstboot writes"},
    {"/dev/*", "is hidden once the system runs"},
    {"/proc/*", "is hidden once the system runs"},
    {"/run/*", "is hidden once the system runs"},
    {"/sys/*", "is hidden once the system runs"},
    {"/tmp/*", "is removed at boot"},
};

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return strncmp(path, dir, len) == 0 && path[len] == '/';
}

char *own_real_path(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (is_below(path, aliases[i].link))
            return heap_printf("%s%s", aliases[i].target, path + strlen(aliases[i].link));
    return heap_copy(path);
}

static int refuse(const struct overlay_file *file, const char *why, struct error *err)
{
    return error_set(err, "%s: %s %s; give the file another path", file->place, file->path, why);
}

/* A file of the identity has the node's name in its path. */
static bool is_identity(const struct plan *plan, const char *path)
{
    static const char fact[] = "@" CONTRACT_NODE_FACT "@";
    for (size_t i = 0; i < plan->in.role->identity_count; i++) {
        const char *dest = plan->in.role->identity[i].path, *at = strstr(dest, fact);
        char *pattern AUTO_FREE =
            at ? heap_printf("%.*s*%s", (int)(at - dest), dest, at + strlen(fact))
               : heap_copy(dest);
        if (fnmatch(pattern, path, FNM_PATHNAME | FNM_NOESCAPE) == 0)
            return true;
    }
    return false;
}

static const struct entry *find_real(const struct tree *tree, const char *real)
{
    for (size_t i = 0; i < tree->count; i++) {
        char *other AUTO_FREE = own_real_path(tree->entries[i].path);
        if (strcmp(other, real) == 0)
            return &tree->entries[i];
    }
    return NULL;
}

int own_check(const struct plan *plan, const struct overlay_file *file, struct error *err)
{
    char *real AUTO_FREE = own_real_path(file->path);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (fnmatch(reserved[i].pattern, real, FNM_NOESCAPE) == 0)
            return refuse(file, reserved[i].why, err);
    if (is_identity(plan, file->path))
        return refuse(file, "is a key or certificate of the node", err);
    const struct entry *other = find_real(plan->tree, real);
    if (!other)
        return 0;
    char *why AUTO_FREE =
        heap_printf("%s nodebake (%s)",
                    other->type == ENTRY_DIR ? "is a directory of" : "comes from", other->source);
    return refuse(file, why, err);
}
