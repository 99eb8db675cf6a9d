/* What the probe saw, and what it means for the machines. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/machine.h"
#include "builder/lab/probe.h"
#include "common/cleanup.h"

enum { LINE_MAX_BYTES = 4 << 20 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* 2026-11-22T21:00:00Z; 0 when it is not that. */
static time_t parse_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return end && !*end ? timegm(&tm) : 0;
}

static bool has_address(const json_t *item, const char *wanted)
{
    const json_t *all = json_object_get(json_object_get(item, "status"), "addresses"), *address;
    size_t i;
    for (i = 0; i < json_array_size(all) && (address = json_array_get(all, i)); i++)
        if (strcmp(text_of(address, "type"), "InternalIP") == 0 &&
            strcmp(text_of(address, "address"), wanted) == 0)
            return true;
    return false;
}

/* One that is called after its instance has the address of the cluster's node, not its name. */
static const json_t *find_node(const json_t *list, const struct node *node)
{
    const json_t *items = json_object_get(list, "items"), *item;
    size_t i;
    for (i = 0; i < json_array_size(items) && (item = json_array_get(items, i)); i++)
        if (strcmp(text_of(json_object_get(item, "metadata"), "name"), node->name) == 0 ||
            has_address(item, node->address))
            return item;
    return NULL;
}

void probe_read_node(const json_t *list, const struct node *wanted, struct probe_node *out)
{
    const json_t *node = find_node(list, wanted), *condition;
    const json_t *conditions = json_object_get(json_object_get(node, "status"), "conditions");
    size_t i;
    *out = (struct probe_node){.there = node != NULL};
    snprintf(out->why, sizeof out->why, node ? "not ready" : "has not registered");
    for (i = 0; i < json_array_size(conditions) && (condition = json_array_get(conditions, i));
         i++) {
        if (strcmp(text_of(condition, "type"), "Ready") != 0)
            continue;
        out->ready = strcmp(text_of(condition, "status"), "True") == 0;
        out->heartbeat = parse_time(text_of(condition, "lastHeartbeatTime"));
        const char *message = text_of(condition, "message");
        out->why[0] = '\0';
        if (!out->ready)
            snprintf(out->why, sizeof out->why, "not ready: %s",
                     *message ? message : text_of(condition, "reason"));
        console_printable(out->why);
    }
}

static void take_agents(struct lab *lab, const json_t *seen, time_t at)
{
    const json_t *list = json_object_get(seen, "agents"), *name;
    size_t k;
    for (k = 0; k < json_array_size(list) && (name = json_array_get(list, k)); k++)
        for (size_t i = 0; i < lab->cluster->node_count; i++) {
            struct machine *m = &lab->machines[i];
            if (at > m->started && strcmp(json_string_value(name), m->node->name) == 0)
                m->agent = true;
        }
}

static void take_health(struct machine *m, const json_t *seen, time_t at)
{
    const json_t *all = json_object_get(seen, "balancer");
    const json_t *own = json_object_get(all, m->node->name);
    m->healthy = at > m->started && json_is_true(json_object_get(own, "up"));
    snprintf(m->health_why, sizeof m->health_why, "%s", m->healthy ? "" : text_of(own, "why"));
}

/* What the API says of a machine that was started again counts from its kubelet's first word on. */
static void take_node(struct machine *m, const json_t *seen)
{
    const json_t *nodes = json_object_get(seen, "nodes");
    const json_t *own = json_object_get(nodes, m->node->name);
    const char *why = text_of(own, "why");
    time_t heartbeat = (time_t)json_integer_value(json_object_get(own, "heartbeat"));
    bool fresh = heartbeat >= m->started;
    if (!own)
        why = "no API server answers";
    else if (!fresh && !*why)
        why = "its kubelet has not been heard of since the start";
    m->node_ready = fresh && json_is_true(json_object_get(own, "ready"));
    if (m->node_ready)
        m->console.kubelet[0] = '\0'; /* it was let in after all */
    snprintf(m->health_why, sizeof m->health_why, "%s", m->node_ready ? "" : why);
}

static void take_line(struct lab *lab, const char *line, size_t n)
{
    json_t *seen = json_loadb(line, n, 0, NULL);
    time_t at = (time_t)json_integer_value(json_object_get(seen, "at"));
    take_agents(lab, seen, at);
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        struct machine *m = &lab->machines[i];
        if (strcmp(m->node->role, "controller") == 0)
            take_health(m, seen, at);
        else
            take_node(m, seen);
    }
    json_decref(seen);
}

void probe_take(struct lab *lab)
{
    static struct buffer got;
    char chunk[8192];
    ssize_t n;
    if (!got.data)
        got = buffer_heap();
    while ((n = read(lab->probe_fd, chunk, sizeof chunk)) > 0)
        buffer_add(&got, chunk, (size_t)n);
    for (char *end; got.len && (end = memchr(got.data, '\n', got.len));) {
        size_t line = (size_t)(end - got.data) + 1;
        take_line(lab, got.data, line);
        memmove(got.data, got.data + line, got.len - line);
        got.len -= line;
    }
    /* What one that ended did not finish is nothing; its end is seen once. */
    if (n == 0 || got.len > LINE_MAX_BYTES)
        buffer_clear(&got);
    if (n == 0)
        cleanup_close(&lab->probe_fd);
}
