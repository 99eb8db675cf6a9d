#include "builder/plan/about.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

static bool gives(const struct artifact *artifact, const char *host)
{
    for (size_t i = 0; host && i < artifact->member_count; i++)
        if (artifact->members[i].host && strcmp(artifact->members[i].host, host) == 0)
            return true;
    return false;
}

/* The files of the image that the artifact gives. */
static json_t *paths_of(const struct plan *plan, const struct artifact *artifact)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->tree->count; i++)
        if (gives(artifact, plan->tree->entries[i].host))
            json_array_append_new(list, json_string(plan->tree->entries[i].path));
    return list;
}

static json_t *component_json(const struct artifact *artifact, json_t *paths)
{
    char *digest AUTO_FREE = heap_printf("%s:%s", artifact->algorithm, artifact->digest);
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", artifact->component, "version",
                     artifact->version, "file", artifact->file, "digest", digest, "paths", paths);
}

static json_t *components_json(const struct plan *plan)
{
    json_t *list = json_array();
    const struct release *release = plan->in.release;
    for (size_t i = 0; i < release->artifact_count; i++) {
        json_t *paths = paths_of(plan, &release->artifacts[i]);
        if (json_array_size(paths))
            json_array_append_new(list, component_json(&release->artifacts[i], paths));
        else
            json_decref(paths);
    }
    return list;
}

/* The base by its name alone: where it lies on the host is nobody's business. */
static const char *base_name(const struct cluster *cluster)
{
    const char *slash = cluster->image ? strrchr(cluster->image, '/') : NULL;
    return slash ? slash + 1 : cluster->image;
}

int about_write(const struct plan *plan, struct buffer *out, struct error *err)
{
    const struct plan_input *in = &plan->in;
    json_t *about AUTO_JSON =
        json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s, s:s, s:s?, s:o}", "version", 1, "nodebake",
                  NODEBAKE_VERSION, "cluster", in->cluster->name, "role", in->role->name, "node",
                  in->node ? in->node->name : NULL, "profile", in->profile->name, "kubernetes",
                  in->cluster->kubernetes, "base", base_name(in->cluster), "components",
                  components_json(plan));
    char *text AUTO_FREE = about ? json_dumps(about, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    if (!text)
        return error_set(err, "%s: a name is not UTF-8", PATH_ABOUT);
    buffer_printf(out, "%s\n", text);
    return 0;
}
