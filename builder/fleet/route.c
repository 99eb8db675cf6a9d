#include "builder/fleet/route.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/process.h"

enum { ANSWER_MAX = 16 << 20 };

static const struct route_provider *const providers[] = {&route_linux, &route_gce, &route_aws};

const struct route_provider *route_provider_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (strcmp(providers[i]->name, name) == 0)
            return providers[i];
    return NULL;
}

void route_provider_names(struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        buffer_printf(out, "%s%s", i ? ", " : "", providers[i]->name);
}

bool route_wanted(const struct node *node)
{
    return node->pod_cidr != NULL;
}

void route_state_free(struct route_state *state)
{
    json_decref(state->routes);
    json_decref(state->machines);
}

int route_run(const char *const *argv, struct error *err)
{
    /* What it prints is no answer to a question of ours. */
    struct buffer ignored AUTO_BUFFER = buffer_heap();
    const struct process p = {.argv = argv, .out = &ignored, .deadline = ROUTE_SECONDS};
    return process_run(&p, NULL, err);
}

int route_ask(const char *const *argv, json_t **out, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    const struct process p = {
        .argv = argv, .out = &text, .out_max = ANSWER_MAX, .deadline = ROUTE_SECONDS};
    json_error_t wrong;
    if (process_run(&p, NULL, err) < 0)
        return -1;
    *out = text.len ? json_loadb(text.data, text.len, 0, &wrong) : json_array();
    if (!*out)
        return error_set(err, "run %s: its answer is no JSON: %s (line %d)", argv[0], wrong.text,
                         wrong.line);
    return 0;
}

const char *route_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
