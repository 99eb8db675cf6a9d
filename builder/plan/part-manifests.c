/* What the controllers give the cluster beside nodebake's own:
 * PATH_HOME/cluster/manifests/NNN-FILE, in the order of cluster.yaml. */
#include <ctype.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/part.h"

#define FOLDER PATH_HOME "/cluster/manifests"

static const char SOURCE[] = "cluster.yaml: manifests";

enum { NAME_MAX_BYTES = 100 };

/* A name that no tool has to quote; the caller frees it. */
static char *place_of(size_t i, const char *host)
{
    const char *slash = strrchr(host, '/');
    char *place = heap_printf(FOLDER "/%03zu-%.*s", i, NAME_MAX_BYTES, slash ? slash + 1 : host);
    for (char *p = place + strlen(FOLDER) + 1; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '-';
    return place;
}

/* They may hold Secrets: root's alone. */
int part_manifests(struct plan *plan, struct error *err)
{
    const struct texts *files = &plan->in.cluster->settings.manifests;
    if (!files->count || strcmp(plan->in.role->name, "controller") != 0)
        return 0;
    if (part_dir(plan, FOLDER, 0700, SOURCE, err) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        char *place AUTO_FREE = place_of(i, files->items[i]);
        if (part_host(plan, place, 0600, files->items[i], true, SOURCE, err) < 0)
            return error_context(err, "%s", files->items[i]);
    }
    return 0;
}
