#include "builder/lab/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"

/* Reads the text as an answer; -1, 0 or 1. */
static int read_answer(const char *text, struct agent_result *result, struct error *err)
{
    json_t *json = json_loads(text, 0, NULL);
    *result = (struct agent_result){.out = buffer_heap(), .err = buffer_heap()};
    int ended = agent_read_status(json, result, err);
    json_decref(json);
    return ended;
}

static void test_ended(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct agent_result r AUTO_AGENT_RESULT = {0};
    assert_int_equal(read_answer("{\"exited\": true, \"exitcode\": 3, \"out-data\": \"aGk=\", "
                                 "\"err-data\": \"YWJj\"}",
                                 &r, &err),
                     1);
    assert_int_equal(r.status, 3);
    assert_int_equal(r.out.len, 2);
    assert_string_equal(r.out.data, "hi");
    assert_string_equal(r.err.data, "abc");
    assert_false(r.cut);
}

static void test_signal(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct agent_result r AUTO_AGENT_RESULT = {0};
    assert_int_equal(
        read_answer("{\"exited\": true, \"signal\": 9, \"out-truncated\": true}", &r, &err), 1);
    assert_int_equal(r.status, 137);
    assert_int_equal(r.out.len, 0);
    assert_true(r.cut);
}

static void test_runs(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct agent_result r AUTO_AGENT_RESULT = {0};
    assert_int_equal(read_answer("{\"exited\": false}", &r, &err), 0);
}

static void test_strange(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}", "[]", "{\"exited\": 1}", "{\"exited\": true, \"exitcode\": 0, \"out-data\": \"a\"}",
        "{\"exited\": true, \"exitcode\": 0, \"out-data\": \"####\"}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = ERROR_INIT;
        struct agent_result r AUTO_AGENT_RESULT = {0};
        assert_int_equal(read_answer(texts[i], &r, &err), -1);
        assert_non_null(strstr(err.text, "the guest agent: "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ended),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_strange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
