#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/lab/aws.h"

static struct node nodes[] = {
    {.name = "controller-0", .role = "controller", .address = "10.240.0.10"},
    {.name = "worker-0", .role = "worker", .address = "10.240.0.20", .pod_cidr = "10.200.0.0/24"},
};
static struct cluster cluster = {.name = "testbed", .nodes = nodes, .node_count = 2};
static const struct gce lab = {.cluster = &cluster};

static unsigned ask_of(const struct gce *which, const struct node *node, struct aws_request request,
                       char out[static 256])
{
    memset(out, 0, 256);
    struct buffer b = {.data = out, .cap = 256};
    return aws_answer(which, node, &request, &b);
}

static unsigned ask(const struct node *node, struct aws_request request, char out[static 256])
{
    return ask_of(&lab, node, request, out);
}

static void get_token(char out[static 256])
{
    struct aws_request request = {.method = "PUT", .path = "/latest/api/token", .ttl = "900"};
    assert_int_equal(ask(&nodes[0], request, out), 200);
    assert_int_equal(strlen(out), 48);
}

static void a_token_has_its_rules(void **state)
{
    static const struct {
        struct aws_request request;
        unsigned status;
    } cases[] = {
        {{"PUT", "/latest/api/token", NULL, "1", false}, 200},
        {{"PUT", "/latest/api/token", NULL, "21600", false}, 200},
        {{"PUT", "/latest/api/token", NULL, "21601", false}, 400},
        {{"PUT", "/latest/api/token", NULL, "0", false}, 400},
        {{"PUT", "/latest/api/token", NULL, "x", false}, 400},
        {{"PUT", "/latest/api/token", NULL, NULL, false}, 400},
        {{"PUT", "/latest/api/token", NULL, "1", true}, 403},
        {{"PUT", "/latest/meta-data/mac", NULL, "1", false}, 405},
        {{"POST", "/latest/api/token", NULL, "1", false}, 405},
        {{"GET", "/latest/meta-data/mac", NULL, NULL, false}, 401},
        {{"GET", "/latest/meta-data/mac", "", NULL, false}, 401},
        {{"GET", "/latest/meta-data/mac", "stale", NULL, false}, 401},
        {{"GET", "/latest/meta-data/none", "stale", NULL, false}, 401},
    };
    char out[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (ask(&nodes[1], cases[i].request, out) != cases[i].status)
            fail_msg("%zu: %s", i, out);
}

static void values_are_the_nodes(void **state)
{
    static const struct {
        size_t node;
        const char *path, *value; /* NULL: 404 */
    } cases[] = {
        {1, "/latest/meta-data/tags/instance/Name", "worker-0"},
        {0, "/latest/meta-data/tags/instance/Name", "controller-0"},
        {1, "/latest/meta-data/tags/instance/pod-cidr", "10.200.0.0/24"},
        {0, "/latest/meta-data/tags/instance/pod-cidr", NULL},
        {1, "/latest/meta-data/local-ipv4", "10.240.0.20"},
        {1, "/latest/meta-data/local-hostname", "ip-10-240-0-20.ec2.internal"},
        {1, "/latest/meta-data/mac", "42:01:0a:f0:00:14"},
        {1, "/latest/meta-data/placement/region", "us-east-1"},
        {1, "/latest/meta-data/", NULL},
        {1, "/latest/meta-data", NULL},
        {1, "/latest/user-data", NULL},
        {1, "/computeMetadata/v1/instance/name", NULL},
    };
    char token[256], out[256];
    (void)state;
    get_token(token);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_request request = {.method = "GET", .path = cases[i].path, .token = token};
        unsigned status = ask(&nodes[cases[i].node], request, out);
        if (status != (cases[i].value ? 200 : 404))
            fail_msg("%s: %u", cases[i].path, status);
        if (cases[i].value)
            assert_string_equal(out, cases[i].value);
    }
}

static void identities_are_in_user_data(void **state)
{
    static char bundle[] = "c2VjcmV0";
    static char *const bundles[] = {NULL, bundle};
    static const struct gce with = {.cluster = &cluster, .bundles = bundles};
    struct aws_request request = {.method = "GET", .path = "/latest/user-data"};
    char token[256], out[256];
    (void)state;
    assert_int_equal(ask_of(&with, &nodes[1], request, out), 401);
    get_token(token);
    request.token = token;
    assert_int_equal(ask_of(&with, &nodes[1], request, out), 200);
    assert_string_equal(out, "NODE_NAME=worker-0\nPOD_CIDR=10.200.0.0/24\n"
                             "NODE_IDENTITY=c2VjcmV0\n");
    assert_int_equal(ask_of(&with, &nodes[0], request, out), 404);
}

static void instances_have_ids_of_their_own(void **state)
{
    struct aws_request request = {.method = "GET", .path = "/latest/meta-data/instance-id"};
    char token[256], one[256], other[256];
    (void)state;
    get_token(token);
    request.token = token;
    assert_int_equal(ask(&nodes[0], request, one), 200);
    assert_int_equal(ask(&nodes[1], request, other), 200);
    assert_memory_equal(one, "i-0", 3);
    assert_int_equal(strlen(one), 19);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_has_its_rules),
        cmocka_unit_test(values_are_the_nodes),
        cmocka_unit_test(identities_are_in_user_data),
        cmocka_unit_test(instances_have_ids_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
