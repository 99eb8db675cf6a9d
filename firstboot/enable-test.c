#include "firstboot/enable.h"
#include "firstboot/root-fixture.h"

#define WANTS  "etc/systemd/system/multi-user.target.wants"
#define PRESET "etc/systemd/system-preset/00-nodebake.preset"

static struct contract contract;
static struct dirs dirs;
static struct error err;

static int setup(void **state)
{
    static char text[1024];
    root_setup(state);
    dirs_init(&dirs, root);
    strcpy(text, "nodebake-contract 1\ncluster c\nrole worker\ndeadline 60\non-failure continue\n"
                 "fact NODE_NAME label\n"
                 "template 0644 0 0 /etc/hostname\n"
                 "template 0644 0 0 /etc/systemd/system-preset-90-other.preset\n"
                 "template 0644 0 0 /" PRESET "\n"
                 "unit kubelet.service multi-user.target /etc/systemd/system/kubelet.service\n"
                 "unit etcd.service multi-user.target /usr/lib/systemd/system/etcd.service\n"
                 "unit grow.service local-fs.target /etc/systemd/system/grow.service\n");
    assert_int_equal(contract_parse(text, strlen(text), &contract, &err), 0);
    return 0;
}

static int teardown(void **state)
{
    dirs_close(&dirs);
    return root_teardown(state);
}

static void check_links(void)
{
    assert_string_equal(get(WANTS "/kubelet.service"), "/etc/systemd/system/kubelet.service");
    assert_string_equal(get(WANTS "/etcd.service"), "/usr/lib/systemd/system/etcd.service");
    assert_string_equal(get("etc/systemd/system/local-fs.target.wants/grow.service"),
                        "/etc/systemd/system/grow.service");
    assert_int_equal(look(WANTS "/kubelet.service").st_mode & S_IFMT, S_IFLNK);
    assert_int_equal(left_over(), 0);
}

static void units_are_linked(void **state)
{
    (void)state;
    assert_int_equal(enable_units(&contract, &dirs, &err), 0);
    check_links();
    assert_int_equal(look(WANTS).st_mode, S_IFDIR | 0755);
    for (unsigned i = 0; i < dirs.count; i++)
        assert_false(dirs.list[i].dirty);
    assert_int_equal(enable_units(&contract, &dirs, &err), 0); /* and once more */
    check_links();
}

static void what_is_there_is_replaced(void **state)
{
    (void)state;
    put("victim", "precious");
    put(WANTS "/etcd.service", "a file");
    assert_int_equal(symlinkat("/victim", root, WANTS "/kubelet.service"), 0);
    assert_int_equal(symlinkat("/victim", root, WANTS "/.kubelet.service.nodebake"), 0);
    put(WANTS "/.etcd.service.nodebake", "a left-over");
    assert_int_equal(enable_units(&contract, &dirs, &err), 0);
    check_links();
    assert_string_equal(get("victim"), "precious");
}

static void a_link_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    put(WANTS "/etcd.service/x", "");
    assert_int_equal(enable_units(&contract, &dirs, &err), -1);
    assert_string_equal(err.text, "enable etcd.service: link it in /" WANTS ": Is a directory");
    assert_int_equal(left_over(), 0);
    assert_null(get("etc/systemd/system/local-fs.target.wants/grow.service"));
}

static void a_directory_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    put(WANTS, "");
    assert_int_equal(enable_units(&contract, &dirs, &err), -1);
    assert_string_equal(err.text, "enable kubelet.service: /" WANTS ": Not a directory");
}

static void a_sync_that_fails_is_told(void **state)
{
    (void)state;
    struct dir *dir = dirs_make(&dirs, "/" WANTS, &err);
    assert_non_null(dir);
    close(dir->fd); /* one of O_PATH can be renamed in, but not fsynced */
    dir->fd = openat(root, WANTS, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(enable_units(&contract, &dirs, &err), -1);
    assert_string_equal(err.text, "sync directory /" WANTS ": Bad file descriptor");
    assert_int_equal(enable_withdraw(&contract, &dirs, &err), -1);
    assert_string_equal(err.text, "sync directory /" WANTS ": Bad file descriptor");
}

static void any_link_or_preset_counts(void **state)
{
    (void)state;
    put(WANTS "/other.service", "");
    put("etc/systemd/system-preset/90-other.preset", "");
    put("etc/hostname", ""); /* a file of the contract that starts nothing */
    assert_false(enable_any(&contract, &dirs));
    assert_int_equal(look("etc/systemd/system/local-fs.target.wants").st_mode, 0);
    put(PRESET, "");
    assert_true(enable_any(&contract, &dirs));
    assert_int_equal(unlinkat(root, PRESET, 0), 0);
    assert_false(enable_any(&contract, &dirs));
    assert_int_equal(symlinkat("/nowhere", root, WANTS "/etcd.service"), 0);
    assert_true(enable_any(&contract, &dirs));
}

static void a_withdrawal_takes_links_and_presets_and_no_more(void **state)
{
    (void)state;
    put(WANTS "/other.service", "");
    put("etc/systemd/system-preset/90-other.preset", "");
    put("etc/hostname", "worker-0");
    put(PRESET, "");
    assert_int_equal(enable_units(&contract, &dirs, &err), 0);
    assert_int_equal(enable_withdraw(&contract, &dirs, &err), 0);
    assert_false(enable_any(&contract, &dirs));
    assert_null(get(WANTS "/kubelet.service"));
    assert_null(get(WANTS "/etcd.service"));
    assert_null(get(PRESET));
    assert_non_null(get(WANTS "/other.service"));
    assert_non_null(get("etc/systemd/system-preset/90-other.preset"));
    assert_string_equal(get("etc/hostname"), "worker-0");
    for (unsigned i = 0; i < dirs.count; i++)
        assert_false(dirs.list[i].dirty);
    assert_int_equal(enable_withdraw(&contract, &dirs, &err), 0); /* nothing is left to take */
}

static void a_withdrawal_from_nothing_makes_nothing(void **state)
{
    (void)state;
    assert_int_equal(enable_withdraw(&contract, &dirs, &err), 0);
    assert_int_equal(look("etc").st_mode, 0);
}

static void what_cannot_be_withdrawn_keeps_no_other(void **state)
{
    (void)state;
    assert_int_equal(enable_units(&contract, &dirs, &err), 0);
    put(PRESET, "");
    assert_int_equal(unlinkat(root, WANTS "/kubelet.service", 0), 0);
    put(WANTS "/kubelet.service/x", "");
    assert_int_equal(enable_withdraw(&contract, &dirs, &err), -1);
    assert_string_equal(err.text, "take /" WANTS "/kubelet.service away: Is a directory");
    assert_null(get(WANTS "/etcd.service"));
    assert_null(get(PRESET));
    assert_true(enable_any(&contract, &dirs));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(units_are_linked),
        TEST(what_is_there_is_replaced),
        TEST(a_link_that_cannot_be_made_is_told),
        TEST(a_directory_that_cannot_be_made_is_told),
        TEST(a_sync_that_fails_is_told),
        TEST(any_link_or_preset_counts),
        TEST(a_withdrawal_takes_links_and_presets_and_no_more),
        TEST(a_withdrawal_from_nothing_makes_nothing),
        TEST(what_cannot_be_withdrawn_keeps_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
