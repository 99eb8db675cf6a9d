#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/fake-disk.h"
#include "builder/image/image.h"

static const char INITRD_PATH[] = "/boot/initrd.img-6.1.0-1-amd64";

/* The least that initramfs-tools may have made: scripts/functions and the trailer. */
#define ZEROS "00000000"
#define NEWC(mode, namesize)                                                                       \
    "070701" ZEROS mode ZEROS ZEROS "00000001" ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS namesize ZEROS
static const char INITRD[] = NEWC("000081a4", "00000012") "scripts/functions\0" NEWC(
    "00000000", "0000000b") "TRAILER!!!\0\0\0";

static struct disk debian(void)
{
    struct disk disk = fake_debian();
    fake_set(&disk, INITRD_PATH, INITRD, sizeof INITRD - 1);
    return disk;
}

static void add_file(struct tree *tree, const char *path, const char *text, mode_t mode)
{
    struct error err = ERROR_INIT;
    struct entry entry = {.path = heap_copy(path),
                          .type = text ? ENTRY_FILE : ENTRY_DIR,
                          .mode = mode,
                          .text = heap_copy(text),
                          .len = text ? strlen(text) : 0};
    assert_int_equal(tree_add(tree, entry, &err), 0);
}

static struct tree *small_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    assert_int_equal(tree_create(&tree, &err), 0);
    add_file(tree, "/usr/lib/nodebake", NULL, 0755);
    add_file(tree, IMAGE_FIRSTBOOT, "the program", 0755);
    add_file(tree, IMAGE_INITRAMFS_SCRIPT, "the script", 0755);
    tree_sort(tree);
    return tree;
}

static int write_image(struct disk *disk, const struct tree *tree, struct error *err)
{
    struct base *base AUTO_BASE = NULL;
    assert_int_equal(base_read(&fake_writer, disk, &base, err), 0);
    if (base_scan_initrds(&fake_writer, disk, base, err) < 0)
        return -1;
    return image_write(&fake_writer, disk, base, tree, "worker", err);
}

static void refuse(struct disk *disk, const struct tree *tree, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(write_image(disk, tree, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_string_equal(disk->puts.data, "");
}

static void entries_go_first_then_initrds(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    assert_int_equal(write_image(&disk, tree, &err), 0);
    assert_string_equal(disk.puts.data,
                        "/etc/initramfs-tools/scripts/local-bottom/nodebake f 755 1577836800\n"
                        "/usr/lib/nodebake d 755 1577836800\n"
                        "/usr/lib/nodebake/firstboot f 755 1577836800\n"
                        "/usr/lib/nodebake d 755 1577836800\n"
                        "/boot/initrd.img-6.1.0-1-amd64 f 644 1577836800\n");
    const struct fake_item *initrd = fake_find(&disk, INITRD_PATH);
    assert_true(initrd->len > sizeof INITRD);
    assert_memory_equal(initrd->bytes, INITRD, sizeof INITRD - 1);
    assert_non_null(memmem(initrd->bytes, initrd->len, "nodebake-firstboot", 18));
}

static void add_hardlink(struct tree *tree, const char *path, const char *file)
{
    struct error err = ERROR_INIT;
    struct entry entry = {
        .path = heap_copy(path), .type = ENTRY_HARDLINK, .target = heap_copy(file)};
    assert_int_equal(tree_add(tree, entry, &err), 0);
    tree_sort(tree);
}

static void hard_links_go_behind_all_files(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    add_hardlink(tree, "/a", IMAGE_FIRSTBOOT);
    assert_int_equal(write_image(&disk, tree, &err), 0);
    const char *file = strstr(disk.puts.data, "/usr/lib/nodebake/firstboot f ");
    const char *link = strstr(disk.puts.data, "/a h 0 1577836800\n");
    assert_non_null(file);
    assert_non_null(link);
    assert_true(file < link);
    assert_non_null(strstr(link, "/usr/lib/nodebake d 755"));
}

/* Also a directory with all in it, and what the base does not have. */
static void removals_go_first(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    fake_text(&disk, "/zoo/key", "secret");
    fake_text(&disk, "/zoo/deep/key", "secret");
    fake_text(&disk, "/zoos", "stays");
    for (size_t i = 0; i < 2; i++) {
        struct entry gone = {.path = heap_copy(i ? "/zoo" : "/none/x"), .type = ENTRY_GONE};
        assert_int_equal(tree_add(tree, gone, &err), 0);
    }
    tree_sort(tree);
    disk.root.bytes = disk.boot.bytes = (3 + 3 + 2 + 1) * 4096 * 21 / 20; /* as without them */
    assert_int_equal(write_image(&disk, tree, &err), 0);
    static const char first[] = "/none/x g 1577836800\n/zoo g 1577836800\n/etc/";
    assert_memory_equal(disk.puts.data, first, sizeof first - 1);
    assert_null(fake_find(&disk, "/zoo/deep/key"));
    assert_non_null(fake_find(&disk, "/zoos"));
}

static void a_second_baking_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    assert_int_equal(write_image(&disk, tree, &err), 0);
    buffer_clear(&disk.puts);
    refuse(&disk, tree, "/boot/initrd.img-6.1.0-1-amd64: holds nodebake's script already");
}

static void programs_must_be_in_the_tree(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = NULL;
    assert_int_equal(tree_create(&tree, &err), 0);
    refuse(&disk, tree, "/usr/lib/nodebake/firstboot is not among the files of the image");
    add_file(tree, IMAGE_FIRSTBOOT, "the program", 0755);
    refuse(&disk, tree, "local-bottom/nodebake is not among the files of the image");
}

/* Three entries and three directories above them (/etc/initramfs-tools/scripts/local-bottom), a
 * block each, the content's blocks, the new initrd, and five per cent. */
static void room_is_checked_before_writing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    const uint64_t needed = (3 + 3 + 2 + 1) * 4096 * 21 / 20;
    disk.root.bytes = disk.boot.bytes = needed - 1;
    refuse(&disk, tree, "the file system of / has 0 MiB free and 1 MiB are needed: take a larger");
    disk.root.bytes = disk.boot.bytes = needed;
    disk.root.inodes = disk.boot.inodes = 6;
    refuse(&disk, tree, "the file system of / has 6 inodes free and 7 are needed: take a larger");
    disk.root.inodes = 7;
    assert_int_equal(write_image(&disk, tree, &err), 0);
}

/* A hard link takes no inode, attributes what their names, values and heads take. */
static void links_and_attributes_take_room(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    struct xattr *x = heap_array(1, sizeof *x);
    *x = (struct xattr){.name = heap_copy("user.x"), .value = heap_array(8192, 1), .len = 8192};
    tree->entries[0].xattrs = x;
    tree->entries[0].xattr_count = 1;
    add_hardlink(tree, "/a", IMAGE_FIRSTBOOT);
    const uint64_t needed = (4 + 3 + 3 + 2 + 1) * 4096 * 21 / 20;
    disk.root.bytes = disk.boot.bytes = needed - 1;
    refuse(&disk, tree, "the file system of / has 0 MiB free");
    disk.root.bytes = disk.boot.bytes = needed;
    disk.root.inodes = disk.boot.inodes = 7;
    assert_int_equal(write_image(&disk, tree, &err), 0);
}

static void boot_may_be_a_file_system_of_its_own(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    disk.boot = (struct disk_space){.bytes = 4096, .inodes = 1, .id = 2};
    disk.root = (struct disk_space){.bytes = 8 * 4096 * 21 / 20, .inodes = 6, .id = 1};
    refuse(&disk, tree, "the file system of /boot has 0 MiB free");
    disk.boot.bytes = 4096 * 21 / 20;
    assert_int_equal(write_image(&disk, tree, &err), 0);
}

static void absent_host_files_are_errors(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    struct entry entry = {.path = heap_copy("/usr/local/bin/kubelet"),
                          .type = ENTRY_FILE,
                          .mode = 0755,
                          .host = heap_copy("/nonexistent/kubelet")};
    assert_int_equal(tree_add(tree, entry, &err), 0);
    refuse(&disk, tree, "/nonexistent/kubelet: No such file or directory");
}

static void failed_writes_are_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = debian();
    struct tree *tree AUTO_TREE = small_tree();
    disk.fails = IMAGE_FIRSTBOOT;
    assert_int_equal(write_image(&disk, tree, &err), -1);
    assert_string_equal(err.text, "write /usr/lib/nodebake/firstboot: no room");
    /* The initrd must not run what is not there. */
    assert_null(strstr(disk.puts.data, INITRD_PATH));
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_go_first_then_initrds),
        cmocka_unit_test(hard_links_go_behind_all_files),
        cmocka_unit_test(removals_go_first),
        cmocka_unit_test(a_second_baking_is_refused),
        cmocka_unit_test(programs_must_be_in_the_tree),
        cmocka_unit_test(room_is_checked_before_writing),
        cmocka_unit_test(links_and_attributes_take_room),
        cmocka_unit_test(boot_may_be_a_file_system_of_its_own),
        cmocka_unit_test(absent_host_files_are_errors),
        cmocka_unit_test(failed_writes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
