#include "builder/cmd/lab-wait.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "builder/lab/view.h"

static const double STEP_SECONDS = 0.5;

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void lab_wait_listen(void)
{
    const struct sigaction action = {.sa_handler = interrupt};
    struct sigaction before;
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

static bool in_state(const json_t *node, const char *const *states)
{
    for (; *states; states++)
        if (strcmp(lab_text(node, "state"), *states) == 0)
            return true;
    return false;
}

static const char *const ends[] = {"failed", "stopped", "killed", "absent", NULL};

bool lab_has_api(const json_t *status)
{
    const json_t *nodes = json_object_get(status, "nodes"), *node;
    size_t i;
    if (!json_is_true(json_object_get(status, "kubeconfig")))
        return false;
    for (i = 0; i < json_array_size(nodes) && (node = json_array_get(nodes, i)); i++)
        if (strcmp(lab_text(node, "role"), "controller") == 0 && !in_state(node, ends))
            return true;
    return false;
}

static bool is_done(const json_t *node, bool api)
{
    static const char *const ready[] = {"ready", NULL}, *const up[] = {"up", "ready", NULL};
    bool controller = strcmp(lab_text(node, "role"), "controller") == 0;
    return in_state(node, api || controller ? ready : up);
}

enum lab_outcome lab_judge(const json_t *status, const json_t *wishes, const json_t **culprit)
{
    bool api = lab_has_api(status);
    enum lab_outcome outcome = LAB_DONE;
    const json_t *wish;
    size_t i;
    for (i = 0; i < json_array_size(wishes) && (wish = json_array_get(wishes, i)); i++) {
        struct error ignored = ERROR_INIT;
        const json_t *node = NULL;
        if (lab_node(status, lab_text(wish, "name"), &node, &ignored) == 0 && is_done(node, api))
            continue;
        *culprit = node;
        outcome = LAB_WAITS;
        if (!node || in_state(node, ends))
            return LAB_FAILED;
    }
    return outcome;
}

static int tell_failure(const json_t *node, enum lab_outcome outcome, unsigned seconds,
                        struct error *err)
{
    const char *name = lab_text(node, "name"), *why = lab_text(node, "why");
    const char *colon = *why ? ": " : "";
    if (outcome == LAB_FAILED)
        return error_set(err, "%s is %s%s%s; `nodebake lab logs %s` has more; the lab goes on",
                         name, lab_text(node, "state"), colon, why, name);
    return error_set(err,
                     "%s is %s after %u s%s%s; `nodebake lab logs %s` has more; the lab goes on",
                     name, lab_text(node, "state"), seconds, colon, why, name);
}

static void tell_success(const struct lab_client *lab, const json_t *status, double seconds)
{
    struct buffer table AUTO_BUFFER = buffer_heap(), span AUTO_BUFFER = buffer_heap();
    view_span((long)(seconds + 0.5), &span);
    view_table(status, time(NULL), &table);
    fputs(table.data, stdout);
    if (lab_has_api(status))
        printf("\nready after %s; API: https://127.0.0.1:%d, KUBECONFIG=%s/" LAB_KUBECONFIG "\n",
               span.data, (int)json_integer_value(json_object_get(status, "port")), lab->path);
    else
        printf("\nup after %s; %s, so that workers are as far as they can be\n", span.data,
               json_is_true(json_object_get(status, "kubeconfig"))
                   ? "no controller runs here"
                   : "there is no kubeconfig of the admin");
}

static int follow(const struct lab_client *lab, const json_t *wishes, unsigned seconds,
                  struct view *view, struct error *err)
{
    for (;;) {
        json_t *status AUTO_JSON = NULL;
        const json_t *culprit = NULL;
        if (lab_ask(lab, "status", NULL, &status, err) < 0)
            return -1;
        view_progress(view, status, time(NULL));
        enum lab_outcome outcome = lab_judge(status, wishes, &culprit);
        double passed = link_now() - view->begun;
        if (interrupted)
            return error_set(err, "interrupted; the lab goes on (`nodebake lab status`, `nodebake "
                                  "lab down`)");
        if (outcome == LAB_DONE) {
            tell_success(lab, status, passed);
            return 0;
        }
        if (outcome == LAB_FAILED || passed > seconds)
            return tell_failure(culprit, outcome, seconds, err);
        lab_pause(STEP_SECONDS);
    }
}

int lab_wait(const struct lab_client *lab, const json_t *wishes, unsigned seconds, bool quiet,
             struct error *err)
{
    struct view view = {.terminal = isatty(STDERR_FILENO) == 1,
                        .quiet = quiet,
                        .begun = link_now(),
                        .count = json_array_size(wishes)};
    const char **names = heap_array(view.count ? view.count : 1, sizeof *names);
    for (size_t i = 0; i < view.count; i++)
        names[i] = lab_text(json_array_get(wishes, i), "name");
    view.names = names;
    view.shown = heap_array(view.count ? view.count : 1, sizeof *view.shown);
    int result = follow(lab, wishes, seconds, &view, err);
    free(view.shown);
    free(names);
    return result;
}
