#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/service.h"
#include "firstboot/source.h"
#include "tests/scripted-server.h"

#define TRUE_ANSWER "HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nConnection: close\r\n"
#define BUSY        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
enum { VALUE_SIZE = 1024 };

#define X64 "0123456789012345678901234567890123456789012345678901234567890123"

/* Asks for instance/name with that script. */
static int ask(const struct step *steps, size_t count, int refuse_ms, int ms, char *value,
               struct scripted_server *s, struct error *err)
{
    struct source_value got_value = {NULL, 0};
    scripted_start_late(s, steps, count, refuse_ms);
    service_endpoint(s->address, s->port);
    int got = source_gce.get("instance/name", &got_value, deadline_in(ms), err);
    scripted_stop(s);
    assert_true(got_value.len < VALUE_SIZE);
    if (got_value.len)
        memcpy(value, got_value.bytes, got_value.len);
    value[got_value.len] = '\0';
    return got;
}

static const struct once {
    struct step step;
    int got;
    const char *expected; /* the value, or a part of the error */
} once[] = {
    {{.send = TRUE_ANSWER "Content-Length: 8\r\n\r\nworker-0"}, 1, "worker-0"},
    {{.send = TRUE_ANSWER "\r\nworker-0\n"}, 1, "worker-0"},
    {{.send = TRUE_ANSWER "\r\nworker-0\n\n"}, 1, "worker-0\n"},
    {{.send = TRUE_ANSWER "\r\n"}, 1, ""},
    {{.send = TRUE_ANSWER "\r\n\n"}, 1, ""},
    {{.send = TRUE_ANSWER "\r\n" X64 X64 X64 X64}, 1, X64 X64 X64 X64},
    {{.send = "HTTP/1.1 404 Not Found\r\nMetadata-Flavor: Google\r\n\r\n"}, 0, NULL},
    {{.send = "HTTP/1.1 404 Not Found\r\n\r\n"}, -1, "404 without 'Metadata-Flavor: Google'"},
    {{.send = "HTTP/1.1 200 OK\r\n\r\nworker-0"}, -1, "200 without 'Metadata-Flavor: Google'"},
    {{.send = "HTTP/1.1 200 OK\r\nMetadata-Flavor: Googles\r\n\r\nx"}, -1, "not the service"},
    {{.send = "HTTP/1.1 301 Moved\r\nMetadata-Flavor: Google\r\n\r\n"}, -1, "HTTP status 301"},
    {{.send = "HTTP/1.1 403 Forbidden\r\nMetadata-Flavor: Google\r\n\r\n"}, -1, "status 403"},
    {{.send = "HTTP/1.1 204 Nothing\r\nMetadata-Flavor: Google\r\n\r\n"}, -1, "status 204"},
    {{.send = "gopher\r\n"}, -1, "not an HTTP/1 answer"},
};

static void final_answers_are_asked_for_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        char value[VALUE_SIZE];
        struct scripted_server s;
        struct error err = ERROR_INIT;
        int got = ask(&once[i].step, 1, 0, 5000, value, &s, &err);
        if (got != once[i].got)
            fail_msg("%zu: %d instead of %d: '%s'", i, got, once[i].got, err.text);
        assert_int_equal(s.served, 1);
        if (got == 1)
            assert_string_equal(value, once[i].expected);
        if (got >= 0)
            assert_string_equal(err.text, "");
        else if (strncmp(err.text, "gce: instance/name: ", 20) != 0 ||
                 !strstr(err.text, once[i].expected))
            fail_msg("%zu: '%s' does not say '%s'", i, err.text, once[i].expected);
    }
}

static void asks_as_gce_wants_it(void **state)
{
    (void)state;
    static const struct step step = {.send = TRUE_ANSWER "\r\nworker-0"};
    char value[VALUE_SIZE];
    struct scripted_server s;
    struct error err = ERROR_INIT;
    assert_int_equal(ask(&step, 1, 0, 5000, value, &s, &err), 1);
    assert_memory_equal(s.request, "GET /computeMetadata/v1/instance/name HTTP/1.1\r\n", 48);
    assert_non_null(strstr(s.request, "\r\nMetadata-Flavor: Google\r\n"));
}

/* What a project with many keys has. */
static void large_values_fit(void **state)
{
    (void)state;
    static char bytes[262144 + 128] = TRUE_ANSWER "\r\n";
    size_t head = strlen(bytes);
    memset(bytes + head, 'k', 262144);
    const struct step step = {.send = bytes, .len = head + 262144};
    struct source_value value;
    struct scripted_server s;
    struct error err = ERROR_INIT;
    scripted_start(&s, &step, 1);
    service_endpoint(s.address, s.port);
    int got = source_gce.get("instance/attributes/ssh-keys", &value, deadline_in(5000), &err);
    scripted_stop(&s);
    assert_int_equal(got, 1);
    assert_int_equal(value.len, 262144);
}

#define ABSENT "HTTP/1.1 404 Not Found\r\nMetadata-Flavor: Google\r\n\r\n"

static void an_instance_may_shut_the_projects_keys_out(void **state)
{
    static const struct {
        struct step first;
        int got;
        unsigned served;
    } cases[] = {
        {{.send = ABSENT}, 1, 2},
        {{.send = TRUE_ANSWER "\r\nFALSE\n"}, 1, 2},
        {{.send = TRUE_ANSWER "\r\n"}, 1, 2},
        {{.send = TRUE_ANSWER "\r\nTRUE"}, 0, 1},
        {{.send = TRUE_ANSWER "\r\ntrue\n"}, 0, 1},
        {{.send = TRUE_ANSWER "\r\nfalsehood"}, 0, 1},
        {{.send = "gopher\r\n"}, -1, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct step steps[] = {cases[i].first, {.send = TRUE_ANSWER "\r\na key"}};
        struct source_value value;
        struct scripted_server s;
        struct error err = ERROR_INIT;
        scripted_start(&s, steps, 2);
        service_endpoint(s.address, s.port);
        int got = source_gce.get("project/attributes/ssh-keys", &value, deadline_in(5000), &err);
        scripted_stop(&s);
        assert_int_equal(got, cases[i].got);
        assert_int_equal(s.served, cases[i].served);
        if (got == 1)
            assert_memory_equal(value.bytes, "a key", 5);
    }
}

static void trouble_that_passes_is_waited_out(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {.send = BUSY},
        {.send = "HTTP/1.1 429 Slower\r\nMetadata-Flavor: Google\r\n\r\n"},
        {.reset = true},
        {.send = NULL},
        {.send = TRUE_ANSWER "Content-Length: 8\r\n\r\nwork"}, /* cut off */
        {.send = "HTTP/1.1 500 Sorry\r\n\r\n"},
        {.send = TRUE_ANSWER "\r\nworker-0"},
    };
    char value[VALUE_SIZE];
    struct scripted_server s;
    struct error err = ERROR_INIT;
    assert_int_equal(ask(steps, ARRAY_LEN(steps), 0, 20000, value, &s, &err), 1);
    assert_string_equal(value, "worker-0");
    assert_string_equal(err.text, "");
    assert_int_equal(s.served, ARRAY_LEN(steps));
}

static void a_service_that_starts_late_is_waited_for(void **state)
{
    (void)state;
    static const struct step step = {.send = TRUE_ANSWER "\r\nworker-0"};
    char value[VALUE_SIZE];
    struct scripted_server s;
    struct error err = ERROR_INIT;
    int64_t start = clock_now_ms();
    assert_int_equal(ask(&step, 1, 150, 20000, value, &s, &err), 1);
    assert_true(clock_now_ms() - start >= 150);
    assert_string_equal(value, "worker-0");
}

static const struct step hopeless[] = {
    {.send = BUSY},
    {.hang = true},
    {.send = TRUE_ANSWER "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n", .drip_ms = 30},
    {.reset = true},
};

static void the_deadline_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hopeless); i++) {
        struct source_value value;
        struct scripted_server s;
        struct error err = ERROR_INIT;
        int64_t start = clock_now_ms();
        scripted_start(&s, &hopeless[i], 1);
        service_endpoint(s.address, s.port);
        int got = source_gce.get("instance/name", &value, deadline_in(400), &err);
        int64_t took = clock_now_ms() - start;
        scripted_stop(&s);
        assert_int_equal(got, -1);
        assert_in_range(took, 390, 2000);
        assert_memory_equal(err.text, "gce: instance/name: ", 20);
        assert_non_null(strstr(err.text, "(gave up after "));
        assert_true(s.served < 20); /* the pauses grow */
        if (i == 0)
            assert_non_null(strstr(err.text, "HTTP status 503"));
    }
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char path[1200];
    struct source_value value;
    struct error err = ERROR_INIT;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(source_gce.get(path, &value, deadline_in(1000), &err), -1);
    assert_non_null(strstr(err.text, "path too long"));
}

static void only_gce_backs_it(void **state)
{
    (void)state;
    struct dmi dmi = {.product_name = "Google Compute Engine"};
    assert_true(source_gce.backed(&dmi));
    strcpy(dmi.product_name, "Google Compute Engine 2");
    assert_false(source_gce.backed(&dmi));
    struct dmi other = {.sys_vendor = "Google", .bios_vendor = "Google Compute Engine"};
    assert_false(source_gce.backed(&other));
}

static void sources_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(source_find("gce"), &source_gce);
    assert_string_equal(source_gce.name, "gce");
    assert_true(source_gce.network);
    assert_null(source_find("GCE"));
    assert_null(source_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_answers_are_asked_for_once),
        cmocka_unit_test(asks_as_gce_wants_it),
        cmocka_unit_test(large_values_fit),
        cmocka_unit_test(an_instance_may_shut_the_projects_keys_out),
        cmocka_unit_test(trouble_that_passes_is_waited_out),
        cmocka_unit_test(a_service_that_starts_late_is_waited_for),
        cmocka_unit_test(the_deadline_ends_it),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(only_gce_backs_it),
        cmocka_unit_test(sources_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
