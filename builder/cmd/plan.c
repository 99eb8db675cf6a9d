#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "builder/cmd/inputs.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/base-look.h"
#include "builder/plan/print.h"

/* Plans are shown for the base that is there. One that is not, or that would take a virtual machine
 * to read, leaves out what depends on it; `why` says so. */
static struct base *look_at_base(const char *image, struct error *why)
{
    struct disk_file file;
    struct base *base = NULL;
    if (access(image, F_OK) < 0)
        error_errno(why, "%s", image);
    else if (image_probe(image, &file, why) == 0 && base_look(&file, &base, why) < 0)
        base = NULL;
    return base;
}

static int make_plans(const struct args *args, const struct inputs *inputs, const struct base *base,
                      const char *why, struct plan **plans, struct error *err)
{
    for (size_t i = 0; i < inputs->target_count; i++) {
        struct plan_input in = inputs_of_plan(args, inputs, &inputs->targets[i], base);
        in.base_why = why;
        if (plan_make(&in, &plans[i], err) < 0)
            return -1;
    }
    return 0;
}

static int show(const struct args *args, struct plan *const *plans, size_t n, struct error *err)
{
    if (args_flag(args, "json"))
        return plan_print_json(plans, n, stdout, err);
    for (size_t i = 0; i < n; i++) {
        if (i)
            printf("\n");
        plan_print(plans[i], stdout);
    }
    return 0;
}

static int run(const struct args *args, struct error *err)
{
    struct inputs inputs AUTO_INPUTS = {0};
    struct error why = ERROR_INIT;
    if (inputs_load(args, &inputs, err) < 0)
        return -1;
    struct base *base AUTO_BASE = look_at_base(args->cluster->image, &why);
    struct plan **plans AUTO_FREE = heap_array(inputs.target_count, sizeof(struct plan *));
    int result = make_plans(args, &inputs, base, why.text, plans, err);
    if (result == 0)
        result = show(args, plans, inputs.target_count, err);
    for (size_t i = 0; i < inputs.target_count; i++)
        plan_free(plans[i]);
    return result;
}

const struct command cmd_plan = {
    .name = "plan",
    .operands = "[ROLE|NODE]...",
    .summary = "Shows what would go into the images, and writes nothing",
    .details =
        "Prints every file with mode, owner and source, the units and facts, the memory and\n"
        "disk that the machine wants, and what is absent. Without arguments: every node that\n"
        "the profile lays out, or the role where one image serves all of it.\n"
        "The base is read, too, when that needs no virtual machine.\n",
    .options = {OPTION_CLUSTER,
                {"pki", "DIR", "folder of certificates and keys (default: pki/ beside FILE)"},
                {"json", NULL, "print JSON"}},
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER | NEEDS_INSTALL,
    .run = run,
};
