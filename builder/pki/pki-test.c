#include "builder/pki/pki-fixture.h"

static void issues_all(void **state)
{
    (void)state;
    empty_folder(dir);
    assert_int_equal(rmdir(dir), 0);
    /* Neither a lax umask nor what a folder takes over from its parent shows in the modes. */
    assert_int_equal(chmod(top, 02700), 0);
    mode_t old = umask(0);
    assert_int_equal(issue(), ARRAY_LEN(files));
    umask(old);
    assert_int_equal(mode_of("."), S_IFDIR | 0700);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_int_equal(mode_of(files[i]), S_IFREG | (is_public(files[i]) ? 0644 : 0600));
    }
    struct buffer names AUTO_BUFFER = snapshot(dir);
    size_t lines = 0;
    for (size_t i = 0; i < names.len; i++)
        lines += names.data[i] == '\n';
    assert_int_equal(lines, ARRAY_LEN(files));
}

static void a_rerun_touches_nothing(void **state)
{
    (void)state;
    struct buffer before AUTO_BUFFER = snapshot(dir);
    assert_int_equal(issue(), 0);
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

static void adds_a_worker(void **state)
{
    (void)state;
    struct buffer before AUTO_BUFFER = snapshot(dir);
    cluster.node_count = 3;
    assert_int_equal(issue(), 3);
    cluster.node_count = 2;
    drop("worker-1.pem");
    drop("worker-1-key.pem");
    drop("worker-1.kubeconfig");
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

/* The key stays, so that what trusts it goes on; the kubeconfig follows the certificate. */
static void renews_for_the_same_key(void **state)
{
    (void)state;
    drop("worker-0.pem");
    assert_int_equal(issue(), 2);
    assert_true(same_as_reference("worker-0-key.pem"));
    assert_false(same_as_reference("worker-0.pem"));
    assert_false(same_as_reference("worker-0.kubeconfig"));
    assert_true(same_as_reference("kube-proxy.kubeconfig"));
    assert_int_equal(issue(), 0);
    drop("ca.pem"); /* from its key again: all that it signed stays good */
    assert_int_equal(issue(), 1 + 7);
    assert_true(same_as_reference("kube-proxy.pem"));
    assert_int_equal(issue(), 0);
}

static void writes_kubeconfigs_anew(void **state)
{
    (void)state;
    drop("worker-0.kubeconfig");
    assert_int_equal(issue(), 1);
    assert_true(same_as_reference("worker-0.kubeconfig"));
    cluster.public_address = "203.0.113.99";
    assert_int_equal(issue(), 1 + 4);
    assert_non_null(strstr(did, "reissue kubernetes.pem: 203.0.113.99 is not among its names\n"));
    assert_non_null(strstr(did,
                           "write kube-proxy.kubeconfig: its server is https://203.0.113.10:6443; "
                           "cluster.yaml gives https://203.0.113.99:6443\n"));
    struct buffer text AUTO_BUFFER = content(dir, "kube-proxy.kubeconfig");
    assert_non_null(strstr(text.data, "server: https://203.0.113.99:6443\n"));
    cluster.public_address = "203.0.113.10";
    put("kube-proxy.kubeconfig", "short", 5, 0600);
    assert_int_equal(issue(), 1 + 4);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_true(strcmp(files[i], "kubernetes.pem") == 0 || same_as_reference(files[i]));
}

/* However far a killed run came, and with a half written file: the next one completes it, and
 * keeps what was there. */
static void completes_after_any_cut(void **state)
{
    (void)state;
    for (size_t done = 0; done <= ARRAY_LEN(files); done++) {
        empty_folder(dir);
        for (size_t i = 0; i < done; i++)
            copy(files[i]);
        if (done < ARRAY_LEN(files)) {
            char *half AUTO_FREE = heap_printf("%s.nodebake-tmp", files[done]);
            put(half, "-----BEGIN", 10, 0600);
        }
        assert_int_equal(issue(), ARRAY_LEN(files) - done);
        for (size_t i = 0; i < done; i++)
            assert_true(same_as_reference(files[i]));
        struct buffer names AUTO_BUFFER = snapshot(dir);
        assert_null(strstr(names.data, "nodebake-tmp"));
        assert_int_equal(issue(), 0);
    }
}

static void works_without_the_ca_key(void **state)
{
    (void)state;
    drop("ca-key.pem");
    assert_int_equal(issue(), 0);
    drop("worker-0.kubeconfig");
    assert_int_equal(issue(), 1);
    drop("kube-proxy.pem");
    refused("ca-key.pem is not there, and kube-proxy.pem has to be issued: put the key of ca.pem "
            "back, or have the CA sign what `nodebake pki csr` writes");
}

static void refuses_odd_sets(void **state)
{
    (void)state;
    drop("worker-0-key.pem");
    refused("worker-0.pem is there, but not its key worker-0-key.pem: put the key back, or remove "
            "worker-0.pem to have both issued anew");
    copy_as("kube-proxy-key.pem", "worker-0-key.pem");
    refused("worker-0.pem is not the certificate of worker-0-key.pem: put back the one of the two "
            "that was replaced");
    copy("worker-0.pem");
    copy("worker-0-key.pem");
    copy_as("kube-proxy-key.pem", "ca-key.pem");
    refused("ca.pem is not the certificate of ca-key.pem: put back the one of the two that was "
            "replaced");
    copy_as("kube-proxy.pem", "ca.pem");
    refused("ca.pem is not a certificate that may sign others: put the cluster's CA there");
    drop("ca.pem");
    drop("ca-key.pem");
    refused("admin.pem is there, but neither ca.pem nor ca-key.pem: put them back, or remove it "
            "to have all issued by a new CA");
}

/* Another CA's key alone would get a new ca.pem that none of the certificates fits. */
static void refuses_another_ca(void **state)
{
    (void)state;
    static const char message[] = "admin.pem does not verify against ca.pem (";
    copy_as("worker-0-key.pem", "ca-key.pem");
    drop("ca.pem");
    refused_at(message, strlen(message), false);
}

static void refuses_what_is_no_pem(void **state)
{
    (void)state;
    put("worker-0-key.pem", "hello\n", 6, 0600);
    refused("worker-0-key.pem: 0 PEM blocks; one private key is wanted");
    copy_as("worker-0.pem", "worker-0-key.pem");
    refused("worker-0-key.pem: not a private key in PEM form");
    copy_as("worker-0-key.pem", "worker-0.pem");
    copy("worker-0-key.pem");
    refused("worker-0.pem: holds a block 'PRIVATE KEY'; it must hold certificates only");
    struct buffer two AUTO_BUFFER = content(reference, "worker-0.pem");
    struct buffer other AUTO_BUFFER = content(reference, "kube-proxy.pem");
    buffer_add(&two, other.data, other.len);
    put("worker-0.pem", two.data, two.len, 0644);
    refused("worker-0.pem: its certificate 2 did not issue the one before it: the file must hold "
            "its own certificate first, then each one's issuer");
    char *large AUTO_FREE = heap_array(PEM_MAX + 1, 1);
    put("worker-0.pem", large, PEM_MAX + 1, 0644);
    refused("worker-0.pem: larger than the 65536 bytes allowed");
}

static void checks_names_before_it_makes_the_folder(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct pki_report report AUTO_PKI_REPORT = {0};
    char *path AUTO_FREE = in(top, "never");
    nodes[1].name = "kube-proxy";
    assert_int_equal(pki_issue(&cluster, path, &options, &report, &err), -1);
    nodes[1].name = "worker-0";
    assert_string_equal(err.text,
                        "cluster.yaml:21: node kube-proxy: kube-proxy.pem would be a file of "
                        "'kube-proxy' in the pki folder; give the node another name");
    assert_int_equal(access(path, F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(issues_all),
        TEST(a_rerun_touches_nothing),
        TEST(adds_a_worker),
        TEST(renews_for_the_same_key),
        TEST(writes_kubeconfigs_anew),
        TEST(completes_after_any_cut),
        TEST(works_without_the_ca_key),
        TEST(refuses_odd_sets),
        TEST(refuses_another_ca),
        TEST(refuses_what_is_no_pem),
        TEST(checks_names_before_it_makes_the_folder),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
