#include <stdio.h>
#include <time.h>

#include "builder/cmd/lab-common.h"
#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/lab/view.h"

static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    json_t *status AUTO_JSON = NULL;
    struct buffer table AUTO_BUFFER = buffer_heap();
    if (lab_find(args, &lab, err) < 0 || lab_ask(&lab, "status", NULL, &status, err) < 0)
        return -1;
    if (args_flag(args, "json"))
        return pki_print_json(json_incref(status), err);
    view_table(status, time(NULL), &table);
    fputs(table.data, stdout);
    return 0;
}

const struct command cmd_lab_status = {
    .name = "lab status",
    .operands = "",
    .summary = "Shows the lab's machines and how far they are",
    .details = "",
    .options = {OPTION_CLUSTER, OPTION_STATE, OPTION_JSON},
    .run = run,
};
