/* What the libguestfs writer puts, in qcow2 overlays and in a raw image, and what stands there when
 * the appliance is gone. All tests share one launch. */
#include "builder/image/guestfs/guest-fixture.h"

enum { LARGE = 5 << 20, OVERLAY_MAX = 4 << 20 };

#define SECRET "SECRET-5f1c9e-OLD"
#define PUBLIC "PUBLIC-77ab02-OLD"
static const char CAPABILITY[20] = {1, 0, 0, 2, 0, 4}; /* cap_net_bind_service, effective */

/* Overlays over a raw and over a qcow2 image beside them, as a build of several nodes makes them.
 */
static const struct disk_file FILES[] = {{"one.qcow2", true}, {"two.qcow2", true}, {"raw", false}};
enum { ONE, TWO, RAW, FILE_COUNT };

static struct disk *disks[FILE_COUNT];
static struct disk_set *set;

/* Opened from another folder: backing files lie beside their overlays. */
static int open_disks(void **state)
{
    (void)state;
    enter_folder();
    make_root("UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1\n");
    write_file("root/srv/key", SECRET);
    write_file("root/srv/public", PUBLIC);
    RUN("chmod", "0600", "root/srv/key");
    make_disk("base.raw");
    RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "base.raw", "base.qcow2");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.raw", "one.qcow2");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", "two.qcow2");
    RUN("cp", "base.raw", "raw");
    char *paths[FILE_COUNT];
    struct disk_file files[FILE_COUNT];
    for (size_t i = 0; i < FILE_COUNT; i++) {
        paths[i] = heap_printf("%s/%s", folder + strlen("/tmp/"), FILES[i].path);
        files[i] = (struct disk_file){paths[i], FILES[i].qcow2};
    }
    RUN("cp", "base.raw", "base.qcow2", "--target-directory=root");
    if (chdir("/tmp") < 0)
        return -1;
    set = open_images(files, FILE_COUNT, disks);
    for (size_t i = 0; i < FILE_COUNT; i++)
        free(paths[i]);
    return chdir(folder);
}

static void files_are_put(void **state)
{
    (void)state;
    struct disk *disk = disks[ONE];
    char *large AUTO_FREE = heap_array(LARGE + 1, 1);
    memset(large, 'x', LARGE);
    write_file("host-file", large);
    put_text(disk, "/new/deep/secret", "key", 0600);
    put(disk, (struct entry){.path = "/new/large",
                             .type = ENTRY_FILE,
                             .mode = 04755,
                             .uid = 7,
                             .gid = 8,
                             .text = large,
                             .len = LARGE});
    put(disk,
        (struct entry){.path = "/new/host", .type = ENTRY_FILE, .mode = 0755, .host = "host-file"});
    put_text(disk, "/new/empty", "", 0644);
    put(disk, (struct entry){.path = "/var/lib/x", .type = ENTRY_DIR, .mode = 0700});
    put(disk,
        (struct entry){.path = "/new/link", .type = ENTRY_LINK, .uid = 3, .target = "/nowhere"});
    put(disk, (struct entry){.path = "/new", .type = ENTRY_DIR, .mode = 0710, .gid = 5});
    put_text(disk, "/new/last", "", 0644);
    expect_text(disk, "/new/deep/secret", "key");
    expect_text(disk, "/new/empty", "");
}

static void what_is_there_is_replaced(void **state)
{
    (void)state;
    struct disk *disk = disks[ONE];
    put_text(disk, "/srv/link", "a file now", 0644);
    expect_text(disk, "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    expect_text(disk, "/srv/link", "a file now");
    put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "full/file"});
    expect_text(disk, "/srv/link", "old");
    put_text(disk, "/srv/full/file", "new", 0644);
    expect_text(disk, "/srv/link", "new");
    put_text(disk, "/srv/dangling", "whole", 0644);
    expect_text(disk, "/srv/dangling", "whole");
    expect_exists(disk, "/nowhere", 0);
}

/* An absolute link leads into the same image; a directory put on a link to one goes through. */
static void parents_may_be_links(void **state)
{
    (void)state;
    struct disk *disk = disks[ONE];
    put_text(disk, "/var/run/pid", "1", 0644);
    expect_text(disk, "/run/pid", "1");
    put(disk, (struct entry){.path = "/lib", .type = ENTRY_DIR, .mode = 0711});
    put_text(disk, "/lib/systemd/unit", "u", 0644);
    expect_text(disk, "/usr/lib/systemd/unit", "u");
}

static void put_hardlink(const char *path, const char *file)
{
    put(disks[ONE],
        (struct entry){.path = (char *)path, .type = ENTRY_HARDLINK, .target = (char *)file});
}

static void hard_links_are_put(void **state)
{
    (void)state;
    struct disk *disk = disks[ONE];
    put_text(disk, "/links/file", "of three names", 0640);
    put_text(disk, "/links/third", "to be replaced", 0600);
    put_hardlink("/links/second", "/links/file");
    put_hardlink("/links/third", "/links/second");
    put_hardlink("/links/third", "/links/file"); /* which it is */
    expect_text(disk, "/links/third", "of three names");
    struct entry link = {.path = "/links/x", .type = ENTRY_HARDLINK, .target = "/links/absent"};
    refuse_put(disk, link, "/links/x: its file /links/absent is not there");
    link.target = "/links";
    refuse_put(disk, link, "/links/x: /links is a directory, which has no hard links");
    link.path = "/srv/full";
    refuse_put(disk, link, "/srv/full is a directory, and cannot be replaced by a hard link");
}

static void attributes_are_put(void **state)
{
    (void)state;
    struct disk *disk = disks[ONE];
    struct xattr many[] = {{"security.capability", (char *)CAPABILITY, sizeof CAPABILITY},
                           {"trusted.empty", "", 0},
                           {"user.x", "value", 5}};
    struct xattr other = {"user.y", "1", 1}, trusted = {"trusted.z", "2", 1};
    struct entry file = {.path = "/marked/file",
                         .type = ENTRY_FILE,
                         .mode = 0755,
                         .uid = 7,
                         .text = "x",
                         .len = 1,
                         .xattrs = many,
                         .xattr_count = 3};
    put(disk, file);
    file.path = "/marked/replaced";
    put(disk, file);
    put_text(disk, "/marked/replaced", "y", 0644);
    struct entry dir = {
        .path = "/marked", .type = ENTRY_DIR, .mode = 0755, .xattrs = &many[2], .xattr_count = 1};
    put(disk, dir);
    dir.xattrs = &other;
    put(disk, dir);
    put(disk, (struct entry){.path = "/marked/link",
                             .type = ENTRY_LINK,
                             .target = "file",
                             .xattrs = &trusted,
                             .xattr_count = 1});
    struct xattr bad = {"system.no-such", "x", 1};
    dir.xattrs = &bad;
    refuse_put(disk, dir, "set system.no-such of /marked: libguestfs: ");
}

static void misfits_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk *disk = disks[RAW];
    struct buffer names AUTO_BUFFER = buffer_heap();
    struct entry file = {.path = "/srv/full", .type = ENTRY_FILE, .text = "x", .len = 1};
    refuse_put(disk, file, "/srv/full is a directory, and cannot be replaced by a file");
    struct entry link = {.path = "/srv/full", .type = ENTRY_LINK, .target = "x"};
    refuse_put(disk, link, "/srv/full is a directory, and cannot be replaced by a link");
    struct entry dir = {.path = "/etc/fstab", .type = ENTRY_DIR, .mode = 0755};
    refuse_put(disk, dir, "/etc/fstab is there and is not a directory");
    file.path = "/etc/fstab/x";
    refuse_put(disk, file, "/etc/fstab is there and is not a directory");
    put(disk, (struct entry){.path = "/srv/lost", .type = ENTRY_LINK, .target = "/nowhere"});
    file.path = "/srv/lost/x";
    refuse_put(disk, file, "/srv/lost is a link to nowhere");
    struct entry absent = {.path = "/srv/full/x", .type = ENTRY_FILE, .host = "no-such-file"};
    refuse_put(disk, absent, "no-such-file: No such file");
    /* 64 MiB of partition cannot hold it; what is half written goes. */
    RUN("truncate", "-s", "80M", "too-large");
    absent.host = "too-large";
    refuse_put(disk, absent, "write /srv/full/x from too-large: libguestfs: ");
    assert_int_equal(disk_writer_guestfs.list(disk, "/srv/full", &names, &err), 0);
    assert_int_equal(names.len, sizeof "file");
}

/* What a secret stood in is zeroed; what others could read, too, is only free. */
static void replaced_secrets_are_wiped(void **state)
{
    (void)state;
    put_text(disks[TWO], "/srv/key", "new", 0600);
    put_text(disks[TWO], "/srv/public", "new", 0644);
    expect_text(disks[TWO], "/srv/key", "new");
}

static char *ask(const char *image, const char *request)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, image);
    run((const char *const[]){"debugfs", "-R", request, device, NULL}, &out);
    return heap_copy(out.data);
}

static void expect_outside(const char *request, const char *const *needles)
{
    char *answer AUTO_FREE = ask("one.raw", request);
    for (; *needles; needles++)
        if (!strstr(answer, *needles))
            fail_msg("%s: '%s' lacks '%s'", request, answer, *needles);
}
#define EXPECT(request, ...) expect_outside(request, (const char *const[]){__VA_ARGS__, NULL})

static bool holds(const char *path, const char *text)
{
    int status = -1;
    struct error err = ERROR_INIT;
    const char *const argv[] = {"grep", "-q", "-a", "-F", text, path, NULL};
    struct process grep = {.argv = argv};
    if (process_run(&grep, &status, &err) < 0)
        fail_msg("%s", err.text);
    return status == 0;
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void take(const char *path)
{
    struct error err = ERROR_INIT;
    if (disk_writer_guestfs.remove(disks[RAW], path, MTIME, &err) < 0)
        fail_msg("%s", err.text);
    expect_exists(disks[RAW], path, 0);
}

/* Through links of the image and not of the appliance, and with nothing left in free blocks. */
static void what_is_removed_is_gone(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    put_text(disks[RAW], "/var/run/gone/deep/file", "REMOVED-41bb", 0644);
    put_text(disks[RAW], "/var/run/gone/two", "x", 0644);
    put(disks[RAW],
        (struct entry){.path = "/run/kept", .type = ENTRY_HARDLINK, .target = "/run/gone/two"});
    put(disks[RAW], (struct entry){.path = "/run/gone/link", .type = ENTRY_LINK, .target = "/"});
    assert_int_equal(guestfs_sync(set->g), 0);
    take("/var/run/gone");
    take("/var/run/gone");
    take("/nowhere/at/all");
    take("/srv/dangling");
    expect_text(disks[RAW], "/run/kept", "x");
    expect_text(disks[RAW], "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    assert_int_equal(disk_writer_guestfs.remove(disks[RAW], "/", MTIME, &err), -1);
}

static void disks_close_clean(void **state)
{
    (void)state;
    close_images(set);
    RUN("qemu-img", "check", "-q", "one.qcow2");
    RUN("qemu-img", "check", "-q", "two.qcow2");
    RUN("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "one.qcow2", "one.raw");
    RUN("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "two.qcow2", "two.raw");
    RUN("e2fsck", "-fn", "one.raw" ROOT_AT);
    RUN("e2fsck", "-fn", "two.raw" ROOT_AT);
    RUN("e2fsck", "-fn", "raw" ROOT_AT);
}

/* Bases are as they were, overlays hold little more than what was put, and no trimmed room. */
static void overlays_hold_the_difference(void **state)
{
    (void)state;
    RUN("cmp", "base.raw", "root/base.raw");
    RUN("cmp", "base.qcow2", "root/base.qcow2");
    assert_true(size_of("two.qcow2") < OVERLAY_MAX);
    assert_true(size_of("one.qcow2") > 2 * LARGE);
    assert_true(size_of("one.qcow2") < 2 * LARGE + OVERLAY_MAX);
    assert_true(holds("base.raw", SECRET));
    assert_false(holds("two.raw", SECRET));
    assert_true(holds("two.raw", PUBLIC));
    assert_false(holds("raw", "REMOVED-41bb"));
}

static void entries_are_there_from_outside(void **state)
{
    (void)state;
    EXPECT("stat /new/deep/secret", "Mode:  0600", "User:     0", "mtime: 0x5e0be100");
    EXPECT("stat /new/deep", "Mode:  0755", "User:     0", "mtime: 0x5e0be100");
    EXPECT("stat /new/large", "Mode:  04755", "User:     7   Group:     8", "Size: 5242880");
    EXPECT("stat /new/host", "Mode:  0755", "Size: 5242880", "mtime: 0x5e0be100");
    EXPECT("stat /new", "Type: directory", "Mode:  0710", "Group:     5", "mtime: 0x5e0be100");
    EXPECT("stat /var/lib/x", "Type: directory", "Mode:  0700", "mtime: 0x5e0be100");
    EXPECT("stat /var/lib", "Type: directory", "Mode:  0755", "mtime: 0x5e0be100");
    EXPECT("stat /new/link", "Type: symlink", "User:     3", "mtime: 0x5e0be100", "/nowhere");
    EXPECT("stat /usr/lib", "Type: directory", "Mode:  0711", "mtime: 0x5e0be100");
    EXPECT("stat /run", "Type: directory", "mtime: 0x5e0be100");
    EXPECT("stat /srv", "Type: directory", "mtime: 0x5e0be100");
    EXPECT("cat /srv/full/file", "new");
}

/* Links to directories, and a directory in which only a file's content is another. */
static void other_times_stay(void **state)
{
    (void)state;
    static const char *const requests[] = {"stat /lib", "stat /var/run", "stat /srv/full"};
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        char *before AUTO_FREE = ask("base.raw", requests[i]);
        char *after AUTO_FREE = ask("one.raw", requests[i]);
        char *time = strstr(before, "mtime: 0x");
        assert_non_null(time);
        *strchr(time, '\n') = '\0';
        if (!strstr(after, time))
            fail_msg("%s: '%s' lacks '%s'", requests[i], after, time);
    }
}

static void hard_links_are_one_file(void **state)
{
    (void)state;
    char *file AUTO_FREE = ask("one.raw", "stat /links/file");
    char *third AUTO_FREE = ask("one.raw", "stat /links/third");
    char *names AUTO_FREE = ask("one.raw", "ls -p /links");
    EXPECT("stat /links/second", "Mode:  0640", "Links: 3", "mtime: 0x5e0be100");
    assert_string_equal(file, third);
    assert_null(strstr(names, "nodebake-put"));
    assert_null(strstr(names, "/x/"));
}

static void attributes_are_there(void **state)
{
    (void)state;
    EXPECT("stat /marked/file", "Mode:  0755", "User:     7", "mtime: 0x5e0be100");
    EXPECT("ea_get -x /marked/file security.capability",
           "01 00 00 02 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    EXPECT("ea_list /marked/file", "user.x (5) = \"value\"", "trusted.empty (0)");
    EXPECT("ea_list /marked", "user.x (5) = \"value\"", "user.y (1) = \"1\"");
    EXPECT("ea_list /marked/link", "trusted.z (1) = \"2\"");
    char *replaced AUTO_FREE = ask("one.raw", "ea_list /marked/replaced");
    assert_null(strstr(replaced, "user.x"));
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_put),
        cmocka_unit_test(what_is_there_is_replaced),
        cmocka_unit_test(parents_may_be_links),
        cmocka_unit_test(hard_links_are_put),
        cmocka_unit_test(attributes_are_put),
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test(replaced_secrets_are_wiped),
        cmocka_unit_test(what_is_removed_is_gone),
        cmocka_unit_test(disks_close_clean),
        cmocka_unit_test(overlays_hold_the_difference),
        cmocka_unit_test(entries_are_there_from_outside),
        cmocka_unit_test(other_times_stay),
        cmocka_unit_test(hard_links_are_one_file),
        cmocka_unit_test(attributes_are_there),
    };
    return cmocka_run_group_tests(tests, open_disks, remove_folder);
}
