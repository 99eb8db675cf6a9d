#include "builder/cmd/pki-common.h"

#include <stdio.h>

#include "builder/heap.h"

char *pki_folder(const struct args *args)
{
    const char *given = args_value(args, "pki");
    return given ? heap_copy(given) : cluster_path(args->cluster, "pki");
}

int pki_print_json(json_t *json, struct error *err)
{
    int result = json_dumpf(json, stdout, JSON_INDENT(2));
    json_decref(json);
    printf("\n");
    return result < 0 ? error_set(err, "JSON could not be written") : 0;
}

json_t *pki_json_texts(const struct texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
    return list;
}
