/* What clients ask the supervisor for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/control.h"
#include "builder/lab/machine.h"
#include "builder/lab/memory.h"
#include "builder/lab/net.h"
#include "builder/lab/qemu.h"
#include "builder/lab/supervisor.h"

static const double STOP_SECONDS = 90;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static json_t *fail(struct error *err, const char *name, const char *what)
{
    error_set(err, "%s %s", name, what);
    return NULL;
}

static struct machine *find(struct lab *lab, const char *name, struct error *err)
{
    for (size_t i = 0; i < lab->cluster->node_count; i++)
        if (strcmp(lab->machines[i].node->name, name) == 0)
            return &lab->machines[i];
    error_set(err, "'%s' is no node of the lab's cluster", name);
    return NULL;
}

static json_t *about(const struct machine *m)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "name", m->node->name, "role",
                     m->node->role, "state", machine_state_name(m->state), "why", machine_why(m),
                     "address", m->node->address, "since", (json_int_t)m->since, "started",
                     (json_int_t)(m->pid ? m->started : 0), "partitioned", m->partitioned);
}

static json_t *op_status(struct lab *lab)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < lab->cluster->node_count; i++)
        json_array_append_new(nodes, about(&lab->machines[i]));
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:b, s:b, s:o}", "cluster", lab->cluster->name,
                     "file", lab->cluster->file, "digest", lab->digest, "port", (int)lab->port,
                     "acceleration", lab->kvm ? "kvm" : "tcg", "kubeconfig", lab->kubeconfig,
                     "ending", lab->ending, "nodes", nodes);
}

/* 1: it needs a new disk, 0: goes on with the one it has. */
static int needs_disk(const struct machine *m, const json_t *wish, bool relaunch, struct error *err)
{
    char *id AUTO_FREE = NULL;
    if (machine_image_id(text_of(wish, "image"), &id, err) < 0)
        return -1;
    return relaunch || !machine_has_disk(m->node, id);
}

static int start(const struct lab *lab, struct machine *m, unsigned memory, struct error *err)
{
    unsigned cpus = qemu_cpus(lab->kvm, lab->cluster->node_count, sysconf(_SC_NPROCESSORS_ONLN));
    return machine_start(m, memory, cpus, lab->kvm, err);
}

static int up_one(struct lab *lab, struct machine *m, const json_t *wish, bool relaunch,
                  json_t *done, struct error *err)
{
    unsigned memory = (unsigned)json_integer_value(json_object_get(wish, "memory"));
    bool had = m->created;
    if (m->pid)
        return 0;
    int fresh = needs_disk(m, wish, relaunch, err);
    if (fresh < 0 ||
        (fresh && machine_create(m, text_of(wish, "image"), text_of(wish, "format"), err) < 0))
        return error_context(err, "%s", m->node->name);
    json_object_set_new(done, m->node->name,
                        json_string(!fresh ? "started"
                                    : had  ? "relaunched"
                                           : "created"));
    return start(lab, m, memory, err);
}

/* All that are to be started must find room before one of them is. */
static int check_memory(struct lab *lab, const json_t *wishes, struct error *err)
{
    const json_t *wish;
    size_t i;
    struct memory_need need = {0};
    for (i = 0; i < json_array_size(wishes) && (wish = json_array_get(wishes, i)); i++) {
        const struct machine *m = find(lab, text_of(wish, "name"), err);
        if (!m)
            return -1;
        if (!m->pid)
            memory_add(&need, m->node->name,
                       (unsigned)json_integer_value(json_object_get(wish, "memory")));
    }
    return memory_check(&need, memory_available(), err);
}

/* A machine that runs and needs a new disk is killed first; the next request finds it gone. 1: such
 * a one is ending, 0: there is none. */
static int relaunch_waits(struct lab *lab, const json_t *wishes, bool relaunch, struct error *err)
{
    const json_t *wish;
    int waits = 0;
    size_t i;
    for (i = 0; i < json_array_size(wishes) && (wish = json_array_get(wishes, i)); i++) {
        struct machine *m = find(lab, text_of(wish, "name"), err);
        int fresh = m && m->pid ? needs_disk(m, wish, relaunch, err) : 0;
        if (!m || fresh < 0)
            return -1;
        if (fresh)
            machine_kill(m);
        waits = waits || fresh;
    }
    return waits;
}

static json_t *op_up(struct lab *lab, const json_t *request, struct error *err)
{
    const json_t *wishes = json_object_get(request, "nodes"), *wish;
    bool relaunch = json_is_true(json_object_get(request, "relaunch"));
    json_t *done AUTO_JSON = json_object();
    size_t i;
    if (strcmp(text_of(request, "digest"), lab->digest) != 0) {
        error_set(err,
                  "%s has changed since the lab was started; `nodebake lab down` ends the lab "
                  "of the old one",
                  lab->cluster->file);
        return NULL;
    }
    int waits = relaunch_waits(lab, wishes, relaunch, err);
    if (waits != 0)
        return waits < 0 ? NULL : json_pack("{s:b}", "again", 1);
    if (check_memory(lab, wishes, err) < 0)
        return NULL;
    for (i = 0; i < json_array_size(wishes) && (wish = json_array_get(wishes, i)); i++) {
        struct machine *m = find(lab, text_of(wish, "name"), err);
        if (!m || up_one(lab, m, wish, relaunch, done, err) < 0)
            return NULL;
    }
    return json_pack("{s:O}", "done", done);
}

/* A disk that lies on other bytes than those it was made for is nonsense. */
static int check_image(const struct machine *m, struct error *err)
{
    int changed = machine_image_changed(m->node, err);
    if (changed > 0)
        error_set(err, "%s: its image has changed; `nodebake lab up` relaunches it", m->node->name);
    return changed == 0 ? 0 : -1;
}

static json_t *op_start(struct lab *lab, struct machine *m, const json_t *request,
                        struct error *err)
{
    struct memory_need need = {0};
    (void)request;
    if (m->pid)
        return fail(err, m->node->name, "runs already");
    if (!m->created)
        return fail(err, m->node->name, "has no disk yet; `nodebake lab up` makes it");
    if (check_image(m, err) < 0)
        return NULL;
    memory_add(&need, m->node->name, machine_memory(m));
    if (memory_check(&need, memory_available(), err) < 0)
        return NULL;
    return start(lab, m, 0, err) < 0 ? NULL : json_pack("{s:b}", "ok", 1);
}

static json_t *op_stop(struct lab *lab, struct machine *m, const json_t *request, struct error *err)
{
    (void)lab;
    (void)request;
    if (!m->pid)
        return fail(err, m->node->name, "does not run");
    if (machine_stop(m, STOP_SECONDS, err) < 0)
        return NULL;
    return json_pack("{s:i}", "within", (int)STOP_SECONDS);
}

static json_t *op_kill(struct lab *lab, struct machine *m, const json_t *request, struct error *err)
{
    (void)lab;
    (void)request;
    if (!m->pid)
        return fail(err, m->node->name, "does not run");
    m->stop_asked = false; /* a plug that is pulled, whatever was asked before */
    machine_kill(m);
    return json_pack("{s:b}", "ok", 1);
}

static json_t *op_partition(struct lab *lab, struct machine *m, const json_t *request,
                            struct error *err)
{
    bool cut = !json_is_true(json_object_get(request, "heal"));
    (void)lab;
    if (cut == m->partitioned)
        return fail(err, m->node->name, cut ? "is cut off already" : "is not cut off");
    if (m->pid && net_tap_cut(m->node->address, cut, err) < 0)
        return NULL;
    m->partitioned = cut;
    return json_pack("{s:b}", "ok", 1);
}

static const struct {
    const char *name;
    json_t *(*run)(struct lab *lab, struct machine *m, const json_t *request, struct error *err);
} machine_ops[] = {
    {"start", op_start}, {"stop", op_stop}, {"kill", op_kill}, {"partition", op_partition}};

json_t *supervisor_handle(void *ctx, const char *op, const json_t *request, struct error *err)
{
    struct lab *lab = ctx;
    if (strcmp(op, "status") == 0)
        return op_status(lab);
    if (strcmp(op, "down") == 0) {
        supervisor_end(lab, json_is_true(json_object_get(request, "now")));
        return json_pack("{s:b}", "ok", 1);
    }
    if (lab->ending) {
        error_set(err, "the lab is being taken down");
        return NULL;
    }
    if (strcmp(op, "up") == 0)
        return op_up(lab, request, err);
    for (size_t i = 0; i < ARRAY_LEN(machine_ops); i++) {
        if (strcmp(op, machine_ops[i].name) != 0)
            continue;
        struct machine *m = find(lab, text_of(request, "node"), err);
        return m ? machine_ops[i].run(lab, m, request, err) : NULL;
    }
    error_set(err, "the lab's supervisor knows no '%s'; it is of another version", op);
    return NULL;
}
