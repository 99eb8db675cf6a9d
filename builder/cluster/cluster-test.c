#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/cluster/cluster.h"
#include "builder/heap.h"
#include "common/file.h"

#include <fcntl.h>

static const char GOOD[] =
    /*  1 */ "version: 1\n"
             /*  2 */ "name: hard\n"
             /*  3 */ "profile: hard-way\n"
             /*  4 */ "kubernetes: 1.21.0\n"
             /*  5 */ "publicAddress: 203.0.113.10\n"
             /*  6 */ "networks:\n"
             /*  7 */ "  nodes: 10.240.0.0/24\n"
             /*  8 */ "  pods: 10.200.0.0/16\n"
             /*  9 */ "  services: 10.32.0.0/24\n"
             /* 10 */ "  dns: 10.32.0.10\n"
             /* 11 */ "  domain: cluster.local\n"
             /* 12 */ "image: base.raw\n"
             /* 13 */ "artifacts: /srv/artifacts\n"
             /* 14 */ "metadata: [gce]\n"
             /* 15 */ "identity: image\n"
             /* 16 */ "nodes:\n"
             /* 17 */ "  - {name: controller-0, role: controller, address: 10.240.0.10}\n"
             /* 18 */ "  - name: worker-0\n"
             /* 19 */ "    role: worker\n"
             /* 20 */ "    address: 10.240.0.20\n"
             /* 21 */ "    podCIDR: 10.200.0.0/24\n"
             /* 22 */ "    labels: {zone: a, topology.kubernetes.io/region: r1}\n"
             /* 23 */ "  - {name: worker-1, role: worker, address: 10.240.0.21, podCIDR: "
             "10.200.1.0/24}\n";

static char folder[] = "/tmp/nodebake-cluster-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink("cluster.yaml");
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static int parse(const char *text, size_t len, struct cluster **out, struct problems *problems,
                 struct error *err)
{
    static const struct cluster_needs none;
    return cluster_parse("cluster.yaml", text, len, none, out, problems, err);
}

static void a_good_file_gives_its_values(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct cluster *c AUTO_CLUSTER = NULL;
    if (parse(GOOD, sizeof GOOD - 1, &c, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(c->name, "hard");
    assert_string_equal(c->kubernetes, "1.21.0");
    assert_int_equal(c->kubernetes_line, 4);
    assert_null(c->release);
    assert_string_equal(c->image, "base.raw");
    assert_string_equal(c->artifacts, "/srv/artifacts");
    assert_null(c->debs);
    assert_int_equal(c->source_count, 1);
    assert_int_equal(c->node_count, 3);
    const struct node *worker = cluster_node(c, "worker-0");
    assert_non_null(worker);
    assert_string_equal(worker->pod_cidr, "10.200.0.0/24");
    assert_int_equal(worker->label_count, 2);
    assert_string_equal(worker->labels[1].key, "topology.kubernetes.io/region");
    assert_null(cluster_node(c, "worker-9"));
    assert_null(cluster_node(c, "controller-0")->pod_cidr);
    char api[16];
    cluster_api_service_address(c, api);
    assert_string_equal(api, "10.32.0.1");
}

static void dns_and_domain_may_be_left_out(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct cluster *c AUTO_CLUSTER = NULL;
    const char *dns = strstr(GOOD, "  dns:"), *image = strstr(GOOD, "image:");
    char *text AUTO_FREE = heap_printf("%.*s%s", (int)(dns - GOOD), GOOD, image);
    if (parse(text, strlen(text), &c, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(c->dns_address, "10.32.0.10");
    assert_null(c->domain); /* the profile's */
}

/* Bad files are in tests/bad-clusters/. */
static void a_bad_file_gives_its_problems(void **state)
{
    (void)state;
    static const char text[] = "version: 1\nname: Hard\nnodes: [x]\n";
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct cluster *c AUTO_CLUSTER = NULL;
    assert_int_equal(parse(text, sizeof text - 1, &c, &problems, &err), -1);
    assert_null(c);
    assert_string_equal(err.text, "cluster.yaml: 10 problems");
    assert_string_equal(problems.file, "cluster.yaml");
    assert_int_equal(problems.count, 10);
    assert_string_equal(problems.items[0].text, "the key 'profile' is missing");
    assert_int_equal(problems.items[8].line, 2);
    assert_int_equal(problems.items[8].column, 7);
    assert_int_equal(problems.items[9].line, 3);
    assert_string_equal(problems.items[9].text, "expected a map (key: value)");
}

static void files_are_loaded(void **state)
{
    (void)state;
    static const struct cluster_needs none;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct cluster *c AUTO_CLUSTER = NULL;
    assert_int_equal(cluster_load("nowhere/cluster.yaml", none, &c, &problems, &err), -1);
    assert_string_equal(err.text, "nowhere/cluster.yaml: No such file or directory");
    assert_int_equal(problems.count, 0);
    assert_null(c);
    assert_int_equal(file_publish(AT_FDCWD, "cluster.yaml", GOOD, sizeof GOOD - 1, 0644, &err), 0);
    char *file AUTO_FREE = heap_printf("%s/cluster.yaml", folder);
    char *image AUTO_FREE = heap_printf("%s/base.raw", folder);
    assert_int_equal(cluster_load(file, none, &c, &problems, &err), 0);
    assert_string_equal(c->file, file);
    assert_string_equal(c->dir, folder);
    assert_string_equal(c->image, image);
    assert_string_equal(c->artifacts, "/srv/artifacts");
}

/* What is there is not complained of. */
static void needs_are_looked_at(void **state)
{
    (void)state;
    struct install install = {.data = folder};
    struct cluster_needs needs[] = {{NULL, false}, {&install, false}, {&install, true}};
    static const size_t expected[] = {0, 2, 4};
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        struct cluster *c AUTO_CLUSTER = NULL;
        int result =
            cluster_parse("cluster.yaml", GOOD, sizeof GOOD - 1, needs[i], &c, &problems, &err);
        assert_int_equal(result, expected[i] ? -1 : 0);
        assert_int_equal(problems.count, expected[i]);
        if (i)
            assert_string_equal(problems.items[0].text,
                                "there is no profile 'hard-way'; known: none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_gives_its_values),
        cmocka_unit_test(dns_and_domain_may_be_left_out),
        cmocka_unit_test(a_bad_file_gives_its_problems),
        cmocka_unit_test(files_are_loaded),
        cmocka_unit_test(needs_are_looked_at),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
