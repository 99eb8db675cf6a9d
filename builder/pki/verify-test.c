#include "builder/pki/pki-fixture.h"
#include "builder/texts.h"

/* pki_verify finds these faults, and touches nothing. */
static void faults(const char *const *expected, size_t n)
{
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    struct buffer before AUTO_BUFFER = snapshot(dir);
    if (pki_verify(&cluster, dir, &found, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n && i < found.count; i++)
        assert_string_equal(found.items[i], expected[i]);
    assert_int_equal(found.count, n);
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

static void all_is_well(void **state)
{
    (void)state;
    faults(NULL, 0);
}

static void nothing_is_there(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    empty_folder(dir);
    assert_int_equal(pki_verify(&cluster, dir, &found, &err), 0);
    assert_int_equal(found.count, ARRAY_LEN(files) - 1); /* of the CA one line */
    char *path AUTO_FREE = in(top, "nowhere");
    assert_int_equal(pki_verify(&cluster, path, &found, &err), -1);
    assert_int_equal(access(path, F_OK), -1);
}

static void missing_files(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "ca.pem: it is not there",
        "worker-0.pem: it is not there",
        "worker-0-key.pem: it is not there",
        "bootstrap.kubeconfig: it is not there",
    };
    drop("ca.pem");
    drop("worker-0.pem");
    drop("worker-0-key.pem");
    drop("bootstrap.kubeconfig");
    struct error err = ERROR_INIT;
    struct texts found AUTO_TEXTS = {0};
    assert_int_equal(pki_verify(&cluster, dir, &found, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_true(texts_have(&found, expected[i]));
}

#define MOVED                                                                                      \
    "its server is https://203.0.113.10:6443; cluster.yaml gives https://203.0.113.99:6443"

static void another_cluster(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "kubernetes.pem: 203.0.113.99 is not among its names",
        "admin-public.kubeconfig: " MOVED,
        "worker-0.kubeconfig: " MOVED,
        "kube-proxy.kubeconfig: " MOVED,
        "bootstrap.kubeconfig: " MOVED,
    };
    cluster.public_address = "203.0.113.99";
    faults(expected, ARRAY_LEN(expected));
    cluster.public_address = "203.0.113.10";
}

static void a_ca_on_its_way(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "ca-new.pem: it is on its way into its place: run `nodebake pki`"};
    copy_as("ca.pem", "ca-new.pem");
    faults(NULL, 0);
    copy_as("ca-key.pem", "ca-new-key.pem");
    faults(expected, 1);
    options.dry_run = true;
    refused("ca-new.pem is on its way into its place: run `nodebake pki`");
    options.dry_run = false;
    assert_int_equal(issue(), 2); /* the same pair, so that all else stays */
    faults(NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_well),     TEST(nothing_is_there), TEST(missing_files),
        TEST(another_cluster), TEST(a_ca_on_its_way),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
