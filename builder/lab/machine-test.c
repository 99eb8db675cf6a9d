#include "builder/lab/machine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/lab/lab-fixture.h"
#include "builder/lab/probe.h"

static enum machine_state judged(struct machine m)
{
    machine_judge(&m, 100);
    return m.state;
}

static void test_states(void **state)
{
    (void)state;
    const struct node *worker = &fixture_nodes[1], *controller = &fixture_nodes[0];
    const struct machine runs = {.node = worker, .pid = 5, .created = true};
    struct machine m = runs;
    assert_int_equal(judged((struct machine){.node = worker}), MACHINE_ABSENT);
    assert_int_equal(judged(m), MACHINE_BOOTING);
    m.node_ready = true; /* of an earlier boot */
    assert_int_equal(judged(m), MACHINE_BOOTING);
    m.console.phase = CONSOLE_FINISHED;
    assert_int_equal(judged(m), MACHINE_FINISHED);
    m.agent = true;
    assert_int_equal(judged(m), MACHINE_READY);
    m.node_ready = false;
    assert_int_equal(judged(m), MACHINE_UP);
    m.healthy = true; /* nothing to a worker */
    assert_int_equal(judged(m), MACHINE_UP);
    m.node = controller;
    assert_int_equal(judged(m), MACHINE_READY);
    m.partitioned = true;
    assert_int_equal(judged(m), MACHINE_PARTITIONED);
    m.console.phase = CONSOLE_REFUSED;
    assert_int_equal(judged(m), MACHINE_FAILED);
    m.stop_asked = true;
    assert_int_equal(judged(m), MACHINE_STOPPING);
    m.pid = 0;
    m.ended = MACHINE_KILLED;
    assert_int_equal(judged(m), MACHINE_KILLED);
}

static void test_since(void **state)
{
    (void)state;
    struct machine m = {.node = &fixture_nodes[1], .pid = 5, .created = true};
    machine_judge(&m, 100);
    machine_judge(&m, 110);
    assert_int_equal(m.since, 100);
    m.console.phase = CONSOLE_LOGIN;
    machine_judge(&m, 120);
    assert_int_equal(m.since, 120);
}

static void test_every_state_has_a_name(void **state)
{
    (void)state;
    for (int s = MACHINE_ABSENT; s <= MACHINE_FAILED; s++)
        assert_true(strlen(machine_state_name((enum machine_state)s)) > 0);
}

static const char list[] =
    "{\"items\": [{\"metadata\": {\"name\": \"worker-0\"}, \"status\": {\"conditions\": ["
    "{\"type\": \"MemoryPressure\", \"status\": \"False\"},"
    "{\"type\": \"Ready\", \"status\": \"True\", \"lastHeartbeatTime\": "
    "\"2026-11-22T21:00:00Z\"}]}},"
    "{\"metadata\": {\"name\": \"worker-1\"}, \"status\": {\"conditions\": ["
    "{\"type\": \"Ready\", \"status\": \"False\", \"message\": \"no\\u001b network\", "
    "\"lastHeartbeatTime\": \"yesterday\"}]}},"
    "{\"metadata\": {\"name\": \"i-0123456789abcdef0\"}, \"status\": {\"addresses\": ["
    "{\"type\": \"Hostname\", \"address\": \"10.240.0.22\"},"
    "{\"type\": \"InternalIP\", \"address\": \"10.240.0.23\"}], \"conditions\": ["
    "{\"type\": \"Ready\", \"status\": \"True\", \"lastHeartbeatTime\": "
    "\"2026-11-22T21:00:00Z\"}]}}]}";

static void test_api(void **state)
{
    (void)state;
    json_t *json = json_loads(list, 0, NULL);
    const struct node nodes[] = {{.name = "worker-0", .address = "10.240.0.20"},
                                 {.name = "worker-1", .address = "10.240.0.21"},
                                 {.name = "worker-2", .address = "10.240.0.22"},
                                 {.name = "worker-3", .address = "10.240.0.23"}};
    struct probe_node n;
    probe_read_node(json, &nodes[0], &n);
    assert_true(n.there && n.ready);
    assert_int_equal(n.heartbeat, 1795381200);
    probe_read_node(json, &nodes[1], &n);
    assert_true(n.there && !n.ready);
    assert_int_equal(n.heartbeat, 0);
    assert_string_equal(n.why, "not ready: no? network"); /* nothing for a terminal to obey */
    probe_read_node(json, &nodes[2], &n);
    assert_true(!n.there && !n.ready);
    assert_string_equal(n.why, "has not registered");
    probe_read_node(json, &nodes[3], &n); /* called otherwise */
    assert_true(n.there && n.ready);
    json_decref(json);
}

static struct machine machines[3];

/* Lets the lab hear a line of the probe, in two pieces. */
static void hear(struct lab *lab, const char *text)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    size_t half = strlen(text) / 2;
    lab->probe_fd = ends[0];
    assert_true(write(ends[1], text, half) > 0);
    probe_take(lab);
    assert_true(write(ends[1], text + half, strlen(text + half)) > 0);
    probe_take(lab);
    assert_int_equal(lab->probe_fd, ends[0]);
    close(ends[1]);
    probe_take(lab); /* it has ended, perhaps amid a line */
    assert_int_equal(lab->probe_fd, -1);
}

static void test_probe(void **state)
{
    (void)state;
    struct lab lab = {.cluster = &fixture, .machines = machines};
    for (size_t i = 0; i < 3; i++)
        machines[i] = (struct machine){.node = &fixture_nodes[i], .pid = 9, .started = 1000};
    hear(&lab, "{\"at\": 1001, \"agents\": [\"worker-1\"], "
               "\"balancer\": {\"controller-0\": {\"up\": true, \"why\": \"\"}}, \"nodes\": {"
               "\"worker-0\": {\"ready\": true, \"heartbeat\": 1000, \"why\": \"\"},"
               "\"worker-1\": {\"ready\": true, \"heartbeat\": 999, \"why\": \"\"}}}\n");
    assert_true(machines[0].healthy && machines[1].node_ready && machines[2].agent);
    assert_false(machines[1].agent);
    assert_false(machines[2].node_ready); /* what was said before it was started */
    assert_non_null(strstr(machines[2].health_why, "not been heard of since"));
    hear(&lab,
         "{\"at\": 999, \"agents\": [\"worker-0\"], "
         "\"balancer\": {\"controller-0\": {\"up\": true, \"why\": \"x\"}}}\nnonsense\n{\"agents");
    assert_false(machines[1].agent || machines[0].healthy || machines[1].node_ready);
    assert_true(machines[2].agent);
    assert_string_equal(machines[1].health_why, "no API server answers");
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
}

static void test_image(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char folder[] = "/tmp/nodebake-test-XXXXXX";
    char *id AUTO_FREE = NULL;
    const struct node node = {.name = (char *)"n"};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_true(mkdir("nodes", 0700) == 0 && mkdir("nodes/n", 0700) == 0);
    write_text("my 1 image", "bytes");
    assert_int_equal(machine_image_id("my 1 image", &id, &err), 0);
    write_text("nodes/n/image", id);
    assert_int_equal(machine_image_changed(&node, &err), 0);
    write_text("my 1 image", "other bytes");
    assert_int_equal(machine_image_changed(&node, &err), 1);
    assert_int_equal(unlink("my 1 image"), 0);
    assert_int_equal(machine_image_changed(&node, &err), -1);
    assert_string_equal(err.text, "n: its image: my 1 image: No such file or directory");
    assert_int_equal(unlink("nodes/n/image"), 0);
    assert_true(rmdir("nodes/n") == 0 && rmdir("nodes") == 0);
    assert_true(chdir("/") == 0 && rmdir(folder) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_every_state_has_a_name),
        cmocka_unit_test(test_api),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
