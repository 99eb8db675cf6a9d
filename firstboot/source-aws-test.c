#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/service.h"
#include "firstboot/source-aws.h"
#include "tests/scripted-server.h"

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define TOKEN                                                                                      \
    {                                                                                              \
        .send = OK "AQAEA+/_-=="                                                                   \
    }
#define STATUS(s)                                                                                  \
    {                                                                                              \
        .send = "HTTP/1.1 " #s " x\r\nContent-Length: 0\r\n\r\n"                                   \
    }
#define ADDRESS "meta-data/local-ipv4"

/* One `get` against a service that has answered nothing before. */
static const struct run {
    const char *path;
    bool v1;
    struct step steps[5];
    unsigned count;
    int got;
    const char *expected; /* the value, or a part of the error */
} runs[] = {
    {ADDRESS, false, {TOKEN, {.send = OK "10.0.0.7"}}, 2, 1, "10.0.0.7"},
    {ADDRESS, false, {TOKEN, {.send = OK "10.0.0.7\n"}}, 2, 1, "10.0.0.7"},
    {ADDRESS, false, {TOKEN, STATUS(404)}, 2, 0, NULL},
    /* not yet */
    {ADDRESS, false, {STATUS(404), STATUS(404), TOKEN, {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, false, {STATUS(503), {.reset = true}, TOKEN, {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, false, {STATUS(401), TOKEN, STATUS(503), {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, false, {TOKEN, STATUS(429), STATUS(500), {.send = OK "a"}}, 4, 1, "a"},
    /* a token that is not taken */
    {ADDRESS, false, {TOKEN, STATUS(401), TOKEN, {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, false, {TOKEN, STATUS(401), STATUS(404)}, 3, -1, "token: HTTP status 404"},
    /* final */
    {ADDRESS, false, {STATUS(403)}, 1, -1, "aws: " ADDRESS ": token: HTTP status 403"},
    {ADDRESS, false, {STATUS(400)}, 1, -1, "token: HTTP status 400"},
    {ADDRESS, false, {STATUS(405)}, 1, -1, "token: HTTP status 405"},
    {ADDRESS, false, {STATUS(302)}, 1, -1, "token: HTTP status 302"},
    {ADDRESS, false, {TOKEN, STATUS(403)}, 2, -1, "aws: " ADDRESS ": HTTP status 403"},
    {ADDRESS, false, {TOKEN, STATUS(301)}, 2, -1, "HTTP status 301"},
    {ADDRESS, false, {{.send = OK}}, 1, -1, "token: a token of 0 bytes that is none"},
    {ADDRESS, false, {{.send = OK "a b"}}, 1, -1, "a token of 3 bytes"},
    {ADDRESS, false, {{.send = OK "a\r\nX-evil: b"}}, 1, -1, "a token of 12 bytes"},
    {ADDRESS, false, {{.send = OK "<html>\n<body>"}}, 1, -1, "that is none"},
    /* version 1, only where it is allowed */
    {ADDRESS, true, {STATUS(404), {.send = OK "a"}}, 2, 1, "a"},
    {ADDRESS, true, {STATUS(405), {.send = OK "a"}}, 2, 1, "a"},
    {ADDRESS, true, {STATUS(404), STATUS(404), STATUS(404), {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, true, {TOKEN, {.send = OK "a"}}, 2, 1, "a"},
    {ADDRESS, true, {STATUS(404), STATUS(401), TOKEN, {.send = OK "a"}}, 4, 1, "a"},
    {ADDRESS, true, {STATUS(403)}, 1, -1, "token: HTTP status 403"},
    /* lines of user-data */
    {"user-data#POD_CIDR",
     false,
     {TOKEN, {.send = OK "POD_CIDR=10.2.0.0/24"}},
     2,
     1,
     "10.2.0.0/24"},
    {"user-data#B", false, {TOKEN, {.send = OK "#!/bin/sh\r\nAB=1\r\nB=2\r\nB=3\r\n"}}, 2, 1, "2"},
    {"user-data#B", false, {TOKEN, {.send = OK "B=\n"}}, 2, 1, ""},
    {"user-data#B", false, {TOKEN, {.send = OK "B\n B=1\nb=2\n=3\nBB=4\n"}}, 2, 0, NULL},
    {"user-data#B",
     false,
     {TOKEN, {.send = OK "\n\n\0\377B=\n", .len = sizeof OK + 7}},
     2,
     0,
     NULL},
    {"user-data#B", false, {TOKEN, {.send = OK}}, 2, 0, NULL},
    {"user-data#B", false, {TOKEN, STATUS(404)}, 2, 0, NULL},
};

static void check(size_t i)
{
    const struct run *r = &runs[i];
    struct source_value value = {NULL, 0};
    struct scripted_server s;
    struct error err = ERROR_INIT;
    scripted_start(&s, r->steps, r->count);
    service_endpoint(s.address, s.port);
    source_aws_forget();
    source_aws_allow_v1(r->v1);
    int got = source_aws.get(r->path, &value, deadline_in(20000), &err);
    scripted_stop(&s);
    if (got != r->got || s.served != r->count)
        fail_msg("%zu: %d after %u answers instead of %d after %u: '%s'", i, got, s.served, r->got,
                 r->count, err.text);
    if (got == 1 &&
        (value.len != strlen(r->expected) || memcmp(value.bytes, r->expected, value.len) != 0))
        fail_msg("%zu: '%.*s' is not '%s'", i, (int)value.len, value.bytes, r->expected);
    if (got < 0 && !strstr(err.text, r->expected))
        fail_msg("%zu: '%s' does not say '%s'", i, err.text, r->expected);
}

static void answers_are_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        check(i);
}

static void asks_as_aws_wants_it(void **state)
{
    (void)state;
    static const struct step first[] = {TOKEN}, second[] = {{.send = OK "i-1"}};
    struct source_value value;
    struct scripted_server s;
    struct error err = ERROR_INIT;
    source_aws_forget();
    source_aws_allow_v1(false);
    scripted_start(&s, first, 1);
    service_endpoint(s.address, s.port);
    assert_int_equal(source_aws.get("meta-data/a#B", &value, deadline_in(5000), &err), 0);
    scripted_stop(&s);
    assert_memory_equal(s.request, "GET /latest/meta-data/a HTTP/1.1\r\n", 33);
    assert_non_null(strstr(s.request, "\r\nX-aws-ec2-metadata-token: AQAEA+/_-==\r\n"));

    scripted_start(&s, second, 1); /* the token is kept */
    service_endpoint(s.address, s.port);
    assert_int_equal(source_aws.get("meta-data/instance-id", &value, deadline_in(5000), &err), 1);
    scripted_stop(&s);
    assert_int_equal(s.served, 1);

    source_aws_forget();
    static const struct step refusal[] = {STATUS(403)};
    scripted_start(&s, refusal, 1);
    service_endpoint(s.address, s.port);
    assert_int_equal(source_aws.get("meta-data/a", &value, deadline_in(5000), &err), -1);
    scripted_stop(&s);
    assert_memory_equal(s.request, "PUT /latest/api/token HTTP/1.1\r\n", 31);
    assert_non_null(strstr(s.request, "\r\nContent-Length: 0\r\n"));
    assert_non_null(strstr(s.request, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 900\r\n"));
}

static void user_data_has_a_bound(void **state)
{
    (void)state;
    static char bytes[sizeof OK + 20000] = OK "B=1\n";
    size_t head = strlen(OK), used = strlen(bytes);
    memset(bytes + used, '\n', sizeof bytes - 1 - used);
    for (size_t over = 0; over < 2; over++) {
        /* a last newline is not counted */
        const struct step steps[] = {TOKEN, {.send = bytes, .len = head + 16385 + over}};
        struct source_value value;
        struct scripted_server s;
        struct error err = ERROR_INIT;
        source_aws_forget();
        scripted_start(&s, steps, 2);
        service_endpoint(s.address, s.port);
        int got = source_aws.get("user-data#B", &value, deadline_in(5000), &err);
        scripted_stop(&s);
        assert_int_equal(got, over ? -1 : 1);
        if (over)
            assert_non_null(strstr(err.text, "16385 bytes, at most 16384 are allowed"));
    }
}

static void only_aws_backs_it(void **state)
{
    (void)state;
    static const struct {
        struct dmi dmi;
        bool right;
    } cases[] = {
        {{.sys_vendor = "Amazon EC2"}, true},
        {{.bios_vendor = "Amazon EC2"}, true},
        {{.sys_vendor = "Xen", .product_uuid = "ec2e1916-9099-7caf-fd21-012345abcdef"}, true},
        {{.sys_vendor = "Xen", .product_uuid = "EC2E1916-9099-7CAF-FD21-012345ABCDEF"}, true},
        {{.sys_vendor = "Xen", .product_uuid = "45e12aec-dcd1-b213-94ed-012345abcdef"}, true},
        {{.sys_vendor = "Xen", .product_uuid = "45E12AEC-DCD1-B213-94ED-012345ABCDEF"}, true},
        {{.sys_vendor = "Xen", .product_uuid = "45e13aec-dcd1-b213-94ed-012345abcdef"}, false},
        {{.sys_vendor = "Xen", .product_uuid = "ce2e1916-9099-7caf-fd21-012345abcdef"}, false},
        {{.sys_vendor = "Xen", .product_uuid = "45e12aec"}, false},
        {{.sys_vendor = "Xen"}, false},
        {{.sys_vendor = "QEMU", .product_uuid = "ec2e1916-9099-7caf-fd21-012345abcdef"}, false},
        {{.sys_vendor = "Amazon EC2 like"}, false},
        {{.product_name = "Amazon EC2"}, false},
        {{.board_asset_tag = "i-0123456789abcdef0"}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (source_aws.backed(&cases[i].dmi) != cases[i].right)
            fail_msg("%zu", i);
    assert_ptr_equal(source_find("aws"), &source_aws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_what_the_table_says),
        cmocka_unit_test(asks_as_aws_wants_it),
        cmocka_unit_test(user_data_has_a_bound),
        cmocka_unit_test(only_aws_backs_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
