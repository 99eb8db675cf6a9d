#include "builder/cmd/lab-wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/lab/view.h"

/* A status of one controller and two workers in these states. */
static json_t *status_of(const char *c, const char *w0, const char *w1, bool kubeconfig)
{
    return json_pack("{s:b, s:i, s:[{s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, "
                     "s:s, s:i}]}",
                     "kubeconfig", kubeconfig, "port", 7, "nodes", "name", "controller-0", "role",
                     "controller", "state", c, "since", 100, "name", "worker-0", "role", "worker",
                     "state", w0, "since", 100, "name", "worker-1", "role", "worker", "state", w1,
                     "why", "it broke", "since", 40);
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *c, *w0, *w1;
        bool kubeconfig;
        enum lab_outcome all, worker; /* of all nodes; of worker-0 alone */
    } rows[] = {
        {"ready", "ready", "ready", true, LAB_DONE, LAB_DONE},
        {"ready", "up", "ready", true, LAB_WAITS, LAB_WAITS},
        {"ready", "up", "ready", false, LAB_DONE, LAB_DONE}, /* nobody to ask */
        {"up", "up", "up", false, LAB_WAITS, LAB_DONE},
        {"booting", "up", "up", true, LAB_WAITS, LAB_WAITS},
        {"absent", "up", "up", true, LAB_FAILED, LAB_DONE}, /* no API here */
        {"absent", "firstboot", "up", true, LAB_FAILED, LAB_WAITS},
        {"ready", "ready", "failed", true, LAB_FAILED, LAB_DONE},
        {"ready", "killed", "up", true, LAB_FAILED, LAB_FAILED},
        {"ready", "partitioned", "ready", true, LAB_WAITS, LAB_WAITS},
    };
    json_t *all AUTO_JSON = json_pack("[{s:s}, {s:s}, {s:s}]", "name", "controller-0", "name",
                                      "worker-0", "name", "worker-1");
    json_t *one AUTO_JSON = json_pack("[{s:s}]", "name", "worker-0");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *status AUTO_JSON = status_of(rows[i].c, rows[i].w0, rows[i].w1, rows[i].kubeconfig);
        const json_t *culprit = NULL;
        assert_int_equal(lab_judge(status, all, &culprit), rows[i].all);
        assert_int_equal(lab_judge(status, one, &culprit), rows[i].worker);
    }
}

static void test_culprit(void **state)
{
    (void)state;
    json_t *status AUTO_JSON = status_of("ready", "up", "failed", true);
    json_t *all AUTO_JSON = json_pack("[{s:s}, {s:s}]", "name", "worker-0", "name", "worker-1");
    const json_t *culprit = NULL;
    assert_int_equal(lab_judge(status, all, &culprit), LAB_FAILED);
    assert_string_equal(lab_text(culprit, "name"), "worker-1");
}

static void test_table(void **state)
{
    (void)state;
    json_t *status AUTO_JSON = status_of("ready", "up", "failed", true);
    struct buffer out AUTO_BUFFER = buffer_heap();
    view_table(status, 105, &out);
    assert_non_null(strstr(out.data, "\nworker-0         worker      up"));
    assert_non_null(strstr(out.data, "1 min 5 s     it broke\n"));
    assert_null(strstr(out.data, " \n"));
}

static void test_spans(void **state)
{
    (void)state;
    static const struct {
        long seconds;
        const char *text;
    } rows[] = {{-3, "0 s"},           {59, "59 s"},        {60, "1 min 0 s"},
                {3599, "59 min 59 s"}, {3600, "1 h 0 min"}, {90061, "25 h 1 min"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        view_span(rows[i].seconds, &out);
        assert_string_equal(out.data, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_culprit),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
