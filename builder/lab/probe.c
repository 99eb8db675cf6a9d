/* The child that looks: a round a second, written to a pipe as a line of JSON. */
#include "builder/lab/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/agent.h"
#include "builder/lab/balancer.h"
#include "builder/lab/child.h"
#include "builder/lab/control.h"
#include "builder/lab/link.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { PIPE_FD = 3, STAT_MAX = 1 << 20, API_MAX = 64 << 20, API_SECONDS = 15, AGENT_EACH = 3 };
static const double AGENT_WAIT = 0.5, STAT_WAIT = 2;

static void look_at_agents(const struct lab *lab, json_t *seen)
{
    json_t *list = json_array();
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        const char *name = lab->cluster->nodes[i].name;
        char *socket AUTO_FREE = heap_printf(LAB_NODES "/%s/agent", name);
        if (agent_answers(AT_FDCWD, socket, AGENT_WAIT))
            json_array_append_new(list, json_string(name));
    }
    json_object_set_new(seen, "agents", list);
}

static int ask_balancer(struct buffer *stat, struct error *err)
{
    static const char request[] = "show stat\n";
    double until = link_now() + STAT_WAIT;
    int fd AUTO_CLOSE = -1;
    if (link_connect(AT_FDCWD, LAB_BALANCER_SOCK, until, &fd, err) < 0 ||
        link_write(fd, until, request, strlen(request), err) < 0)
        return -1;
    return link_read_all(fd, until, STAT_MAX, stat, err);
}

/* True when an API server answers. */
static bool look_at_balancer(const struct lab *lab, json_t *seen)
{
    struct error ignored = ERROR_INIT;
    struct buffer stat AUTO_BUFFER = buffer_heap();
    bool any = false;
    if (ask_balancer(&stat, &ignored) < 0)
        return false;
    json_t *all = json_object();
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        const struct node *node = &lab->cluster->nodes[i];
        char why[128];
        if (strcmp(node->role, "controller") != 0)
            continue;
        bool up = balancer_up(stat.data ? stat.data : "", node->name, why, sizeof why);
        json_object_set_new(all, node->name, json_pack("{s:b, s:s}", "up", up, "why", why));
        any = any || up;
    }
    json_object_set_new(seen, "balancer", all);
    return any;
}

static void look_at_api(const struct lab *lab, json_t *seen)
{
    struct error err = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    /* The host's port is not to be had from here. */
    char *server AUTO_FREE =
        heap_printf("--server=https://%s:%d", lab->cluster->public_address, API_PORT);
    const char *const argv[] = {"kubectl",       "--kubeconfig=" LAB_KUBECONFIG,
                                server,          "--request-timeout=10s",
                                "get",           "--raw",
                                "/api/v1/nodes", NULL};
    const struct process kubectl = {
        .argv = argv, .out = &text, .out_max = API_MAX, .deadline = API_SECONDS};
    if (process_run(&kubectl, NULL, &err) < 0) {
        json_object_set_new(seen, "api", json_string(err.text));
        return;
    }
    json_t *list AUTO_JSON = json_loadb(text.data, text.len, 0, NULL), *nodes = json_object();
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        struct probe_node n;
        if (!list)
            break;
        probe_read_node(list, &lab->cluster->nodes[i], &n);
        json_object_set_new(nodes, lab->cluster->nodes[i].name,
                            json_pack("{s:b, s:I, s:s}", "ready", n.ready, "heartbeat",
                                      (json_int_t)n.heartbeat, "why", n.why));
    }
    json_object_set_new(seen, "nodes", nodes);
}

static int round_of(const struct lab *lab, unsigned round, struct error *err)
{
    json_t *seen AUTO_JSON = json_pack("{s:I}", "at", (json_int_t)time(NULL));
    bool api = look_at_balancer(lab, seen);
    if (round % AGENT_EACH == 0)
        look_at_agents(lab, seen);
    if (api && lab->kubeconfig)
        look_at_api(lab, seen);
    char *text AUTO_FREE = json_dumps(seen, JSON_COMPACT);
    char *line AUTO_FREE = heap_printf("%s\n", text ? text : "{}");
    if (file_write_all(PIPE_FD, line, strlen(line)) < 0)
        return error_errno(err, "write");
    return 0;
}

/* Who answers late is asked less often: to be asked is work, too. */
static unsigned pause_after(double took)
{
    return took < 0.5 ? 1 : took > 5 ? 10 : (unsigned)(2 * took);
}

static int probe_main(void *ctx)
{
    struct error err = ERROR_INIT;
    for (unsigned round = 0;; round++) {
        double began = link_now();
        if (round_of(ctx, round, &err) < 0)
            return 1;
        sleep(pause_after(link_now() - began));
    }
}

int probe_start(struct lab *lab, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    int theirs AUTO_CLOSE = ends[1];
    cleanup_close(&lab->probe_fd); /* of one that ended */
    lab->probe_fd = ends[0];
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        return error_errno(err, "pipe");
    return child_fork(probe_main, lab, theirs, NULL, &lab->probe, err);
}
