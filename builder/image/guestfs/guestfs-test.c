/* The libguestfs writer on disks made here: GPT, an EFI partition and an ext4 root without a
 * package manager. All tests share one launch. */
#include "builder/image/guestfs/guest-fixture.h"
#include "builder/image/kvm.h"

static const char *const IMAGES[] = {"one.raw", "two.raw", "blank.raw", "twins.raw", "lost.raw"};
enum { ONE, TWO, BLANK, TWINS, LOST, IMAGE_COUNT };

static const struct disk_writer *const writer = &disk_writer_guestfs;
static struct disk *disks[IMAGE_COUNT];
static struct disk_set *set;

static int open_disks(void **state)
{
    (void)state;
    enter_folder();
    make_root("UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1\n"
              "PARTUUID=5f3b0d2c-9a7c-4d52-8a1f-0e5b7d3c2a10 /boot/efi vfat umask=0077 0 1\n"
              "LABEL=absent /mnt ext4 nofail 0 0\n"
              "tmpfs /tmp tmpfs defaults 0 0\n");
    make_disk(IMAGES[ONE]);
    RUN("cp", IMAGES[ONE], IMAGES[TWO]);
    RUN("truncate", "-s", "16M", IMAGES[BLANK]);
    RUN("cp", IMAGES[ONE], IMAGES[TWINS]);
    RUN("sgdisk", "-n", "2:196608:", IMAGES[TWINS]);
    RUN("mke2fs", "-q", "-t", "ext4", "-d", "root", "-E", "offset=100663296", IMAGES[TWINS], "40M");
    write_file("root/etc/fstab",
               "UUID=no-such / ext4\n/dev/vda15 /boot/efi vfat\nLABEL=x /srv xfs\n");
    make_disk(IMAGES[LOST]);
    struct disk_file files[IMAGE_COUNT];
    for (size_t i = 0; i < IMAGE_COUNT; i++)
        files[i] = (struct disk_file){.path = IMAGES[i]};
    set = open_images(files, IMAGE_COUNT, disks);
    return 0;
}

static void refuse_read(const char *path, size_t max, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(writer->read(disks[ONE], path, max, &out, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void disks_are_read(void **state)
{
    (void)state;
    expect_text(disks[ONE], "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    expect_text(disks[TWO], "/srv/link", "ID=debian\nVERSION_ID=12\n");
    refuse_read("/etc/os-release", 23, "/etc/os-release: larger than the 23 bytes allowed");
    refuse_read("/etc", 4096, "read /etc: not a regular file");
    refuse_read("/etc/absent", 4096, "read /etc/absent: libguestfs: ");
    expect_exists(disks[ONE], "/srv/dangling", 1);
    expect_exists(disks[ONE], "/srv/absent", 0);
    expect_exists(disks[ONE], "/etc/os-release/x", 0);
}

static void directories_are_listed(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer names AUTO_BUFFER = buffer_heap();
    assert_int_equal(writer->list(disks[ONE], "/srv", &names, &err), 0);
    static const char expected[] = "dangling\0full\0link";
    assert_int_equal(names.len, sizeof expected);
    assert_memory_equal(names.data, expected, sizeof expected);
    buffer_clear(&names);
    assert_int_equal(writer->list(disks[ONE], "/absent", &names, &err), 0);
    assert_int_equal(names.len, 0);
    assert_int_equal(writer->list(disks[ONE], "/etc/fstab", &names, &err), -1);
}

/* The EFI partition is mounted, too, that of the same disk. */
static void room_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_space root, boot, efi;
    assert_int_equal(writer->space(disks[ONE], "/", &root, &err), 0);
    assert_int_equal(writer->space(disks[ONE], "/boot", &boot, &err), 0);
    assert_int_equal(writer->space(disks[ONE], "/boot/efi", &efi, &err), 0);
    assert_true(root.bytes > 10 << 20 && root.bytes < 64 << 20);
    assert_true(root.inodes > 1000);
    assert_true(root.id == boot.id && root.id != efi.id);
    assert_int_equal(writer->space(disks[ONE], "/boot/efi/not/there/yet", &boot, &err), 0);
    assert_true(boot.id == efi.id);
}

static void disks_stay_apart(void **state)
{
    (void)state;
    put_text(disks[ONE], "/new/file", "one", 0644);
    expect_exists(disks[TWO], "/new", 0);
    expect_text(disks[TWO], "/srv/full/file", "old");
    put_text(disks[TWO], "/srv/full/file", "two", 0644);
    expect_text(disks[ONE], "/srv/full/file", "old");
    expect_text(disks[TWO], "/srv/full/file", "two");
}

static void programs_run_inside(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    static const char *const version[] = {"/usr/sbin/ldconfig", "--version", NULL};
    static const char *const absent[] = {"/usr/bin/absent", NULL};
    assert_int_equal(writer->run(disks[TWO], version, &out, &err), 0);
    assert_memory_equal(out.data, "ldconfig", 8);
    assert_int_equal(writer->run(disks[TWO], absent, &out, &err), -1);
    assert_non_null(strstr(err.text, "run /usr/bin/absent in the image: libguestfs: "));
}

static void disks_without_one_system_are_refused(void **state)
{
    (void)state;
    refuse_system(disks[BLANK], "the disk has no partition table that Linux knows");
    refuse_system(disks[TWINS], "two systems, on partition 1 and partition 2: which one is meant?");
    refuse_system(disks[LOST], "/etc/fstab:3: LABEL=x for /srv is not on the disk");
}

static int take_piece(void *out, const void *bytes, size_t n, struct error *err)
{
    (void)err;
    buffer_add(out, bytes, n);
    return 0;
}

static void disks_close_clean(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    close_images(set);
    RUN("e2fsck", "-fn", "one.raw" ROOT_AT);
    RUN("e2fsck", "-fn", "two.raw" ROOT_AT);
    assert_int_equal(writer->close_all(NULL, &err), 0);
}

/* What Linux recovers when it mounts does not reach the file. */
static void a_view_changes_nothing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer remarks AUTO_BUFFER = buffer_heap(), text AUTO_BUFFER = buffer_heap();
    struct disk_item item AUTO_ITEM = {.target = NULL}, link AUTO_ITEM = {.target = NULL};
    struct disk_file file = {.path = "one.raw"};
    struct disk *disk;
    RUN("debugfs", "-w", "-R", "feature needs_recovery", "one.raw" ROOT_AT);
    RUN("debugfs", "-w", "-R", "ea_set /srv/full/file user.x value", "one.raw" ROOT_AT);
    RUN("cp", "one.raw", "before.raw");
    if (writer->view(&file, &disk, &set, &remarks, &err) < 1)
        fail_msg("%s", err.text);
    assert_int_equal(writer->look(disk, "/srv/full/file", &item, &err), 1);
    assert_true(S_ISREG(item.mode));
    assert_int_equal(item.size, 3);
    assert_int_equal(item.xattr_count, 1);
    assert_string_equal(item.xattrs[0].name, "user.x");
    assert_int_equal(item.xattrs[0].len, 5);
    assert_int_equal(writer->look(disk, "/srv/link", &link, &err), 1);
    assert_string_equal(link.target, "/etc/os-release");
    assert_int_equal(writer->look(disk, "/srv/absent", &link, &err), 0);
    assert_int_equal(writer->stream(disk, "/srv/full/file", take_piece, &text, &err), 0);
    assert_string_equal(text.data, "old");
    assert_int_equal(writer->stream(disk, "/srv/absent", take_piece, &text, &err), -1);
    close_images(set);
    RUN("cmp", "one.raw", "before.raw");
}

static void kernels_boot_in_emulation(void **state)
{
    (void)state;
    assert_true(accelerator_boots("tcg", 120));
    assert_false(accelerator_boots("no-such-accelerator", 120));
    /* The answer is kept, so that the second one takes no time and is the same. */
    assert_int_equal(kvm_works(), kvm_works());
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_are_read),
        cmocka_unit_test(directories_are_listed),
        cmocka_unit_test(room_is_told),
        cmocka_unit_test(disks_stay_apart),
        cmocka_unit_test(programs_run_inside),
        cmocka_unit_test(disks_without_one_system_are_refused),
        cmocka_unit_test(disks_close_clean),
        cmocka_unit_test(a_view_changes_nothing),
        cmocka_unit_test(kernels_boot_in_emulation),
    };
    return cmocka_run_group_tests(tests, open_disks, remove_folder);
}
