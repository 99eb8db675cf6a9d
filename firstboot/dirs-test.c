#include "firstboot/dirs.h"
#include "firstboot/root-fixture.h"

static struct dirs dirs; /* a quarter of a megabyte */
static struct error err;

static int setup(void **state)
{
    root_setup(state);
    dirs_init(&dirs, root);
    return 0;
}

static int teardown(void **state)
{
    dirs_close(&dirs);
    return root_teardown(state);
}

static unsigned mode_of(const char *path)
{
    return look(path).st_mode & 07777;
}

/* Whether the directory is the one at `path` of the root. */
static bool is_at(const struct dir *dir, const char *path)
{
    struct stat got, wanted = look(path);
    return fstat(dir->fd, &got) == 0 && got.st_ino == wanted.st_ino && got.st_dev == wanted.st_dev;
}

static void missing_directories_are_made(void **state)
{
    (void)state;
    umask(077); /* is not to count */
    struct dir *dir = dirs_make(&dirs, "/var/lib/kubelet", &err);
    umask(022);
    assert_non_null(dir);
    assert_true(is_at(dir, "var/lib/kubelet"));
    assert_int_equal(mode_of("var"), 0755);
    assert_int_equal(mode_of("var/lib"), 0755);
    assert_int_equal(mode_of("var/lib/kubelet"), 0755);
    assert_int_equal(look("var/lib").st_uid, 0);
}

static void the_group_and_bit_of_a_set_gid_parent_are_not_inherited(void **state)
{
    (void)state;
    put("shared/x", "");
    if (fchownat(root, "shared", 0, 7, 0) < 0)
        skip(); /* a user namespace with one group */
    assert_int_equal(fchmodat(root, "shared", 02775, 0), 0);
    assert_non_null(dirs_make(&dirs, "/shared/new", &err));
    assert_int_equal(mode_of("shared/new"), 0755);
    assert_int_equal(look("shared/new").st_gid, 0);
    assert_int_equal(mode_of("shared"), 02775); /* what was there stays as it is */
    assert_int_equal(look("shared").st_gid, 7);
}

static void a_directory_is_opened_once(void **state)
{
    (void)state;
    put("etc/hosts", "");
    struct dir *dir = dirs_make(&dirs, "/etc", &err);
    assert_non_null(dir);
    assert_false(dir->dirty);
    assert_ptr_equal(dirs_make(&dirs, "/etc", &err), dir);
    assert_ptr_equal(dirs_find(&dirs, "/etc"), dir);
    assert_int_equal(dirs.count, 1);
}

static void only_what_changed_is_dirty_and_a_sync_ends_it(void **state)
{
    (void)state;
    put("etc/hosts", "");
    assert_non_null(dirs_make(&dirs, "/etc/cni/net.d", &err));
    assert_false(dirs_find(&dirs, "/")->dirty);
    assert_true(dirs_find(&dirs, "/etc")->dirty);
    assert_true(dirs_find(&dirs, "/etc/cni")->dirty);
    assert_false(dirs_find(&dirs, "/etc/cni/net.d")->dirty);
    assert_int_equal(dirs_sync(&dirs, &err), 0);
    assert_false(dirs_find(&dirs, "/etc")->dirty);
    assert_false(dirs_find(&dirs, "/etc/cni")->dirty);
}

static void a_sync_that_fails_is_told(void **state)
{
    (void)state;
    put("etc/hosts", "");
    struct dir *dir = dirs_make(&dirs, "/etc", &err);
    assert_non_null(dir);
    int fd = dir->fd;
    dir->fd = -1;
    assert_int_equal(dirs_sync(&dirs, &err), 0); /* clean: it is not touched */
    dir->dirty = true;
    assert_int_equal(dirs_sync(&dirs, &err), -1);
    assert_string_equal(err.text, "sync directory /etc: Bad file descriptor");
    assert_true(dir->dirty);
    dir->fd = fd;
}

static void finding_makes_nothing(void **state)
{
    (void)state;
    put("etc/hosts", "");
    assert_null(dirs_find(&dirs, "/etc/cni"));
    assert_null(dirs_find(&dirs, "/etc/hosts"));
    assert_int_equal(look("etc/cni").st_mode, 0);
    assert_int_equal(dirs.count, 0);
}

static void a_file_has_its_directory_and_name(void **state)
{
    (void)state;
    const char *base;
    struct dir *dir = dirs_of_file(&dirs, "/etc/cni/10-bridge.conf", &base, &err);
    assert_non_null(dir);
    assert_true(is_at(dir, "etc/cni"));
    assert_string_equal(base, "10-bridge.conf");
    dir = dirs_of_file(&dirs, "/hosts", &base, &err);
    assert_non_null(dir);
    assert_true(is_at(dir, "."));
    assert_string_equal(base, "hosts");
}

static void links_are_followed_inside_the_root(void **state)
{
    (void)state;
    put("run/x", "");
    put("var/x", "");
    assert_int_equal(symlinkat("/run", root, "var/run"), 0);
    struct dir *dir = dirs_make(&dirs, "/var/run/new", &err);
    assert_non_null(dir);
    assert_true(is_at(dir, "run/new"));
    assert_int_equal(symlinkat("../../../../../../run", root, "var/up"), 0);
    dir = dirs_make(&dirs, "/var/up", &err);
    assert_non_null(dir);
    assert_true(is_at(dir, "run"));
}

static void what_cannot_be_a_directory_is_refused(void **state)
{
    (void)state;
    put("etc/hosts", "");
    assert_int_equal(symlinkat("/nowhere", root, "etc/cni"), 0);
    assert_int_equal(symlinkat("loop", root, "etc/loop"), 0);
    assert_null(dirs_make(&dirs, "/etc/hosts", &err));
    assert_string_equal(err.text, "/etc/hosts: Not a directory");
    assert_null(dirs_make(&dirs, "/etc/hosts/x", &err));
    assert_string_equal(err.text, "/etc/hosts/x: Not a directory");
    assert_null(dirs_make(&dirs, "/etc/cni/net.d", &err));
    assert_string_equal(err.text, "/etc/cni: a link that leads nowhere; right is a directory");
    assert_null(dirs_make(&dirs, "/etc/loop/x", &err));
    assert_string_equal(err.text, "/etc/loop/x: Too many levels of symbolic links");
    assert_int_equal(look("nowhere").st_mode, 0);
}

static void paths_are_bounded(void **state)
{
    (void)state;
    char path[DIR_PATH_MAX + 1];
    memset(path, 'x', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 100)
        path[i] = '/';
    path[DIR_PATH_MAX] = '\0';
    assert_null(dirs_make(&dirs, path, &err));
    assert_memory_equal(err.text, path, 100);
    assert_null(dirs_find(&dirs, path));
    path[DIR_PATH_MAX - 1] = '\0';
    assert_non_null(dirs_make(&dirs, path, &err));
}

static void the_list_is_bounded(void **state)
{
    (void)state;
    char path[16];
    for (unsigned i = 0; i < DIRS_MAX - 1; i++) {
        snprintf(path, sizeof path, "/%u", i);
        assert_non_null(dirs_make(&dirs, path, &err));
    }
    assert_int_equal(dirs.count, DIRS_MAX); /* with the root itself */
    assert_non_null(dirs_make(&dirs, "/0", &err));
    assert_null(dirs_make(&dirs, "/one-more", &err));
    assert_string_equal(err.text, "/one-more: Too many open files");
    assert_int_equal(look("one-more").st_mode, 0);
}

static void closing_gives_every_descriptor_back(void **state)
{
    (void)state;
    int before = dup(root);
    close(before);
    assert_non_null(dirs_make(&dirs, "/a/b/c", &err));
    dirs_close(&dirs);
    assert_int_equal(dirs.count, 0);
    int after = dup(root); /* which is still the caller's */
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_directories_are_made),
        TEST(the_group_and_bit_of_a_set_gid_parent_are_not_inherited),
        TEST(a_directory_is_opened_once),
        TEST(only_what_changed_is_dirty_and_a_sync_ends_it),
        TEST(a_sync_that_fails_is_told),
        TEST(finding_makes_nothing),
        TEST(a_file_has_its_directory_and_name),
        TEST(links_are_followed_inside_the_root),
        TEST(what_cannot_be_a_directory_is_refused),
        TEST(paths_are_bounded),
        TEST(the_list_is_bounded),
        TEST(closing_gives_every_descriptor_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
