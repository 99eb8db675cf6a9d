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

static int load(const char *text, size_t len, struct cluster **out, struct error *err)
{
    assert_int_equal(file_publish(AT_FDCWD, "cluster.yaml", text, len, 0644, err), 0);
    return cluster_load("cluster.yaml", out, err);
}

static void a_good_file_gives_its_values(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct cluster *c AUTO_CLUSTER = NULL;
    if (load(GOOD, sizeof GOOD - 1, &c, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(c->name, "hard");
    assert_string_equal(c->kubernetes, "1.21.0");
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

/* One edit of the good file, and how the error must begin. */
static const struct {
    const char *find, *replace, *expected;
} bad[] = {
    {"version: 1\n", "version: 2\n", "1:10: version '2' is not known to nodebake"},
    {"version: 1\n", "", "1:1: the key 'version' is missing"},
    {"name: hard\n", "name: Hard\n", "2:7: 'Hard' is not a DNS label"},
    {"name: hard\n", "name: hard\nname: x\n", "3:1: 'name' stands here twice; first on line 2"},
    {"name: hard\n", "nmae: hard\n", "2:1: unknown key 'nmae'; known here: version, name, profile"},
    {"name: hard\n", "name: [a]\n", "2:7: a list stands where a single value belongs"},
    {"name: hard\n", "name: {a: b}\n", "2:7: a map stands where a single value belongs"},
    {"name: hard\n", "name:\n", "2:6: '' is not a DNS label"},
    {"name: hard\n", "name: &x hard\n", "2:7: anchors and aliases are not allowed here"},
    {"name: hard\n", "name: !!str hard\n", "2:7: tags (!"},
    {"name: hard\n", "name: 'hard\n", "24:1: not YAML: "},
    {"kubernetes: 1.21.0", "kubernetes: v1.21.0",
     "4:13: 'v1.21.0' is not a version; write it like 1.21.0"},
    {"kubernetes: 1.21.0", "kubernetes: 1.21", "4:13: '1.21' is not a version"},
    {"203.0.113.10", "203.0.113", "5:16: '203.0.113' is not an IPv4 address"},
    {"203.0.113.10", "10.32.0.9", "5:16: 10.32.0.9 lies in the pods or services network"},
    {"203.0.113.10", "10.240.0.10", "17:53: 10.240.0.10 is publicAddress too"},
    {"  pods: 10.200.0.0/16\n", "  pods: 10.200.0.1/16\n",
     "8:9: '10.200.0.1/16' is not an IPv4 network such as 10.200.0.0/24, host bits zero"},
    {"  pods: 10.200.0.0/16\n", "  pods: 10.240.0.0/16\n",
     "8:9: pods network 10.240.0.0/16 overlaps the nodes network 10.240.0.0/24"},
    {"  services: 10.32.0.0/24\n", "  services: 10.32.0.0/30\n",
     "9:13: the services network must be a /12 to a /28, not a /30"},
    {"  dns: 10.32.0.10\n", "  dns: 10.33.0.10\n",
     "10:8: 10.33.0.10 is outside the services network 10.32.0.0/24"},
    {"  dns: 10.32.0.10\n", "  dns: 10.32.0.1\n",
     "10:8: 10.32.0.1 is the services network's first address"},
    {"  domain: cluster.local\n", "", "7:3: the key 'domain' is missing"},
    {"networks:\n", "networks: x\nx:\n", "6:11: expected a map (key: value)"},
    {"metadata: [gce]", "debs: [a.deb]\nmetadata: [gce]",
     "14:7: a list stands where a single value belongs"},
    {"metadata: [gce]", "debs:\nmetadata: [gce]", "14:6: "},
    {"metadata: [gce]", "diskSize: 10\nmetadata: [gce]", "14:11: a disk has whole MiB"},
    {"metadata: [gce]", "diskSize: 10G\nmetadata: [gce]", "14:11: '10G' is not a size"},
    {"metadata: [gce]", "diskSize: 65537GiB\nmetadata: [gce]",
     "14:11: a disk has whole MiB, at most"},
    {"metadata: [gce]", "diskSize: 0\nmetadata: [gce]", "14:11: a disk has whole MiB"},
    {"metadata: [gce]", "metadata: [azure]",
     "14:12: 'azure' is no metadata source of this nodebake; known: gce"},
    {"metadata: [gce]", "metadata: [gce, gce]", "14:17: 'gce' stands here twice"},
    {"metadata: [gce]", "metadata: []", "14:11: 0 items; 1 to 8 are allowed"},
    {"metadata: [gce]", "metadata: gce", "14:11: expected a list (- item)"},
    {"identity: image", "identity: bootstrap",
     "15:11: 'bootstrap' is no identity mode of this nodebake; known: image"},
    {"role: controller", "role: master",
     "17:32: 'master' is no role of this nodebake; known: controller, worker"},
    {"    role: worker\n", "", "18:5: the key 'role' is missing"},
    {"name: worker-1", "name: worker-0", "23:12: the name 'worker-0' stands on line 18 already"},
    {"name: worker-1", "name: worker", "23:12: 'worker' is the name of a role"},
    {"10.240.0.21", "10.240.0.20",
     "23:45: the address 10.240.0.20 is worker-0's already (line 20)"},
    {"10.240.0.21", "10.241.0.21", "23:45: 10.241.0.21 is outside the nodes network 10.240.0.0/24"},
    {"10.240.0.21", "10.240.0.255", "23:45: 10.240.0.255 is the network's own or broadcast"},
    {"10.200.1.0/24", "10.200.0.128/25",
     "23:67: 10.200.0.128/25 overlaps 10.200.0.0/24, which is worker-0's (line 21)"},
    {"10.200.1.0/24", "10.201.1.0/24",
     "23:67: 10.201.1.0/24 is outside the pods network 10.200.0.0/16"},
    {"10.200.1.0/24", "10.200.1.0/30", "23:67: 10.200.1.0/30 is too small for a node"},
    {"    podCIDR: 10.200.0.0/24\n", "", "18:5: worker worker-0 has no podCIDR"},
    {"address: 10.240.0.10}", "address: 10.240.0.10, podCIDR: 10.200.9.0/24}",
     "17:75: a controller runs no pods"},
    {"podCIDR: 10.200.0.0/24", "podCidr: 10.200.0.0/24",
     "21:5: unknown key 'podCidr'; known here: name, role, address, podCIDR, labels"},
    {"zone: a", "zone: 'a b'", "22:20: 'a b' is not a label value"},
    {"zone: a", "-zone: a", "22:14: '-zone' is not a label key"},
    {"zone: a", "node-role.kubernetes.io/worker: a",
     "22:14: a kubelet may not set the label 'node-role.kubernetes.io/worker'"},
    {"zone: a", "Bad_Prefix/zone: a", "22:14: 'Bad_Prefix/zone' is not a label key; its prefix"},
    {"image: base.raw", "image: \"base\\n.raw\"", "12:8: the value holds a control byte (0x0a)"},
    {"image: base.raw", "image: ''", "12:8: the value is empty"},
};

static void replace_once(const char *find, const char *replace, struct buffer *out)
{
    const char *at = strstr(GOOD, find);
    if (!at)
        fail_msg("the good file has no '%s'", find);
    buffer_add(out, GOOD, (size_t)(at - GOOD));
    buffer_puts(out, replace);
    buffer_puts(out, at + strlen(find));
}

static void bad_files_name_place_and_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buffer text AUTO_BUFFER = buffer_heap();
        struct cluster *c AUTO_CLUSTER = NULL;
        struct error err = ERROR_INIT;
        char *expected AUTO_FREE = heap_printf("cluster.yaml:%s", bad[i].expected);
        replace_once(bad[i].find, bad[i].replace, &text);
        if (load(text.data, text.len, &c, &err) == 0)
            fail_msg("'%s' was accepted", bad[i].replace);
        if (strncmp(err.text, expected, strlen(expected)) != 0)
            fail_msg("got    %s\nwanted %s", err.text, expected);
        assert_null(c);
    }
}

static void odd_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
    } odd[] = {
        {"", 0, "cluster.yaml:1:1: the file is empty"},
        {"# nothing\n", 10, "cluster.yaml:1:1: the file is empty"},
        {"- a\n", 4, "cluster.yaml:1:1: expected a map"},
        {"text\n", 5, "cluster.yaml:1:1: expected a map"},
        {"a: 1\n---\nb: 2\n", 14, "cluster.yaml:2:1: a second document"},
        {"[[[[[[[[[[[[[[[[[[[[", 20, "cluster.yaml:1:17: nested too deeply"},
        {"name: \"a\\0b\"\n", 13, "cluster.yaml:1:7: the value holds a NUL byte"},
        {"\x01\x02", 2, "cluster.yaml:1:1: not YAML: "},
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct cluster *c AUTO_CLUSTER = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(load(odd[i].text, odd[i].len, &c, &err), -1);
        if (strncmp(err.text, odd[i].expected, strlen(odd[i].expected)) != 0)
            fail_msg("got    %s\nwanted %s", err.text, odd[i].expected);
    }
}

static void an_absent_file_is_named(void **state)
{
    (void)state;
    struct cluster *c = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(cluster_load("nowhere/cluster.yaml", &c, &err), -1);
    assert_string_equal(err.text, "nowhere/cluster.yaml: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_gives_its_values),
        cmocka_unit_test(bad_files_name_place_and_cause),
        cmocka_unit_test(odd_files_are_refused),
        cmocka_unit_test(an_absent_file_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
