#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/identity.h"

static struct node nodes[] = {
    {.name = "controller-0", .role = "controller", .address = "10.240.0.10", .line = 20},
    {.name = "worker-0", .role = "worker", .address = "10.240.0.20", .line = 21},
    {.name = "worker-1", .role = "worker", .address = "10.240.0.21", .line = 22},
};
static const struct cluster cluster = {.file = "cluster.yaml",
                                       .name = "hard-way",
                                       .public_address = "203.0.113.10",
                                       .nodes = nodes,
                                       .node_count = 3};

#define HARD_WAY "Kubernetes The Hard Way"
#define SERVER   "https://203.0.113.10:6443"

static const struct {
    const char *stem, *cn, *o, *ou, *dns, *ip, *server;
    bool ca, serves;
} expected[] = {
    {"ca", "Kubernetes", "Kubernetes", "CA", NULL, NULL, NULL, true, false},
    {"worker-0", "system:node:worker-0", "system:nodes", HARD_WAY, "worker-0", "10.240.0.20",
     SERVER, false, true},
    {"worker-1", "system:node:worker-1", "system:nodes", HARD_WAY, "worker-1", "10.240.0.21",
     SERVER, false, true},
    {"kube-proxy", "system:kube-proxy", "system:node-proxier", HARD_WAY, NULL, NULL, SERVER, false,
     false},
};

static void the_table(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct identity_list list AUTO_IDENTITIES = {0};
    assert_int_equal(identity_list_make(&cluster, &list, &err), 0);
    assert_int_equal(list.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < list.count; i++) {
        const struct identity *id = &list.items[i];
        assert_string_equal(id->stem, expected[i].stem);
        assert_string_equal(id->subject.cn, expected[i].cn);
        assert_string_equal(id->subject.o, expected[i].o);
        assert_string_equal(id->subject.ou, expected[i].ou);
        assert_int_equal(id->subject.ca, expected[i].ca);
        assert_int_equal(id->serves, expected[i].serves);
        assert_int_equal(id->subject.san_count, expected[i].dns ? 2 : 0);
        if (expected[i].dns) {
            assert_false(id->subject.sans[0].is_ip);
            assert_string_equal(id->subject.sans[0].value, expected[i].dns);
            assert_true(id->subject.sans[1].is_ip);
            assert_string_equal(id->subject.sans[1].value, expected[i].ip);
        }
        if (expected[i].server)
            assert_string_equal(id->server, expected[i].server);
        else
            assert_null(id->server);
    }
}

#define LONG_52 "a123456789b123456789c123456789d123456789e123456789fg"

static const struct {
    char *name, *owner; /* owner NULL: the name is fine */
} names[] = {
    {"ca", "ca"},
    {"ca-key", "ca"},
    {"kube-proxy", "kube-proxy"},
    {"kube-proxy-key", "kube-proxy"},
    {"admin", "admin"},
    {"kubernetes", "kubernetes"},
    {"service-account-key", "service-account"},
    {"kube-scheduler", "kube-scheduler"},
    {"kube-controller-manager", "kube-controller-manager"},
    {"worker-1-key", "worker-1"},
    {"controller-0-key", "controller-0"},
    {"cat", NULL},
    {"ca-keys", NULL},
    {"worker-1-keys", NULL},
    {"key", NULL},
    {LONG_52, NULL},
};

static void names_whose_files_collide(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct error err = ERROR_INIT;
        struct identity_list list AUTO_IDENTITIES = {0};
        nodes[1].name = names[i].name;
        int result = identity_list_make(&cluster, &list, &err);
        nodes[1].name = "worker-0";
        if (!names[i].owner) {
            assert_int_equal(result, 0);
            continue;
        }
        char *message AUTO_FREE = heap_printf(
            "cluster.yaml:21: node %s: %s.pem would be a file of '%s' in the pki folder; give the "
            "node another name",
            names[i].name, names[i].name, names[i].owner);
        assert_int_equal(result, -1);
        assert_string_equal(err.text, message);
    }
}

static void names_that_are_too_long(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct identity_list list AUTO_IDENTITIES = {0};
    nodes[2].name = LONG_52 "h";
    int result = identity_list_make(&cluster, &list, &err);
    nodes[2].name = "worker-1";
    assert_int_equal(result, -1);
    assert_string_equal(err.text,
                        "cluster.yaml:22: node " LONG_52 "h: 53 characters; its certificate's name "
                        "system:node:" LONG_52 "h has room for 52");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(names_whose_files_collide),
        cmocka_unit_test(names_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
