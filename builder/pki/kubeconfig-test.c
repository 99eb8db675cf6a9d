#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig-read.h"
#include "builder/pki/kubeconfig.h"

static char ca_text[] = "-----BEGIN CERTIFICATE-----\nY2E=\n-----END CERTIFICATE-----\n";
static char cert_text[] = "cert\n", key_text[] = "private key\n";
static const struct buffer ca = {.data = ca_text, .len = sizeof ca_text - 1};
static const struct buffer cert = {.data = cert_text, .len = sizeof cert_text - 1};
static const struct buffer key = {.data = key_text, .len = sizeof key_text - 1};

static struct kubeconfig worker(const char *cluster)
{
    return (struct kubeconfig){.cluster = cluster,
                               .server = "https://203.0.113.10:6443",
                               .user = "system:node:worker-0",
                               .ca = &ca,
                               .cert = &cert,
                               .key = &key};
}

/* As written by kubectl 1.32 from the same pieces (set-cluster, set-credentials, set-context,
 * use-context). */
static const char golden[] =
    "apiVersion: v1\n"
    "clusters:\n"
    "- cluster:\n"
    "    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClkyRT0KLS0tLS1FTkQgQ0VSV"
    "ElGSUNBVEUtLS0tLQo=\n"
    "    server: https://203.0.113.10:6443\n"
    "  name: hard-way\n"
    "contexts:\n"
    "- context:\n"
    "    cluster: hard-way\n"
    "    user: system:node:worker-0\n"
    "  name: default\n"
    "current-context: default\n"
    "kind: Config\n"
    "preferences: {}\n"
    "users:\n"
    "- name: system:node:worker-0\n"
    "  user:\n"
    "    client-certificate-data: Y2VydAo=\n"
    "    client-key-data: cHJpdmF0ZSBrZXkK\n";

static void the_golden_text(void **state)
{
    (void)state;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct kubeconfig config = worker("hard-way");
    kubeconfig_print(&config, &out);
    assert_string_equal(out.data, golden);
    assert_int_equal(out.len, strlen(golden));
}

/* Of a bundle, which has them beside it. */
static void files_may_be_named(void **state)
{
    (void)state;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct kubeconfig config = worker("hard-way");
    config.cert_file = "/var/lib/kubelet/worker-0.pem";
    config.key_file = "/var/lib/kubelet/worker-0-key.pem";
    kubeconfig_print(&config, &out);
    char *tail = strstr(out.data, "  user:\n");
    assert_string_equal(tail, "  user:\n"
                              "    client-certificate: /var/lib/kubelet/worker-0.pem\n"
                              "    client-key: /var/lib/kubelet/worker-0-key.pem\n");
    assert_memory_equal(out.data, golden, (size_t)(tail - out.data));
}

/* A name that YAML would read as a number or a truth value stays a string. */
static void quotes_odd_names(void **state)
{
    (void)state;
    static const char *const odd[] = {"0x1f", "1e3", "2020-01-01", "true", "no", "y", "null", "7"};
    static const char *const even[] = {"a1", "nob", "yes-1", "nullable"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        struct kubeconfig config = worker(odd[i]);
        char *name AUTO_FREE = heap_printf("\n  name: \"%s\"\n", odd[i]);
        char *context AUTO_FREE = heap_printf("\n    cluster: \"%s\"\n", odd[i]);
        kubeconfig_print(&config, &out);
        assert_non_null(strstr(out.data, name));
        assert_non_null(strstr(out.data, context));
    }
    for (size_t i = 0; i < ARRAY_LEN(even); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        struct kubeconfig config = worker(even[i]);
        char *name AUTO_FREE = heap_printf("\n  name: %s\n", even[i]);
        kubeconfig_print(&config, &out);
        assert_non_null(strstr(out.data, name));
    }
}

/* It is read again, whatever the name and however long the embedded texts. */
static void there_and_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap(), large AUTO_BUFFER = buffer_heap();
    struct kubeconfig_read found AUTO_KUBECONFIG = {0};
    for (int i = 0; i < 60000; i++)
        buffer_puts(&large, "x");
    struct kubeconfig config = worker("123");
    config.ca = &large;
    kubeconfig_print(&config, &out);
    if (kubeconfig_parse("kubeconfig", out.data, out.len, &found, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found.server, "https://203.0.113.10:6443");
    assert_string_equal(found.ca.data.data, large.data);
    assert_string_equal(found.cert.data.data, cert_text);
    assert_string_equal(found.key.data.data, key_text);
    assert_null(found.token);
    assert_false(found.other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_text),
        cmocka_unit_test(files_may_be_named),
        cmocka_unit_test(quotes_odd_names),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
