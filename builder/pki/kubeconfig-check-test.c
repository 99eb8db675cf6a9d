#include "builder/pki/kubeconfig-check.h"
#include "builder/pki/pki-fixture.h"

static char *base64_of(const char *name)
{
    struct buffer bytes AUTO_BUFFER = content(dir, name), text AUTO_BUFFER = buffer_heap();
    base64_print(bytes.data, bytes.len, &text);
    return heap_copy(text.data);
}

/* A kubeconfig of flow style, in another order and with other names than nodebake's. NULL: as it
 * has to be for worker-0. */
static char *by_hand(const char *server, const char *ca, const char *cert, const char *key)
{
    char *a AUTO_FREE = base64_of(ca ? ca : "ca.pem");
    char *c AUTO_FREE = base64_of(cert ? cert : "worker-0.pem");
    char *k AUTO_FREE = base64_of(key ? key : "worker-0-key.pem");
    return heap_printf(
        "{\"current-context\": \"mine\", \"users\": [{\"user\": {\"client-key-data\": \"%s\", "
        "\"client-certificate-data\": \"%s\"}, \"name\": \"me\"}],\n"
        "\"contexts\": [{\"name\": \"mine\", \"context\": {\"user\": \"me\", \"cluster\": \"one\", "
        "\"namespace\": \"x\"}}],\n"
        "\"clusters\": [{\"name\": \"one\", \"cluster\": {\"server\": \"%s\", "
        "\"certificate-authority-data\": \"%s\"}}]}\n",
        k, c, server ? server : "https://203.0.113.10:6443", a);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text), 0600);
}

/* pki_verify finds this line alone (NULL: nothing) for the file; pki writes it anew for that reason
 * (NULL: leaves it). */
static void found_in(const char *name, const char *fault, const char *why)
{
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    struct buffer before AUTO_BUFFER = content(dir, name);
    assert_int_equal(pki_verify(&cluster, dir, &found, &err), 0);
    if (fault && found.count)
        assert_string_equal(found.items[0], fault);
    assert_int_equal(found.count, fault ? 1 : 0);
    assert_int_equal(issue(), fault ? 1 : 0);
    char *line AUTO_FREE = why ? heap_printf("write %s: %s\n", name, why) : heap_copy("");
    assert_string_equal(did, line);
    struct buffer after AUTO_BUFFER = content(dir, name);
    assert_int_equal(strcmp(before.data, after.data) != 0, fault != NULL);
    assert_true(!fault || same_as_reference(name));
}

static void worker(char *text, const char *why)
{
    char *given AUTO_FREE = text;
    char *fault AUTO_FREE = why ? heap_printf("worker-0.kubeconfig: %s", why) : NULL;
    put_text("worker-0.kubeconfig", given);
    found_in("worker-0.kubeconfig", fault, why);
}

static void the_same_meaning(void **state)
{
    (void)state;
    worker(by_hand(NULL, NULL, NULL, NULL), NULL);
    worker(by_hand("https://203.0.113.10:6443/", NULL, NULL, NULL), NULL);
}

static void another_server(void **state)
{
    (void)state;
    worker(by_hand("https://203.0.113.99:6443", NULL, NULL, NULL),
           "its server is https://203.0.113.99:6443; cluster.yaml gives https://203.0.113.10:6443");
    worker(by_hand("https://a:b@x", NULL, NULL, NULL),
           "its server is x; cluster.yaml gives https://203.0.113.10:6443");
}

static void another_ca(void **state)
{
    (void)state;
    worker(by_hand(NULL, "admin.pem", NULL, NULL), "its CA is not ca.pem");
    worker(by_hand(NULL, "ca-key.pem", NULL, NULL), "its CA: not a certificate in PEM form");
}

static void another_user(void **state)
{
    (void)state;
    worker(by_hand(NULL, NULL, "admin.pem", "admin-key.pem"),
           "its certificate is not worker-0.pem");
    worker(by_hand(NULL, NULL, NULL, "admin-key.pem"),
           "its key does not belong to its certificate");
    worker(by_hand(NULL, NULL, NULL, "admin.pem"), "its key: not a private key in PEM form");
    worker(by_hand(NULL, NULL, "worker-0-key.pem", NULL),
           "its certificate: holds a block 'PRIVATE KEY'; it must hold certificates only");
}

static char *replaced(char *text, const char *from, const char *to)
{
    char *given AUTO_FREE = text;
    char *at = strstr(given, from);
    assert_non_null(at);
    return heap_printf("%.*s%s%s", (int)(at - given), given, to, at + strlen(from));
}

static void other_ways(void **state)
{
    (void)state;
    worker(replaced(by_hand(NULL, NULL, NULL, NULL), "\"client-key-data\"",
                    "\"token\": \"a\", \"client-key-data\""),
           "its user has a token beside the certificate");
    worker(replaced(by_hand(NULL, NULL, NULL, NULL), "\"client-key-data\"",
                    "\"as\": \"root\", \"client-key-data\""),
           "its user has another way to log in, too: a password, a program, or `as`");
    worker(replaced(by_hand(NULL, NULL, NULL, NULL), "\"server\"",
                    "\"insecure-skip-tls-verify\": true, \"server\""),
           "it takes any server for its own (insecure-skip-tls-verify)");
}

static void not_readable(void **state)
{
    (void)state;
    static const char at[] =
        "worker-0.kubeconfig:2: unknown key 'context'; did you mean 'contexts'?";
    char *text AUTO_FREE = replaced(by_hand(NULL, NULL, NULL, NULL), "contexts", "context");
    put_text("worker-0.kubeconfig", text);
    found_in("worker-0.kubeconfig", at, at);
    worker(replaced(by_hand(NULL, NULL, NULL, NULL), "\"current-context\": \"mine\",", ""),
           "it has no current context");
}

static const char by_files[] = "clusters:\n"
                               "- name: c\n"
                               "  cluster: {server: 'https://%s:6443', certificate-authority: "
                               "ca.pem}\n"
                               "users:\n"
                               "- name: u\n"
                               "  user: {client-certificate: %s.pem, client-key: %s-key.pem}\n"
                               "contexts:\n"
                               "- {name: x, context: {cluster: c, user: u}}\n"
                               "current-context: x\n";

/* The admin's are used in the folder; the others go into images, alone. */
static void references(void **state)
{
    (void)state;
    char *text AUTO_FREE = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    text = heap_printf(by_files, "127.0.0.1", "admin", "admin");
    put_text("admin.kubeconfig", text);
    found_in("admin.kubeconfig", NULL, NULL);
    free(text);
    text = heap_printf(by_files, "127.0.0.1", "admin", "ca");
    put_text("admin.kubeconfig", text);
    found_in("admin.kubeconfig", "admin.kubeconfig: its key does not belong to its certificate",
             "its key does not belong to its certificate");
    free(text);
    text = heap_printf(by_files, "127.0.0.1", "ca", "nobody");
    put_text("admin.kubeconfig", text);
#pragma GCC diagnostic pop
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    assert_int_equal(pki_verify(&cluster, dir, &found, &err), 0);
    assert_int_equal(found.count, 2);
    assert_string_equal(
        found.items[0],
        "admin.kubeconfig: its key is in the file nobody-key.pem, which is not there");
    assert_string_equal(found.items[1], "admin.kubeconfig: its certificate is not admin.pem");
    copy("admin.kubeconfig");
    worker(replaced(by_hand(NULL, NULL, NULL, NULL), "\"certificate-authority-data\": \"",
                    "\"certificate-authority\": \"ca.pem\", \"proxy-url\": \""),
           "its CA is in the file ca.pem, which is not beside it on a machine: embed it");
}

static void tokens(void **state)
{
    (void)state;
    static const char name[] = "bootstrap.kubeconfig";
    struct buffer was AUTO_BUFFER = content(reference, name);
    char *at = strstr(was.data, "token: \"");
    assert_non_null(at);
    at[8] = at[8] == 'a' ? 'b' : 'a';
    put_text(name, was.data);
    found_in(name, "bootstrap.kubeconfig: its token is not that of bootstrap-token.yaml",
             "its token is not that of bootstrap-token.yaml");
    char *text AUTO_FREE = replaced(heap_copy(was.data), "token: ", "tokenFile: ");
    put_text(name, text);
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    assert_int_equal(pki_verify(&cluster, dir, &found, &err), 0);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0], "bootstrap.kubeconfig: it has no token");
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_meaning), TEST(another_server), TEST(another_ca), TEST(another_user),
        TEST(other_ways),       TEST(not_readable),   TEST(references), TEST(tokens),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
