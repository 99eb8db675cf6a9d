#include <stdio.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/folder.h"
#include "builder/lab/link.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum { END_ANSWER_SECONDS = 15 };
/* Powering off has 90 s of its own. */
static const double END_SECONDS = 120, KILL_SECONDS = 20, STEP_SECONDS = 0.1;

/* 1: the supervisor is gone and its lock ours. */
static int wait_for_end(const struct lab_client *lab, double seconds, struct progress *progress,
                        int *lock, struct error *err)
{
    int taken;
    for (double until = link_now() + seconds;;) {
        taken = lab_folder_lock(lab->dir, lock, err);
        if (taken != 0 || link_now() > until)
            return taken;
        progress_add(progress, 0);
        lab_pause(STEP_SECONDS);
    }
}

static int end_supervisor(const struct lab_client *lab, bool now, int *lock, struct error *err)
{
    struct error refused = ERROR_INIT;
    json_t *answer AUTO_JSON = NULL;
    struct progress progress = progress_start(0, now ? "ending the lab" : "powering the lab off");
    json_t *request = json_pack("{s:s, s:b}", "op", "down", "now", now);
    int asked = control_call(lab->dir, request, END_ANSWER_SECONDS, &answer, &refused);
    int taken =
        asked < 0 ? 0 : wait_for_end(lab, now ? KILL_SECONDS : END_SECONDS, &progress, lock, err);
    /* One that hangs, or does not answer, is killed with all it started. */
    if (taken == 0 && lab_folder_kill(lab->dir))
        taken = wait_for_end(lab, KILL_SECONDS, &progress, lock, err);
    progress_end(&progress);
    if (taken == 0)
        return error_set(err, "the supervisor of the lab in %s does not end%s%s", lab->path,
                         asked < 0 ? ": " : "", refused.text);
    return taken < 0 ? -1 : 0;
}

static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    int lock AUTO_CLOSE = -1;
    bool rest = false;
    lab.path = lab_path(args);
    if (access(lab.path, F_OK) < 0) {
        printf("there is no lab in %s\n", lab.path);
        return 0;
    }
    if (lab_folder_open(lab.path, false, &lab.dir, err) < 0)
        return -1;
    int taken = lab_folder_lock(lab.dir, &lock, err);
    if (taken < 0 || (taken == 0 && end_supervisor(&lab, args_flag(args, "now"), &lock, err) < 0))
        return -1;
    lab_folder_await_end(lab.dir);
    if (lab_folder_remove(lab.dir, lab.path, &rest, err) < 0)
        return -1;
    if (rest)
        printf("%s: what is not the lab's stays\n", lab.path);
    return 0;
}

const struct command cmd_lab_down = {
    .name = "lab down",
    .operands = "",
    .summary = "Powers the lab's machines off, and removes them and the network",
    .details =
        "A machine that is not off after 90 s is killed. Disks, consoles and all else in the\n"
        "lab's folder are removed; images and certificates are not touched.\n",
    .options = {OPTION_CLUSTER,
                OPTION_STATE,
                {"now", NULL, "kill the machines at once"},
                OPTION_QUIET},
    .run = run,
};
