#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/lab/gce.h"

static struct node nodes[] = {
    {.name = "controller-0", .role = "controller", .address = "10.240.0.10"},
    {.name = "worker-0", .role = "worker", .address = "10.240.0.20", .pod_cidr = "10.200.0.0/24"},
};
static struct cluster cluster = {.name = "testbed", .nodes = nodes, .node_count = 2};
static const struct gce gce = {.cluster = &cluster},
                        with_keys = {.cluster = &cluster, .ssh_keys = "ops:ssh-ed25519 AAAA\n"};

static const struct {
    const struct node *node;
    const char *path;
    unsigned status;
    const char *body; /* of a 200 */
} rows[] = {
    {&nodes[1], "/", 200, "computeMetadata/\n"},
    {&nodes[1], "/computeMetadata/", 200, "v1/\n"},
    {&nodes[1], "/computeMetadata", 301, NULL},
    {&nodes[1], "/computeMetadata/v1", 301, NULL},
    {&nodes[1], "/computeMetadata/v1/", 200, "instance/\nproject/\n"},
    {&nodes[1], "/computeMetadata/v1/instance", 301, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/", 200,
     "attributes/\nhostname\nid\nname\nnetwork-interfaces/\nservice-accounts/\nzone\n"},
    {&nodes[1], "/computeMetadata/v1/instance/name", 200, "worker-0"},
    {&nodes[1], "/computeMetadata/v1/instance/name/", 404, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/nam", 404, NULL},
    {&nodes[1], "/computeMetadata/v1/instance//name", 404, NULL},
    {&nodes[1], "/computeMetadata/v1//instance/name", 404, NULL},
    {&nodes[1], "/computeMetadata/v1/../v1/instance/name", 404, NULL},
    {&nodes[1], "/computeMetadata/v1beta1/instance/name", 404, NULL},
    {&nodes[1], "/latest/meta-data/", 404, NULL},
    {&nodes[1], "computeMetadata/v1/instance/name", 404, NULL},
    {&nodes[1], "", 404, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/hostname", 200, "worker-0.c.testbed.internal"},
    {&nodes[1], "/computeMetadata/v1/instance/service-accounts/", 200, ""},
    {&nodes[1], "/computeMetadata/v1/instance/zone", 200, "projects/1/zones/lab"},
    {&nodes[1], "/computeMetadata/v1/instance/network-interfaces", 301, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/network-interfaces/", 200, "0/\n"},
    {&nodes[1], "/computeMetadata/v1/instance/network-interfaces/0/", 200, "ip\n"},
    {&nodes[1], "/computeMetadata/v1/instance/network-interfaces/0/ip", 200, "10.240.0.20"},
    {&nodes[1], "/computeMetadata/v1/instance/network-interfaces/1/ip", 404, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/attributes", 301, NULL},
    {&nodes[1], "/computeMetadata/v1/instance/attributes/", 200, "pod-cidr\n"},
    {&nodes[1], "/computeMetadata/v1/instance/attributes/pod-cidr", 200, "10.200.0.0/24"},
    {&nodes[1], "/computeMetadata/v1/instance/attributes/other", 404, NULL},
    {&nodes[0], "/computeMetadata/v1/instance/name", 200, "controller-0"},
    {&nodes[0], "/computeMetadata/v1/instance/attributes/", 200, ""},
    {&nodes[0], "/computeMetadata/v1/instance/attributes/pod-cidr", 404, NULL},
    {&nodes[0], "/computeMetadata/v1/project/", 200,
     "attributes/\nnumeric-project-id\nproject-id\n"},
    {&nodes[0], "/computeMetadata/v1/project/attributes/", 200, ""},
    {&nodes[0], "/computeMetadata/v1/project/attributes/pod-cidr", 404, NULL},
    {&nodes[0], "/computeMetadata/v1/project/project-id", 200, "testbed"},
};

static void answers_by_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[1024] = "";
        struct buffer out = BUFFER_FIXED(text);
        unsigned status = gce_answer(&gce, rows[i].node, rows[i].path, false, &out);
        if (status != rows[i].status)
            fail_msg("%s: %u instead of %u", rows[i].path, status, rows[i].status);
        if (rows[i].body)
            assert_string_equal(text, rows[i].body);
        else
            assert_true(out.len > 0 && text[out.len - 1] == '\n');
    }
}

/* The answer, a status of 200 taken for granted. */
static const char *text_of(const struct gce *which, const struct node *node, const char *path,
                           bool recursive)
{
    static char text[GCE_ANSWER_MAX];
    struct buffer out = BUFFER_FIXED(text);
    assert_int_equal(gce_answer(which, node, path, recursive, &out), 200);
    return text;
}

static void keys_are_the_projects(void **state)
{
    (void)state;
    static const char folder[] = "/computeMetadata/v1/project/attributes/";
    static const char keys[] = "/computeMetadata/v1/project/attributes/ssh-keys";
    assert_string_equal(text_of(&with_keys, &nodes[0], folder, false), "ssh-keys\n");
    assert_string_equal(text_of(&with_keys, &nodes[0], keys, false), "ops:ssh-ed25519 AAAA\n");
}

static void identities_are_the_nodes(void **state)
{
    (void)state;
    static char bundle[] = "c2VjcmV0";
    static char *const bundles[] = {NULL, bundle};
    static const struct gce with = {.cluster = &cluster, .bundles = bundles};
    static const char folder[] = "/computeMetadata/v1/instance/attributes/";
    static const char path[] = "/computeMetadata/v1/instance/attributes/node-identity";
    char text[1024] = "";
    struct buffer out = BUFFER_FIXED(text);
    assert_string_equal(text_of(&with, &nodes[1], path, false), bundle);
    assert_string_equal(text_of(&with, &nodes[1], folder, false), "node-identity\npod-cidr\n");
    assert_int_equal(gce_answer(&with, &nodes[0], folder, false, &out), 200);
    assert_string_equal(text, "");
    assert_int_equal(gce_answer(&with, &nodes[0], path, false, &out), 404);
    assert_int_equal(gce_answer(&gce, &nodes[1], path, false, &out), 404);
}

static void attributes_come_as_json(void **state)
{
    (void)state;
    char text[1024] = "";
    struct buffer out = BUFFER_FIXED(text);
    static const char of_instance[] = "/computeMetadata/v1/instance/attributes/";
    static const char of_project[] = "/computeMetadata/v1/project/attributes/";
    assert_string_equal(text_of(&gce, &nodes[1], of_instance, true),
                        "{\"pod-cidr\":\"10.200.0.0/24\"}");
    assert_string_equal(text_of(&gce, &nodes[0], of_instance, true), "{}");
    assert_string_equal(text_of(&with_keys, &nodes[0], of_project, true),
                        "{\"ssh-keys\":\"ops:ssh-ed25519 AAAA\\n\"}");
    assert_int_equal(gce_answer(&gce, &nodes[1], "/computeMetadata/v1/instance/", true, &out), 400);
    assert_string_equal(text, "recursive=true is understood for attributes/ only\n");
}

static void an_id_is_a_nodes_own_and_stays(void **state)
{
    (void)state;
    static const char path[] = "/computeMetadata/v1/instance/id";
    char ids[3][64] = {"", "", ""};
    for (size_t i = 0; i < 3; i++) {
        struct buffer out = BUFFER_FIXED(ids[i]);
        assert_int_equal(gce_answer(&gce, &nodes[i % 2], path, false, &out), 200);
        assert_int_equal(strspn(ids[i], "0123456789"), strlen(ids[i]));
        assert_int_equal(strlen(ids[i]), 19);
    }
    assert_string_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_path),
        cmocka_unit_test(keys_are_the_projects),
        cmocka_unit_test(identities_are_the_nodes),
        cmocka_unit_test(attributes_come_as_json),
        cmocka_unit_test(an_id_is_a_nodes_own_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
