/* Paths through links and across file systems, room, and what is read of them. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

/* Behind the root and its guard: /boot, and a place that no ext4 file system is at. */
#define BOOT_AT "?offset=11534336"
enum { BOOT_START = 11 * MIB, DISK_MIB = 20 };

static struct disk *disk;

static void add_volume(const char *dir, const char *type, uint64_t start, uint64_t size)
{
    struct error err = ERROR_INIT;
    struct volume *volume = &disk->volumes[disk->volume_count++];
    volume->dir = heap_copy(dir);
    volume->partition =
        (struct partition){.number = (unsigned)disk->volume_count, .start = start, .size = size};
    snprintf(volume->partition.fs, sizeof volume->partition.fs, "%s", type);
    if (strncmp(type, "ext", 3) == 0 &&
        ext4_fs_open(disk->blocks, &volume->partition, true, NOW, &volume->fs, &err) < 0)
        fail_msg("%s", err.text);
}

static int open_volumes(void **state)
{
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/etc", "root/boot/hidden", "root/srv", "boot/grub", "boot/efi");
    write_file("root/etc/file", "root", 4);
    write_file("boot/kernel", "boot", 4);
    RUN("ln", "-s", "/boot/grub", "root/srv/grub");
    RUN("ln", "-s", "../etc/file", "boot/up");
    RUN("ln", "-s", "/etc/file", "boot/absolute");
    RUN("ln", "-s", "efi/x", "boot/to-efi");
    make_disk("disk.raw", 8, "-t ext4", "root");
    assert_int_equal(truncate("disk.raw", DISK_MIB * MIB), 0);
    RUN("mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-E", "offset=11534336,root_owner=0:0",
        "-d", "boot", "disk.raw", "4M");
    disk = open_disk("disk.raw", true);
    disk->volumes[0].partition.size = 8 * MIB;
    add_volume("/boot", "ext2", BOOT_START, 4 * MIB);
    add_volume("/boot/efi", "vfat", 16 * MIB, 4 * MIB);
    return 0;
}

static int close_volumes(void **state)
{
    close_disk(disk);
    RUN("e2fsck", "-fn", "disk.raw" ROOT_AT);
    RUN("e2fsck", "-fn", "disk.raw" BOOT_AT);
    return remove_folder(state);
}

static void expect_list(const char *path, const char *names, size_t n)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (ext4_list(disk, path, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.len, n);
    assert_memory_equal(out.data, names, n);
}

static void volumes_are_one_tree(void **state)
{
    (void)state;
    expect_text(disk, "/boot/kernel", "boot");
    expect_text(disk, "/srv/grub/../kernel", "boot");
    expect_text(disk, "/boot/../etc/file", "root");
    expect_text(disk, "/boot/up", "root");
    expect_text(disk, "/boot/absolute", "root");
    expect_text(disk, "/boot/grub/../../boot/./up", "root");
    expect_exists(disk, "/boot/hidden", 0);
    expect_exists(disk, "/boot", 1);
    expect_exists(disk, "/", 1);
    expect_exists(disk, "/..", 1);
    static const char names[] = "absolute\0efi\0grub\0kernel\0lost+found\0to-efi\0up";
    expect_list("/boot", names, sizeof names);
    expect_list("/srv/..//boot/", names, sizeof names);
}

static void entries_go_to_their_volume(void **state)
{
    (void)state;
    put_text(disk, "/srv/grub/deep/new", "new", 0644);
    put_text(disk, "/boot/up", "a file now", 0644);
    put(disk, (struct entry){.path = "/boot", .type = ENTRY_DIR, .mode = 0711});
    expect_text(disk, "/boot/grub/deep/new", "new");
    expect_text(disk, "/etc/file", "root");
    struct entry hard = {.path = "/etc/hard", .type = ENTRY_HARDLINK, .target = "/boot/kernel"};
    expect_refusal(disk, hard, "write /etc/hard: /boot/kernel is in another file system");
    struct entry file = file_entry("/boot", "x", 0644);
    expect_refusal(disk, file, "/boot is a directory, and cannot be replaced by a file");
    expect_refusal(disk, file_entry("/", "x", 0644), "/ is a directory");
}

/* One that lies elsewhere is named, however the path leads there. */
static void other_volumes_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct disk_space space;
    static const char why[] =
        "/boot/efi is a file system of type vfat: only the guestfs writer can go there";
    expect_refusal(disk, file_entry("/boot/efi/EFI/x", "x", 0644), why);
    struct entry dir = {.path = "/boot/efi", .type = ENTRY_DIR, .mode = 0755};
    expect_refusal(disk, dir, why);
    assert_int_equal(ext4_read(disk, "/boot/to-efi", 10, &out, &err), -1);
    assert_string_equal(err.text, "read: /boot/to-efi: /boot/efi is a file system of type vfat: "
                                  "only the guestfs writer can go there");
    assert_int_equal(ext4_list(disk, "/boot/efi", &out, &err), -1);
    assert_int_equal(ext4_exists(disk, "/boot/efi", &err), -1);
    assert_int_equal(ext4_space(disk, "/boot/efi/EFI", &space, &err), -1);
    assert_string_equal(err.text, "free room: /boot/efi/EFI: /boot/efi is a file system of type "
                                  "vfat: only the guestfs writer can go there");
}

static void files_are_read(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(ext4_read(disk, "/etc/file", 4, &out, &err), 0);
    assert_int_equal(ext4_read(disk, "/etc/file", 3, &out, &err), -1);
    assert_string_equal(err.text, "read /etc/file: larger than the 3 bytes allowed");
    assert_int_equal(ext4_read(disk, "/etc", 10, &out, &err), -1);
    assert_string_equal(err.text, "read /etc: not a regular file");
    assert_int_equal(ext4_read(disk, "/etc/absent", 10, &out, &err), -1);
    assert_string_equal(err.text, "read /etc/absent: No such file or directory");
    assert_int_equal(ext4_list(disk, "/etc/file", &out, &err), -1);
    assert_string_equal(err.text, "list /etc/file: not a directory");
    assert_int_equal(out.len, 4);
    expect_exists(disk, "/etc/file/x", 0);
    expect_exists(disk, "/absent/x", 0);
    expect_list("/absent", "", 0);
}

/* As statvfs says to an ordinary user. */
static void room_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_space root, boot, again;
    assert_int_equal(ext4_space(disk, "/", &root, &err), 0);
    assert_int_equal(ext4_space(disk, "/boot/absent/deep", &boot, &err), 0);
    assert_int_equal(ext4_space(disk, "/srv/grub", &again, &err), 0);
    assert_true(root.id != boot.id && boot.id == again.id && boot.bytes == again.bytes);
    const struct ext2_super_block *super = disk->volumes[0].fs->super;
    assert_int_equal(root.bytes, (super->s_free_blocks_count - super->s_r_blocks_count) * 4096ULL);
    assert_int_equal(root.inodes, super->s_free_inodes_count);
    assert_true(super->s_r_blocks_count > 0);
    put_text(disk, "/etc/room", "x", 0644);
    assert_int_equal(ext4_space(disk, "/etc", &again, &err), 0);
    assert_int_equal(again.bytes, root.bytes - 4096);
    assert_int_equal(again.inodes, root.inodes - 1);
}

static void paths_have_a_bound(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char path[5000] = "/";
    for (size_t i = 1; i < sizeof path - 2; i += 2)
        memcpy(path + i, "./", 2);
    assert_int_equal(ext4_exists(disk, path, &err), -1);
    assert_non_null(strstr(err.text, "the path is longer than 4095 bytes"));
    path[4000] = '\0';
    expect_exists(disk, path, 1);
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_are_one_tree),
        cmocka_unit_test(entries_go_to_their_volume),
        cmocka_unit_test(other_volumes_are_refused),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(room_is_told),
        cmocka_unit_test(paths_have_a_bound),
    };
    return cmocka_run_group_tests(tests, open_volumes, close_volumes);
}
