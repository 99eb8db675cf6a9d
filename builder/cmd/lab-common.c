#include "builder/cmd/lab-common.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/heap.h"
#include "builder/lab/folder.h"
#include "builder/lab/lab.h"
#include "common/cleanup.h"

char *lab_path(const struct args *args)
{
    const char *state = args_value(args, "state"), *file = args_value(args, "cluster");
    if (state)
        return heap_copy(state);
    const char *slash = file ? strrchr(file, '/') : NULL;
    return slash ? heap_printf("%.*s/.lab", (int)(slash - file), file) : heap_copy(".lab");
}

int lab_find(const struct args *args, struct lab_client *out, struct error *err)
{
    out->path = lab_path(args);
    if (lab_folder_open(out->path, false, &out->dir, err) < 0)
        return -1;
    int lock AUTO_CLOSE = -1;
    int taken = lab_folder_lock(out->dir, &lock, err);
    if (taken < 0)
        return -1;
    if (taken)
        return error_set(err, "the lab in %s does not run; `nodebake lab up` starts it again",
                         out->path);
    return 0;
}

int lab_ask(const struct lab_client *lab, const char *op, const char *node, json_t **answer,
            struct error *err)
{
    json_t *got AUTO_JSON = NULL;
    json_t *request =
        node ? json_pack("{s:s, s:s}", "op", op, "node", node) : json_pack("{s:s}", "op", op);
    if (!request)
        return error_set(err, "a name that is not UTF-8");
    if (control_call(lab->dir, request, CONTROL_SECONDS, &got, err) < 0)
        return -1;
    if (answer)
        *answer = json_incref(got);
    return 0;
}

int lab_node(const json_t *status, const char *name, const json_t **node, struct error *err)
{
    const json_t *nodes = json_object_get(status, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        *node = json_array_get(nodes, i);
        if (strcmp(lab_text(*node, "name"), name) == 0)
            return 0;
    }
    *node = NULL;
    return error_set(err, "'%s' is no node of the lab's cluster", name);
}

int lab_running(const struct lab_client *lab, const char *name, struct error *err)
{
    json_t *status AUTO_JSON = NULL;
    const json_t *node;
    if (lab_ask(lab, "status", NULL, &status, err) < 0 || lab_node(status, name, &node, err) < 0)
        return -1;
    if (json_integer_value(json_object_get(node, "started")) == 0)
        return error_set(err, "%s does not run: %s", name, lab_text(node, "state"));
    return 0;
}

const char *lab_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

char *lab_file(const char *node, const char *file)
{
    return heap_printf(LAB_NODES "/%s/%s", node, file);
}

void lab_pause(double seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

void lab_client_free(struct lab_client *lab)
{
    free(lab->path);
    cleanup_close(&lab->dir);
}
