#include "firstboot/forget.h"
#include "firstboot/root-fixture.h"

static struct contract contract;
static struct stamp found;
static struct dirs dirs;
static struct error err;

static int setup(void **state)
{
    root_setup(state);
    dirs_init(&dirs, root);
    contract = (struct contract){
        .forgets = {"/etc/ssh/ssh_host_*", "/var/seed", "/none/x", "/none"}, .forget_count = 4};
    found =
        (struct stamp){.files = {"/k/worker-0.pem", "/k/kubeconfig", "/gone/x"}, .file_count = 3};
    put("etc/machine-id", "5d2cd3c0ba7c4d1ab5e2c4b1d3a7a0aa\n");
    put("etc/ssh/ssh_host_rsa_key", "a");
    put("etc/ssh/ssh_host_rsa_key.pub", "a");
    put("etc/ssh/sshd_config", "a");
    put("etc/ssh/ssh_host", "a");
    put("var/seed", "a");
    put("k/worker-0.pem", "a");
    put("k/kubeconfig", "a");
    return 0;
}

static int teardown(void **state)
{
    dirs_close(&dirs);
    return root_teardown(state);
}

static int run(void)
{
    return forget(&contract, &found, &dirs, &err);
}

static void what_made_it_that_machine_goes(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(run(), 0);
        assert_string_equal(get("etc/machine-id"), "uninitialized\n");
        assert_int_equal(look("etc/machine-id").st_mode, S_IFREG | 0444);
        assert_null(get("etc/ssh/ssh_host_rsa_key"));
        assert_null(get("etc/ssh/ssh_host_rsa_key.pub"));
        assert_string_equal(get("etc/ssh/sshd_config"), "a");
        assert_string_equal(get("etc/ssh/ssh_host"), "a");
        assert_null(get("var/seed"));
        assert_null(get("k/worker-0.pem"));
        assert_null(get("k/kubeconfig"));
        assert_int_equal(left_over(), 0);
    }
}

/* What is staged already is this machine's. */
static void what_is_staged_stays(void **state)
{
    (void)state;
    contract.forgets[0] = "/etc/ssh/*";
    put("etc/ssh/.key.nodebake", "b");
    put("etc/ssh/.nodebake", "a");
    assert_int_equal(run(), 0);
    assert_string_equal(get("etc/ssh/.key.nodebake"), "b");
    assert_null(get("etc/ssh/.nodebake"));
    assert_null(get("etc/ssh/sshd_config"));
    assert_int_equal(unlinkat(root, "etc/ssh/.key.nodebake", 0), 0);
}

/* A folder that leads round in a circle is no folder that is not there. */
static void after_an_error_the_others_go(void **state)
{
    (void)state;
    contract.forgets[2] = "/loop/x";
    assert_int_equal(symlinkat("loop", root, "loop"), 0);
    assert_int_equal(run(), -1);
    assert_non_null(strstr(err.text, "/loop/x: "));
    assert_null(get("k/worker-0.pem"));
    assert_string_equal(get("etc/machine-id"), "uninitialized\n");
    assert_int_equal(unlinkat(root, "loop", 0), 0);
}

static void links_and_directories_stay(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(root, "var/seed", 0), 0);
    assert_int_equal(symlinkat("/etc/ssh/sshd_config", root, "var/seed"), 0);
    put("etc/ssh/ssh_host_dir/x", "a");
    assert_int_equal(unlinkat(root, "etc/machine-id", 0), 0);
    assert_int_equal(symlinkat("/run/machine-id", root, "etc/machine-id"), 0);
    assert_int_equal(run(), 0);
    assert_string_equal(get("var/seed"), "/etc/ssh/sshd_config");
    assert_string_equal(get("etc/ssh/ssh_host_dir/x"), "a");
    assert_string_equal(get("etc/machine-id"), "/run/machine-id");
}

static void many_files_go(void **state)
{
    (void)state;
    char path[64];
    for (int i = 0; i < 400; i++) {
        snprintf(path, sizeof path, "etc/ssh/ssh_host_%0*d", 40, i);
        put(path, "a");
    }
    assert_int_equal(run(), 0);
    for (int i = 0; i < 400; i++) {
        snprintf(path, sizeof path, "etc/ssh/ssh_host_%0*d", 40, i);
        assert_null(get(path));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_made_it_that_machine_goes),
        TEST(what_is_staged_stays),
        TEST(after_an_error_the_others_go),
        TEST(links_and_directories_stay),
        TEST(many_files_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
