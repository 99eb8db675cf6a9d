/* The bundle that is written is the golden one, which firstboot's test reads. */
#include "builder/fleet/bundle.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "common/contract.h"
#include "common/file.h"

static char pem[] = "a certificate\n", key_text[] = "a key @NODE_NAME@\n", ca_text[] = "ca\n";
static struct buffer cert = {.data = pem, .len = sizeof pem - 1},
                     key = {.data = key_text, .len = sizeof key_text - 1},
                     ca = {.data = ca_text, .len = sizeof ca_text - 1};
static const struct node_keys keys = {&ca, &cert, &key, "system:node:worker-0"};
static struct node node = {.name = "worker-0", .role = "worker", .address = "10.240.0.20"};
static struct cluster cluster = {
    .file = "cluster.yaml", .name = "hard-way", .public_address = "203.0.113.10"};
static const struct profile profile = {.file = "p.yaml", .name = "p"};
static struct pki_file identity[] = {
    {.file = "@NODE_NAME@.pem", .path = "/var/lib/kubelet/@NODE_NAME@.pem", .mode = 0644},
    {.file = "@NODE_NAME@-key.pem", .path = "/var/lib/kubelet/@NODE_NAME@-key.pem", .mode = 0600},
    {.file = "@NODE_NAME@.kubeconfig", .path = "/var/lib/kubelet/kubeconfig", .mode = 0600},
};

static int make(size_t files, struct buffer *out, struct error *err)
{
    struct role role = {.name = "worker", .identity = identity, .identity_count = files};
    return bundle_write(&cluster, &profile, &role, &node, &keys, out, err);
}

/* Up to the kubeconfig, which has a test of its own. */
static void the_golden_one(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap(), golden AUTO_BUFFER = buffer_heap();
    assert_int_equal(file_read(AT_FDCWD, "tests/golden/bundle-worker-0", 4096, &golden, &err), 0);
    assert_int_equal(make(2, &out, &err), 0);
    char *cut = strstr(golden.data, "file worker-0.kubeconfig");
    strcpy(cut, "end\n");
    assert_string_equal(out.data, golden.data);
}

static void the_kubeconfig_names_files(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(make(3, &out, &err), 0);
    assert_non_null(strstr(out.data, "\n    certificate-authority-data: Y2EK\n"
                                     "    server: https://203.0.113.10:6443\n  name: hard-way\n"));
    assert_non_null(strstr(out.data, "- name: system:node:worker-0\n  user:\n"
                                     "    client-certificate: /var/lib/kubelet/worker-0.pem\n"
                                     "    client-key: /var/lib/kubelet/worker-0-key.pem\n\nend\n"));
    char *line = strstr(out.data, "file worker-0.kubeconfig "), *body = strchr(line, '\n') + 1;
    size_t len = strtoul(line + strlen("file worker-0.kubeconfig "), NULL, 10);
    assert_string_equal(body + len, "\nend\n");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const struct pki_file kept = identity[1];
    identity[1].file = (char *)"ca-key.pem";
    assert_int_equal(make(3, &out, &err), -1);
    assert_string_equal(err.text, "p.yaml: identity file 'ca-key.pem': a bundle has a node's "
                                  "certificate, key and kubeconfig, and nothing else");
    identity[1].file = (char *)"@NODE_IP@.pem";
    assert_int_equal(make(3, &out, &err), -1);
    assert_string_equal(err.text, "p.yaml: identity file '@NODE_IP@.pem': line 1: nothing supplies "
                                  "@NODE_IP@");
    assert_int_equal(out.len, 0);
    identity[1] = kept;
}

/* What firstboot would refuse is not written. */
static void its_size_is_bounded(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static char large[CONTRACT_BUNDLE_MAX + 1];
    struct buffer out AUTO_BUFFER = buffer_heap(), most AUTO_BUFFER = buffer_heap();
    const struct buffer small = cert;
    memset(large, 'x', sizeof large - 1);
    cert = (struct buffer){.data = large, .len = 11000};
    assert_int_equal(make(1, &out, &err), 0);
    cert.len += CONTRACT_BUNDLE_MAX - out.len;
    assert_int_equal(make(1, &most, &err), 0);
    assert_int_equal(most.len, CONTRACT_BUNDLE_MAX);
    cert.len++;
    assert_int_equal(make(1, &most, &err), -1);
    assert_string_equal(err.text,
                        "the identity of worker-0 has 12001 bytes, and metadata has room for "
                        "12000; are there many certificates behind worker-0.pem?");
    cert = small;
}

static void user_data_has_three_lines(void **state)
{
    (void)state;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct node with = node;
    with.pod_cidr = (char *)"10.200.0.0/24";
    bundle_user_data(&node, "c2Vj", &out);
    assert_string_equal(out.data, "NODE_NAME=worker-0\nNODE_IDENTITY=c2Vj\n");
    buffer_clear(&out);
    bundle_user_data(&with, "c2Vj", &out);
    assert_string_equal(out.data,
                        "NODE_NAME=worker-0\nPOD_CIDR=10.200.0.0/24\nNODE_IDENTITY=c2Vj\n");
}

static void other_modes_have_none(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char **all = (char **)1;
    assert_int_equal(bundle_all(&cluster, &profile, "/nowhere", &all, &err), 0);
    assert_null(all);
    bundle_free_all(&cluster, all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_one),
        cmocka_unit_test(the_kubeconfig_names_files),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(its_size_is_bounded),
        cmocka_unit_test(user_data_has_three_lines),
        cmocka_unit_test(other_modes_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
