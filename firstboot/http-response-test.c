#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/http-response.h"

/* A copy without a byte to spare, so that a sanitizer sees every read behind its end. */
static int parse(const char *bytes, size_t len, bool closed, struct http_response *out,
                 struct error *err, char **copy)
{
    *copy = malloc(len ? len : 1);
    memcpy(*copy, bytes, len);
    return http_response_parse(*copy, len, closed, "Metadata-Flavor", out, err);
}

#define OK "HTTP/1.1 200 OK\r\n"

static const struct good {
    const char *text;
    bool closed;
    unsigned status;
    const char *flavor, *body;
} good[] = {
    {OK "Content-Length: 8\r\nMetadata-Flavor: Google\r\n\r\nworker-0", false, 200, "Google",
     "worker-0"},
    {OK "METADATA-FLAVOR:\t Google \t\r\ncontent-length:8\r\n\r\nworker-0", false, 200, "Google",
     "worker-0"},
    {OK "Metadata-Flavor: Google\r\n\r\nworker-0", true, 200, "Google", "worker-0"},
    {"HTTP/1.0 404 \r\nContent-Length: 0\r\n\r\n", false, 404, NULL, ""},
    {"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", false, 404, NULL, ""},
    {"HTTP/1.1 503 Come \x80 again\r\n\r\n", true, 503, NULL, ""},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, NULL, ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", false, 304, NULL, ""},
    {OK "Content-Length: 3\r\n\r\nabcdef", false, 200, NULL, "abc"},
    {OK "Metadata-Flavor:\r\nContent-Length: 0\r\n\r\n", false, 200, "", ""},
    {OK "Metadata-Flavor: first\r\nMetadata-Flavor: second\r\n\r\n", true, 200, "first", ""},
    {OK "Metadata-Flavored: no\r\nMetadata: no\r\n\r\n", true, 200, NULL, ""},
    {OK "Content-Length: 0000000004\r\n\r\nabcd", false, 200, NULL, "abcd"},
    {OK "\r\n\r\n\r\n", true, 200, NULL, "\r\n\r\n"},
    {"HTTP/1.1 999 Odd: but a status\r\n\r\n", true, 999, NULL, ""},
};

static void sound_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct good *g = &good[i];
        struct http_response r;
        struct error err = ERROR_INIT;
        char *copy;
        assert_int_equal(parse(g->text, strlen(g->text), g->closed, &r, &err, &copy), 1);
        assert_string_equal(err.text, "");
        assert_int_equal(r.status, g->status);
        assert_int_equal(r.body_len, strlen(g->body));
        assert_memory_equal(r.body, g->body, r.body_len);
        assert_int_equal(r.header != NULL, g->flavor != NULL);
        if (r.header) {
            assert_int_equal(r.header_len, strlen(g->flavor));
            assert_memory_equal(r.header, g->flavor, r.header_len);
        }
        free(copy);
    }
}

static const struct bad {
    const char *text, *expected;
} bad[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP/1 answer"},
    {"HTTP/2 200\r\n\r\n", "not an HTTP/1 answer"},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", "not an HTTP/1 answer"},
    {"HTTP/1.1 20 OK\r\n\r\n", "not the status line"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "not the status line"},
    {"HTTP/1.1  200 OK\r\n\r\n", "not the status line"},
    {"HTTP/1.x 200 OK\r\n\r\n", "not the status line"},
    {"HTTP/1.1 200 OK\n\n", "not the status line"},
    {"HTTP/1.1 200 O\rK\r\n\r\n", "not the status line"},
    {"HTTP/1.\r\n", "not the status line"},
    {"HTTP/1.1 100 Continue\r\n\r\n", "unexpected HTTP status 100"},
    {"HTTP/1.1 000 Nothing\r\n\r\n", "unexpected HTTP status 0"},
    {OK "no colon here\r\n\r\n", "a header line without 'NAME: '"},
    {OK ": no name\r\n\r\n", "a header line without 'NAME: '"},
    {OK "Space : before\r\n\r\n", "a header line without 'NAME: '"},
    {OK "A: 1\r\n folded\r\n\r\n", "a header line without 'NAME: '"},
    {OK "X-\xe9: 1\r\n\r\n", "a header line without 'NAME: '"},
    {OK "A: 1\n\r\n", "without a carriage return"},
    {OK "A: 1\x01\r\n\r\n", "control bytes"},
    {OK "A: 1\x7f\r\n\r\n", "control bytes"},
    {OK "\n", "without a carriage return"},
    {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding (chunked)"},
    {OK "Content-Length: 3\r\ntransfer-encoding: gzip\r\n\r\nabc", "Transfer-Encoding (chunked)"},
    {OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "more than one Content-Length"},
    {OK "Content-Length: \r\n\r\n", "a Content-Length that is no number"},
    {OK "Content-Length: -1\r\n\r\n", "a Content-Length that is no number"},
    {OK "Content-Length: +1\r\n\r\na", "a Content-Length that is no number"},
    {OK "Content-Length: 0x1\r\n\r\na", "a Content-Length that is no number"},
    {OK "Content-Length: 1, 1\r\n\r\na", "a Content-Length that is no number"},
    {OK "Content-Length: 18446744073709551616\r\n\r\n", "a Content-Length that is too large"},
    {OK "Content-Length: 99999999999999999999999999\r\n\r\n", "a Content-Length that is too large"},
};

static void nonsense_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct http_response r;
        struct error err = ERROR_INIT;
        char *copy;
        for (int closed = 0; closed < 2; closed++) {
            if (parse(bad[i].text, strlen(bad[i].text), closed, &r, &err, &copy) != -1)
                fail_msg("not refused: %s", bad[i].text);
            if (!strstr(err.text, bad[i].expected))
                fail_msg("'%s' does not say '%s'", err.text, bad[i].expected);
            free(copy);
        }
    }
}

static void a_nul_in_the_head_is_refused(void **state)
{
    (void)state;
    static const char in_value[] = OK "A: b\0c\r\n\r\n", in_name[] = OK "A\0B: c\r\n\r\n";
    struct http_response r;
    struct error err = ERROR_INIT;
    char *copy;
    assert_int_equal(parse(in_value, sizeof in_value - 1, true, &r, &err, &copy), -1);
    free(copy);
    assert_int_equal(parse(in_name, sizeof in_name - 1, true, &r, &err, &copy), -1);
    free(copy);
}

/* Every beginning of an answer: more is needed, or cut off when nothing follows. */
static void every_beginning_wants_more(void **state)
{
    (void)state;
    static const char text[] = OK "Content-Length: 8\r\nMetadata-Flavor: Google\r\n\r\nworker-0";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct http_response r;
        struct error err = ERROR_INIT;
        char *copy;
        assert_int_equal(parse(text, len, false, &r, &err, &copy), 0);
        assert_string_equal(err.text, "");
        free(copy);
        assert_int_equal(parse(text, len, true, &r, &err, &copy), -1);
        assert_non_null(strstr(err.text, "the answer ends"));
        free(copy);
    }
}

static void without_a_length_the_body_ends_with_the_connection(void **state)
{
    (void)state;
    static const char text[] = OK "\r\nwork";
    struct http_response r;
    struct error err = ERROR_INIT;
    char *copy;
    assert_int_equal(parse(text, sizeof text - 1, false, &r, &err, &copy), 0);
    free(copy);
    assert_int_equal(parse(text, sizeof text - 1, true, &r, &err, &copy), 1);
    assert_int_equal(r.body_len, 4);
    free(copy);
}

static void a_length_beyond_all_memory_is_waited_for(void **state)
{
    (void)state;
    static const char text[] = OK "Content-Length: 18446744073709551615\r\n\r\n";
    struct http_response r;
    struct error err = ERROR_INIT;
    char *copy;
    assert_int_equal(parse(text, sizeof text - 1, false, &r, &err, &copy), 0);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_answers),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_nul_in_the_head_is_refused),
        cmocka_unit_test(every_beginning_wants_more),
        cmocka_unit_test(without_a_length_the_body_ends_with_the_connection),
        cmocka_unit_test(a_length_beyond_all_memory_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
