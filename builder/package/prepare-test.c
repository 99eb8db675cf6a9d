/* Prepared bases on a small disk with ext4, through the writer that edits it in place. */
#include "builder/package/root-fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "builder/package/prepare.h"

static const char *const packages[] = {"dpkg", "tool"};

/* A system that base_read takes, on a disk without partitions. */
static void make_base(void)
{
    put_file("root/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian 12\"\n", 0644);
    put_file("root/usr/lib/systemd/systemd", "ELF", 0755);
    put_file("root/boot/vmlinuz-6.1.0-1-amd64", "MZ", 0644);
    put_file("root/boot/initrd.img-6.1.0-1-amd64", "", 0644);
    put_file("root/etc/fstab", "UUID=11111111-2222-3333-4444-555555555555 / ext4\n", 0644);
    RUN("mke2fs", "-q", "-t", "ext4", "-U", "11111111-2222-3333-4444-555555555555", "-d", "root",
        "base.raw", "16M");
}

static void make_tool(const char *postinst)
{
    RUN("mkdir", "-p", "debs", "cache");
    put_file("pkg/usr/bin/tool", "#!/bin/sh\n", 0755);
    RUN("ln", "pkg/usr/bin/tool", "pkg/usr/bin/twin");
    if (postinst)
        put_file("pkg/DEBIAN/postinst", postinst, 0755);
    make_package("tool", "");
    RUN("mv", "tool.deb", "debs/tool.deb");
}

static int prepare(bool dry, const char *debs, struct prepared *out, struct error *err)
{
    const struct preparation preparation = {.image = {.path = "base.raw"},
                                            .packages = packages,
                                            .package_count = 2,
                                            .debs = debs,
                                            .cache = "cache",
                                            .mtime = ROOT_MTIME,
                                            .dry = dry};
    *err = (struct error)ERROR_INIT;
    return base_prepare(&preparation, out, err);
}

static void prepare_well(bool dry, const char *debs, struct prepared *out)
{
    struct error err = ERROR_INIT;
    if (prepare(dry, debs, out, &err) < 0)
        fail_msg("%s", err.text);
}

static char *digest_of(const char *path)
{
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    int fd = open(path, O_RDONLY);
    assert_int_equal(digest_fd(fd, "sha256", NULL, hex, &err), 0);
    close(fd);
    return heap_copy(hex);
}

/* The names in a folder that end so. */
static size_t count_files(const char *folder, const char *end)
{
    struct dirent **list = NULL;
    size_t count = 0;
    int n = scandir(folder, &list, NULL, NULL);
    for (int i = 0; i < n; i++) {
        size_t len = strlen(list[i]->d_name), m = strlen(end);
        count += len >= m && strcmp(list[i]->d_name + len - m, end) == 0;
        free(list[i]);
    }
    free(list);
    return count;
}

static int setup_base(void **state)
{
    if (root_setup(state) < 0)
        return -1;
    make_base();
    return 0;
}

static void without_packages_there_is_nothing_to_do(void **state)
{
    (void)state;
    struct prepared prepared AUTO_PREPARED;
    prepare_well(false, NULL, &prepared);
    assert_null(prepared.path);
    assert_null(prepared.says);
    assert_int_equal(access("cache", F_OK), -1);
}

static void a_dry_run_makes_nothing(void **state)
{
    (void)state;
    struct prepared prepared AUTO_PREPARED;
    char *before AUTO_FREE = digest_of("base.raw");
    make_tool(NULL);
    prepare_well(true, "debs", &prepared);
    assert_null(prepared.path);
    assert_string_equal(prepared.says,
                        "would install tool into a copy of base.raw, without starting it");
    assert_int_equal(count_files("cache/bases", ".raw"), 0);
    assert_int_equal(access("cache/bases/.work", F_OK), -1);
    char *after AUTO_FREE = digest_of("base.raw");
    assert_string_equal(after, before);
}

static void a_base_is_prepared_once(void **state)
{
    (void)state;
    struct prepared first AUTO_PREPARED, second AUTO_PREPARED, dry AUTO_PREPARED;
    char *before AUTO_FREE = digest_of("base.raw");
    make_tool(NULL);
    prepare_well(false, "debs", &first);
    assert_string_equal(first.says, "installed tool into a copy of base.raw, without starting it");
    assert_int_equal(strncmp(first.path, "cache/bases/", 12), 0);
    assert_int_equal(strncmp(first.path + 12, first.identity, 64), 0);
    RUN("e2fsck", "-fn", first.path);
    struct stat st, again;
    assert_int_equal(stat(first.path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    prepare_well(false, "debs", &second);
    assert_null(second.says);
    assert_string_equal(second.path, first.path);
    assert_string_equal(second.identity, first.identity);
    assert_int_equal(stat(second.path, &again), 0);
    assert_int_equal(again.st_ino, st.st_ino);
    assert_int_equal(again.st_ctim.tv_nsec, st.st_ctim.tv_nsec);
    prepare_well(true, "debs", &dry);
    assert_string_equal(dry.says, "would build on a base with tool, which is prepared");
    char *after AUTO_FREE = digest_of("base.raw");
    assert_string_equal(after, before);
}

/* The same inputs: the same bytes under the same name. */
static void another_cache_has_the_same_bytes(void **state)
{
    (void)state;
    struct prepared first AUTO_PREPARED, second AUTO_PREPARED;
    make_tool(NULL);
    prepare_well(false, "debs", &first);
    RUN("mv", first.path, "first.raw");
    remove_tree("cache");
    prepare_well(false, "debs", &second);
    assert_string_equal(second.path, first.path);
    RUN("cmp", "first.raw", second.path);
}

static void other_packages_are_another_base(void **state)
{
    (void)state;
    struct prepared first AUTO_PREPARED, second AUTO_PREPARED;
    make_tool(NULL);
    prepare_well(false, "debs", &first);
    make_tool("#!/bin/sh\nexit 0\n");
    prepare_well(false, "debs", &second);
    assert_string_not_equal(second.path, first.path);
}

static void what_is_complete_stays(void **state)
{
    (void)state;
    struct prepared prepared AUTO_PREPARED, again AUTO_PREPARED;
    make_tool(NULL);
    prepare_well(false, "debs", &prepared);
    RUN("mv", prepared.path, "base.raw");
    prepare_well(false, "debs", &again);
    assert_null(again.path);
    assert_null(again.says);
    assert_int_equal(access("cache/bases/.work", F_OK), -1);
    make_base();
}

static void failures_leave_nothing(void **state)
{
    (void)state;
    struct error err;
    struct prepared prepared;
    remove_tree("cache");
    RUN("mkdir", "-p", "empty", "cache");
    assert_int_equal(prepare(false, "empty", &prepared, &err), -1);
    assert_says(&err, "base.raw: neither the base nor empty has tool: put the .deb");
    assert_int_equal(prepare(false, "absent", &prepared, &err), -1);
    assert_says(&err, "folder of packages absent: No such file");
    make_tool(NULL);
    RUN("truncate", "-s", "8M", "base.raw");
    assert_int_equal(prepare(false, "debs", &prepared, &err), -1);
    make_base();
    assert_int_equal(count_files("cache/bases", ".raw"), 0);
    assert_int_equal(access("cache/bases/.work", F_OK), -1);
}

/* What a killed maker left does not stand in the way; a note without its base, or a base without
 * its note, is as good as none. */
static void left_overs_are_replaced(void **state)
{
    (void)state;
    struct prepared first AUTO_PREPARED, second AUTO_PREPARED, third AUTO_PREPARED;
    make_tool(NULL);
    RUN("mkdir", "-p", "cache/bases/.work/debs/deep");
    put_file("cache/bases/.work/base.raw", "half", 0600);
    prepare_well(false, "debs", &first);
    assert_non_null(first.says);
    assert_int_equal(unlink(first.path), 0);
    prepare_well(false, "debs", &second);
    assert_non_null(second.says);
    char *note AUTO_FREE = heap_printf("%.*s.txt", (int)strlen(second.path) - 4, second.path);
    put_file(note, "not an identity\n", 0600);
    prepare_well(false, "debs", &third);
    assert_non_null(third.says);
    assert_string_equal(third.path, first.path);
}

static void old_ones_go(void **state)
{
    (void)state;
    remove_tree("cache");
    for (int i = 0; i < 6; i++) {
        struct prepared prepared AUTO_PREPARED;
        char *script AUTO_FREE = heap_printf("#!/bin/sh\n# %d\n", i);
        make_tool(script);
        prepare_well(false, "debs", &prepared);
        assert_int_equal(access(prepared.path, F_OK), 0);
    }
    assert_int_equal(count_files("cache/bases", ".raw"), 4);
    assert_int_equal(count_files("cache/bases", ".txt"), 4);
    assert_int_equal(count_files("cache/bases", ".status"), 1);
}

/* The second waits for the lock, and then finds the base made. */
static void two_at_once_make_one(void **state)
{
    (void)state;
    remove_tree("cache");
    make_tool(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct prepared prepared;
        struct error err;
        _exit(prepare(false, "debs", &prepared, &err) < 0 || !prepared.path);
    }
    struct prepared prepared AUTO_PREPARED;
    int status = -1;
    prepare_well(false, "debs", &prepared);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_files("cache/bases", ".raw"), 1);
    assert_int_equal(access(prepared.path, F_OK), 0);
}

/* Runs prepare in a process of its own; it ends by itself or after so many microseconds. */
static int prepare_apart(useconds_t life, rlim_t file_size)
{
    const struct rlimit limit = {file_size, file_size};
    struct prepared prepared;
    struct error err;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        if (file_size)
            setrlimit(RLIMIT_FSIZE, &limit);
        _exit(prepare(false, "debs", &prepared, &err) < 0 || !prepared.path);
    }
    if (life) {
        usleep(life);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Under its final name a base is complete, whenever its maker was killed. */
static void a_killed_maker_leaves_no_half_base(void **state)
{
    (void)state;
    struct prepared whole AUTO_PREPARED, last AUTO_PREPARED;
    size_t killed = 0;
    make_tool(NULL);
    remove_tree("cache");
    prepare_well(false, "debs", &whole);
    RUN("mv", whole.path, "whole.raw");
    for (useconds_t life = 1000; life < 60000; life += 4000) {
        RUN("rm", "-f", whole.path);
        killed += WIFSIGNALED(prepare_apart(life, 0)) != 0;
        if (access(whole.path, F_OK) == 0)
            RUN("cmp", "whole.raw", whole.path);
    }
    assert_true(killed > 0);
    prepare_well(false, "debs", &last);
    RUN("cmp", "whole.raw", last.path);
    assert_int_equal(access("cache/bases/.work", F_OK), -1);
}

static void a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    remove_tree("cache");
    make_tool(NULL);
    assert_int_equal(prepare_apart(0, 4 << 20), 1 << 8);
    assert_int_equal(count_files("cache/bases", ".raw"), 0);
    assert_int_equal(access("cache/bases/.work", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_packages_there_is_nothing_to_do),
        cmocka_unit_test(a_dry_run_makes_nothing),
        cmocka_unit_test(a_base_is_prepared_once),
        cmocka_unit_test(another_cache_has_the_same_bytes),
        cmocka_unit_test(other_packages_are_another_base),
        cmocka_unit_test(what_is_complete_stays),
        cmocka_unit_test(failures_leave_nothing),
        cmocka_unit_test(left_overs_are_replaced),
        cmocka_unit_test(old_ones_go),
        cmocka_unit_test(two_at_once_make_one),
        cmocka_unit_test(a_killed_maker_leaves_no_half_base),
        cmocka_unit_test(a_full_disk_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, setup_base, deb_teardown);
}
