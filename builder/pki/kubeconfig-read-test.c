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

#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://a'}}]\n"
#define USER    "users: [{name: u, user: {token: hushhush}}]\n"
#define CONTEXT "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"

static void refused(const char *text, const char *message)
{
    struct error err = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    assert_int_equal(kubeconfig_parse("k", text, strlen(text), &config, &err), -1);
    assert_string_equal(err.text, message);
    assert_null(strstr(err.text, "hush"));
}

/* As kubectl writes several clusters, with what does not matter here. */
static void takes_the_current_context(void **state)
{
    (void)state;
    static const char text[] = "apiVersion: v1\n"
                               "clusters:\n"
                               "- cluster:\n"
                               "    server: https://other\n"
                               "  name: other\n"
                               "- cluster:\n"
                               "    certificate-authority-data: |\n"
                               "      Y2Fj\n"
                               "      YQ==\n"
                               "    extensions:\n"
                               "    - {name: minikube, extension: {a: 1}}\n"
                               "    proxy-url: http://p\n"
                               "    server: https://here:6443\n"
                               "  name: here\n"
                               "contexts:\n"
                               "- {name: a, context: {cluster: other, user: them}}\n"
                               "- {name: b, context: {cluster: here, user: me, namespace: x}}\n"
                               "current-context: b\n"
                               "kind: Config\n"
                               "preferences: {}\n"
                               "users:\n"
                               "- {name: them, user: {username: a, password: b}}\n"
                               "- name: me\n"
                               "  user:\n"
                               "    client-certificate: me.pem\n"
                               "    client-key-data: a2V5\n"
                               "    token: ''\n";
    struct error err = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    if (kubeconfig_parse("k", text, strlen(text), &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.server, "https://here:6443");
    assert_int_equal(config.ca.data.len, 4);
    assert_memory_equal(config.ca.data.data, "caca", 4);
    assert_string_equal(config.cert.file, "me.pem");
    assert_int_equal(config.key.data.len, 3);
    assert_memory_equal(config.key.data.data, "key", 3);
    assert_null(config.token);
    assert_false(config.other);
    assert_false(config.insecure);
}

static void tells_what_is_unsafe(void **state)
{
    (void)state;
    static const char text[] =
        "clusters: [{name: c, cluster: {server: s, insecure-skip-tls-verify: true}}]\n"
        "users: [{name: u, user: {exec: {command: x}}}]\n" CONTEXT;
    struct error err = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    assert_int_equal(kubeconfig_parse("k", text, strlen(text), &config, &err), 0);
    assert_true(config.insecure && config.other);
}

static void nothing_current(void **state)
{
    (void)state;
    refused(CLUSTER USER "contexts: [{name: x, context: {cluster: c, user: u}}]\n",
            "k: it has no current context");
    refused(CLUSTER USER "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
                         "current-context: ''\n",
            "k: it has no current context");
    refused(CLUSTER USER "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
                         "current-context: y\n",
            "k: its current context 'y' is not among its contexts");
    refused(CLUSTER USER "contexts: [{name: x, context: {cluster: d, user: u}}]\n"
                         "current-context: x\n",
            "k: the cluster 'd' of its context is not among its clusters");
    refused(CLUSTER USER "contexts: [{name: x, context: {cluster: c, user: v}}]\n"
                         "current-context: x\n",
            "k: the user 'v' of its context is not among its users");
}

static void broken_texts(void **state)
{
    (void)state;
    refused("", "k:1: the file is empty");
    refused("- a\n", "k:1: expected a map (key: value)");
    refused("apiVersion: v2\n" CLUSTER USER CONTEXT, "k:1: only 'v1' is known here");
    refused("kind: Secret\n" CLUSTER USER CONTEXT, "k:1: only 'Config' is known here");
    refused(CLUSTER CONTEXT "users: null\n", "k:4: expected a list (- item)");
    refused(CLUSTER CONTEXT "users: []\n", "k:4: 0 items; 1 to 64 are allowed");
    refused(CLUSTER CONTEXT, "k:1: the key 'users' is missing");
    refused(CLUSTER CONTEXT "users: [{name: u, user: {tokn: hush}}]\n",
            "k:4: unknown key 'tokn'; did you mean 'token'?");
    refused(USER CONTEXT "clusters: [{name: c, cluster: {server: [hush]}}]\n",
            "k:4: a list stands where a single value belongs");
    refused(USER CONTEXT "clusters:\n- {name: c, cluster: {server: s}}\n"
                         "- {name: c, cluster: {server: s}}\n",
            "k:6: the name 'c' stands here twice");
}

/* Where a secret can slip in, it is not cited. */
static void hides_secrets(void **state)
{
    (void)state;
    static const char before[] = CLUSTER CONTEXT "users: [{name: u, user: {%s}}]\n";
    static const char *const users[] = {
        "hushhush",
        "hushhush: token",
        "client-key-data: hush!",
        "client-key-data: [hush]",
        "client-key-data: \"hush\\0\"",
        "client-key-data: hush=hush=",
        "client-key-data: hus",
        "token: \"hush\\x01\"",
        "token: hush: hush",
        "token: {hush: hush}",
        "token: &hush hush",
        "token: *hush",
        "token: !hush hush",
        "token: 'hush",
    };
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        struct error err = ERROR_INIT;
        struct kubeconfig_read config AUTO_KUBECONFIG = {0};
        char *format AUTO_FREE = heap_copy(before);
        char *at = strstr(format, "%s");
        *at = '\0';
        char *text AUTO_FREE = heap_printf("%s%s%s", format, users[i], at + 2);
        assert_int_equal(kubeconfig_parse("k", text, strlen(text), &config, &err), -1);
        assert_memory_equal(err.text, "k:", 2);
        if (strstr(err.text, "hush"))
            fail_msg("%s: %s", users[i], err.text);
    }
}

static void many_items(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, USER CONTEXT "clusters:\n");
    for (int i = 0; i <= KUBECONFIG_ITEMS_MAX; i++)
        buffer_printf(&text, "- {name: c%d, cluster: {server: s}}\n", i);
    assert_int_equal(kubeconfig_parse("k", text.data, text.len, &config, &err), -1);
    assert_string_equal(err.text, "k:5: 65 items; 1 to 64 are allowed");
}

static void base64(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } all[] = {
        {"", ""},        {"YQ==", "a"},  {"YWI=", "ab"}, {"YWJj", "abc"}, {"YW\r\nJj\n", "abc"},
        {"YW Jj", NULL}, {"YWJ", NULL},  {"Y===", NULL}, {"====", NULL},  {"YQ==YQ==", NULL},
        {"YW-_", NULL},  {"=YWJ", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        int result = base64_read(all[i].text, strlen(all[i].text), &out);
        assert_int_equal(result, all[i].bytes ? 0 : -1);
        assert_string_equal(out.len ? out.data : "", all[i].bytes ? all[i].bytes : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_current_context),
        cmocka_unit_test(tells_what_is_unsafe),
        cmocka_unit_test(nothing_current),
        cmocka_unit_test(broken_texts),
        cmocka_unit_test(hides_secrets),
        cmocka_unit_test(many_items),
        cmocka_unit_test(base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
