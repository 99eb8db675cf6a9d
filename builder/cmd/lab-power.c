/* What is done to a machine from outside: stop, start, kill, partition. */
#include <stdio.h>
#include <string.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/link.h"
#include "builder/progress.h"

static const double STEP_SECONDS = 0.2, GRACE_SECONDS = 20;

/* Waits until the machine does not run; says how that came. */
static int wait_until_off(const struct lab_client *lab, const char *name, double seconds,
                          struct error *err)
{
    struct progress progress = progress_start(0, "%s ends", name);
    for (double until = link_now() + seconds + GRACE_SECONDS;;) {
        json_t *status AUTO_JSON = NULL;
        const json_t *node;
        if (lab_ask(lab, "status", NULL, &status, err) < 0 ||
            lab_node(status, name, &node, err) < 0)
            return -1;
        if (json_integer_value(json_object_get(node, "started")) == 0) {
            progress_end(&progress);
            const char *why = lab_text(node, "why");
            printf("%s: %s%s%s\n", name, lab_text(node, "state"), *why ? ": " : "", why);
            return 0;
        }
        if (link_now() > until)
            return error_set(err, "%s does not end", name);
        progress_add(&progress, 0);
        lab_pause(STEP_SECONDS);
    }
}

static int run_stop(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    json_t *answer AUTO_JSON = NULL;
    const char *name = args->operands[0];
    if (lab_find(args, &lab, err) < 0 || lab_ask(&lab, "stop", name, &answer, err) < 0)
        return -1;
    return wait_until_off(&lab, name, (double)json_integer_value(json_object_get(answer, "within")),
                          err);
}

static int run_kill(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    if (lab_find(args, &lab, err) < 0 || lab_ask(&lab, "kill", args->operands[0], NULL, err) < 0)
        return -1;
    return wait_until_off(&lab, args->operands[0], 0, err);
}

static int run_start(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    if (lab_find(args, &lab, err) < 0 || lab_ask(&lab, "start", args->operands[0], NULL, err) < 0)
        return -1;
    printf("%s: booting\n", args->operands[0]);
    return 0;
}

static int run_partition(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    json_t *answer AUTO_JSON = NULL;
    bool heal = args_flag(args, "heal");
    if (lab_find(args, &lab, err) < 0)
        return -1;
    json_t *request =
        json_pack("{s:s, s:s, s:b}", "op", "partition", "node", args->operands[0], "heal", heal);
    if (!request)
        return error_set(err, "a name that is not UTF-8");
    if (control_call(lab.dir, request, CONTROL_SECONDS, &answer, err) < 0)
        return -1;
    printf("%s: %s\n", args->operands[0], heal ? "in the network again" : "cut off");
    return 0;
}

const struct command cmd_lab_stop = {
    .name = "lab stop",
    .operands = "NODE",
    .summary = "Powers a machine of the lab off",
    .details = "Presses its power button, and waits. One that is not off after 90 s is killed.\n",
    .options = {OPTION_CLUSTER, OPTION_STATE, OPTION_QUIET},
    .operands_min = 1,
    .operands_max = 1,
    .run = run_stop,
};

const struct command cmd_lab_start = {
    .name = "lab start",
    .operands = "NODE",
    .summary = "Boots a machine of the lab from the disk that it has",
    .details = "",
    .options = {OPTION_CLUSTER, OPTION_STATE},
    .operands_min = 1,
    .operands_max = 1,
    .run = run_start,
};

const struct command cmd_lab_kill = {
    .name = "lab kill",
    .operands = "NODE",
    .summary = "Pulls the plug of a machine of the lab",
    .details = "Its disk stays; `nodebake lab start` boots it again.\n",
    .options = {OPTION_CLUSTER, OPTION_STATE, OPTION_QUIET},
    .operands_min = 1,
    .operands_max = 1,
    .run = run_kill,
};

const struct command cmd_lab_partition = {
    .name = "lab partition",
    .operands = "NODE",
    .summary = "Cuts a machine of the lab off from the network, or puts it back",
    .details =
        "Nothing comes through in either direction, until --heal. Console, exec and logs work\n"
        "all the same.\n",
    .options = {OPTION_CLUSTER, OPTION_STATE, {"heal", NULL, "put it back"}},
    .operands_min = 1,
    .operands_max = 1,
    .run = run_partition,
};
