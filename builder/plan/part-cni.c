/* CNI plugins of the user's: all files of his folder, beside the release's and in their place. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/plan/part.h"

static const char SOURCE[] = "cluster.yaml: cniPlugins";

/* What the network needs, and the release may lack. */
static const char *const of_calico[] = {"calico", "calico-ipam", "portmap", "bandwidth", NULL};
static const char *const of_flannel[] = {"flannel", "bridge", "host-local", "portmap", NULL};
static const char *const of_others[] = {NULL};

static const char *const *needed(enum cni cni)
{
    return cni == CNI_CALICO ? of_calico : cni == CNI_FLANNEL ? of_flannel : of_others;
}

static int add_plugin(struct plan *plan, const char *bin, const char *folder, const char *name,
                      struct error *err)
{
    struct stat st;
    char *host AUTO_FREE = heap_printf("%s/%s", folder, name);
    char *path AUTO_FREE = heap_printf("%s/%s", bin, name);
    if (stat(host, &st) < 0)
        return error_errno(err, "%s", host);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s: no file; the folder holds plugins only", host);
    if (strpbrk(name, " \t\n@"))
        return error_set(err, "%s: no name of a plugin", host);
    plan->bytes += (uint64_t)st.st_size;
    return part_host(plan, path, 0755, host, false, SOURCE, err);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int add_folder(struct plan *plan, const char *bin, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_shown, alphasort), result = 0;
    if (n < 0)
        return error_errno(err, "%s", folder);
    for (int i = 0; i < n; i++) {
        if (result == 0)
            result = add_plugin(plan, bin, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

bool part_cni_replaces(const struct plan_input *in, const char *path)
{
    const char *folder = in->cluster->settings.cni_plugins;
    const char *bin = profile_value(in->profile, "CNI_BIN");
    size_t len = bin ? strlen(bin) : 0;
    struct stat st;
    if (!folder || !len || strncmp(path, bin, len) != 0 || path[len] != '/')
        return false;
    char *host AUTO_FREE = heap_printf("%s%s", folder, path + len);
    return stat(host, &st) == 0;
}

static int check_needed(const struct plan *plan, const char *bin, struct error *err)
{
    const struct cluster *cluster = plan->in.cluster;
    static const char *const words[] = {[CNI_CALICO] = "calico", [CNI_FLANNEL] = "flannel"};
    for (const char *const *name = needed(cluster->settings.cni); *name; name++) {
        char *path AUTO_FREE = heap_printf("%s/%s", bin, *name);
        if (!tree_find(plan->tree, path))
            return error_set(err,
                             "%s: cni: %s needs the plugin %s, which neither the release nor "
                             "`cniPlugins` has",
                             cluster->file, words[cluster->settings.cni], *name);
    }
    return 0;
}

int part_cni(struct plan *plan, struct error *err)
{
    const struct settings *settings = &plan->in.cluster->settings;
    const char *bin = profile_value(plan->in.profile, "CNI_BIN");
    if (strcmp(plan->in.role->name, "worker") != 0 || !bin)
        return 0;
    if (settings->cni_plugins && add_folder(plan, bin, settings->cni_plugins, err) < 0)
        return error_context(err, "%s: cniPlugins", plan->in.cluster->file);
    tree_sort(plan->tree);
    return check_needed(plan, bin, err);
}
