#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/http.h"
#include "tests/scripted-server.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* One GET of /a from a server that plays the one step. */
static int get_once(const struct step *step, int ms, struct http_response *r, bool *again,
                    struct error *err)
{
    struct scripted_server s;
    scripted_start(&s, step, 1);
    struct http_request request = {.address = s.address, .port = s.port, .path = "/a"};
    int status = http_ask(&request, deadline_in(ms), r, again, err);
    scripted_stop(&s);
    return status;
}

static void sends_a_plain_request(void **state)
{
    (void)state;
    static const struct step step = {.send = OK "Content-Length: 2\r\nX-A: b\r\n\r\nhi",
                                     .hang = true};
    struct scripted_server s;
    struct http_response r;
    struct error err = ERROR_INIT;
    bool again;
    char expected[256];
    scripted_start(&s, &step, 1);
    struct http_request request = {.address = s.address,
                                   .port = s.port,
                                   .path = "/a/b?c=d",
                                   .header = "X-Q: 1",
                                   .wanted = "x-a"};
    assert_int_equal(http_ask(&request, deadline_in(5000), &r, &again, &err), 0);
    scripted_stop(&s);
    snprintf(expected, sizeof expected,
             "GET /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\nX-Q: 1\r\n\r\n",
             s.port);
    assert_string_equal(s.request, expected);
    assert_int_equal(r.status, 200);
    assert_memory_equal(r.body, "hi", r.body_len);
    assert_memory_equal(r.header, "b", r.header_len);
    assert_int_equal(s.served, 1);
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    (void)state;
    static const struct step step = {.send = "HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n"};
    struct http_response r;
    struct error err = ERROR_INIT;
    bool again;
    assert_int_equal(get_once(&step, 5000, &r, &again, &err), 0);
    assert_int_equal(r.status, 301);
}

static void an_answer_in_pieces_is_put_together(void **state)
{
    (void)state;
    static const struct step step = {.send = OK "Content-Length: 2\r\n\r\nhi", .drip_ms = 2};
    struct http_response r;
    struct error err = ERROR_INIT;
    bool again;
    assert_int_equal(get_once(&step, 5000, &r, &again, &err), 0);
    assert_int_equal(r.body_len, 2);
}

static const struct failure {
    struct step step;
    bool again;
    const char *expected;
} failures[] = {
    {{.hang = true}, true, "receive after 0 bytes: "},
    {{.send = OK "Content-Length: 9\r\n\r\nhi", .hang = true}, true, "receive after 40 bytes: "},
    {{.send = OK "A: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n", .drip_ms = 20}, true, "receive after "},
    {{.reset = true}, true, ""},
    {{.send = NULL}, true, "closed without an answer"},
    {{.send = OK "Content-Length: 9\r\n\r\nhi"}, true, "ends after 2 of 9 bytes"},
    {{.send = OK "Content-Le"}, true, "ends inside its head"},
    {{.send = "220 mail ESMTP\r\n"}, false, "not an HTTP/1 answer"},
    {{.send = OK "Transfer-Encoding: chunked\r\n\r\n"}, false, "chunked"},
};

static void failures_say_whether_to_try_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct http_response r;
        struct error err = ERROR_INIT;
        bool again = !failures[i].again;
        int64_t start = clock_now_ms();
        assert_int_equal(get_once(&failures[i].step, 200, &r, &again, &err), -1);
        assert_true(clock_now_ms() - start < 2000);
        if (again != failures[i].again || !strstr(err.text, failures[i].expected))
            fail_msg("%zu: again %d: '%s'", i, again, err.text);
    }
}

/* The answer as a whole may have so many bytes: one more is refused. */
static void an_answer_has_its_bound(void **state)
{
    (void)state;
    static char text[HTTP_RESPONSE_MAX + 16];
    struct http_response r;
    bool again;
    int head = snprintf(text, sizeof text, OK "Content-Length: %d\r\n\r\n", HTTP_RESPONSE_MAX - 43);
    assert_int_equal(head, 43);
    memset(text + head, 'x', sizeof text - (size_t)head);
    struct error err = ERROR_INIT;
    struct step step = {.send = text, .len = HTTP_RESPONSE_MAX};
    assert_int_equal(get_once(&step, 5000, &r, &again, &err), 0);
    assert_int_equal(r.body_len, HTTP_RESPONSE_MAX - 43);

    snprintf(text, sizeof text, OK "Content-Length: %d\r\n\r", HTTP_RESPONSE_MAX - 42);
    text[42] = '\n';
    step.len++;
    assert_int_equal(get_once(&step, 5000, &r, &again, &err), -1);
    assert_false(again);
    assert_non_null(strstr(err.text, "does not fit in 270336 bytes"));
}

static void refused_connections_may_be_tried_again(void **state)
{
    (void)state;
    struct scripted_server s;
    static const struct step step = {.hang = true};
    struct http_response r;
    struct error err = ERROR_INIT;
    bool again = false;
    scripted_start(&s, &step, 1);
    scripted_stop(&s);
    struct http_request request = {.address = s.address, .port = s.port, .path = "/a"};
    assert_int_equal(http_ask(&request, deadline_in(2000), &r, &again, &err), -1);
    assert_true(again);
    assert_non_null(strstr(err.text, "connect to 127.0.0.1:"));
    assert_non_null(strstr(err.text, "Connection refused"));
}

static void strange_paths_are_never_sent(void **state)
{
    (void)state;
    static char longest[HTTP_REQUEST_MAX];
    static const char *const paths[] = {"",    "a",     "/a b",  "/a\r\nX: y",
                                        "/\t", "/\x7f", "/\xc3", longest};
    memset(longest, '/', sizeof longest - 1);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct http_request request = {.address = INADDR_LOOPBACK, .port = 1, .path = paths[i]};
        struct http_response r;
        struct error err = ERROR_INIT;
        bool again = true;
        assert_int_equal(http_ask(&request, deadline_in(1000), &r, &again, &err), -1);
        assert_false(again);
        assert_string_equal(err.text, "not a path for HTTP, or too long");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_a_plain_request),
        cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
        cmocka_unit_test(an_answer_in_pieces_is_put_together),
        cmocka_unit_test(failures_say_whether_to_try_again),
        cmocka_unit_test(an_answer_has_its_bound),
        cmocka_unit_test(refused_connections_may_be_tried_again),
        cmocka_unit_test(strange_paths_are_never_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
