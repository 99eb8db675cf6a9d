/* The libguestfs writer on disks as installers lay them out with LVM: /boot on a partition of its
 * own, an XFS root and an ext4 /var on logical volumes. They are made in one appliance, and three
 * copies edited in another. Other layouts are refused by name. */
#include "builder/image/guestfs/guest-fixture.h"
#include "builder/image/kvm.h"

static const char *const IMAGES[] = {"one.raw", "two.raw", "three.raw", "refused.raw"};
enum { ONE, TWO, THREE, REFUSED, IMAGE_COUNT };

static struct disk *disks[IMAGE_COUNT];
static struct disk_set *set;

#define MUST(call) must(g, (call), #call)

static void must(guestfs_h *g, int result, const char *call)
{
    if (result < 0)
        fail_msg("%s: %s", call, guestfs_last_error(g));
}

/* The name by which Ubuntu's installer writes a logical volume. */
static char *kernel_name(guestfs_h *g, const char *group, const char *volume)
{
    char *uuids[] = {guestfs_vguuid(g, group), guestfs_lvuuid(g, volume)};
    char *name = heap_copy("/dev/disk/by-id/dm-uuid-LVM-");
    for (size_t i = 0; i < ARRAY_LEN(uuids); i++) {
        assert_non_null(uuids[i]);
        for (const char *part = strtok(uuids[i], "-"); part; part = strtok(NULL, "-")) {
            char *longer = heap_printf("%s%s", name, part);
            free(name);
            name = longer;
        }
        free(uuids[i]);
    }
    return name;
}

/* Debian writes the root's name as device mapper has it, and /boot by UUID. */
static void make_lvm(guestfs_h *g)
{
    char *partitions[] = {"/dev/sda2", NULL};
    MUST(guestfs_part_init(g, "/dev/sda", "gpt"));
    MUST(guestfs_part_add(g, "/dev/sda", "p", 2048, 131071));
    MUST(guestfs_part_add(g, "/dev/sda", "p", 131072, -2048));
    MUST(guestfs_pvcreate(g, partitions[0]));
    MUST(guestfs_vgcreate(g, "vg-test", partitions));
    MUST(guestfs_lvcreate(g, "root", "vg-test", 320));
    MUST(guestfs_lvcreate(g, "var", "vg-test", 32));
    MUST(guestfs_lvcreate(g, "swap", "vg-test", 8));
    MUST(guestfs_mkfs(g, "ext4", "/dev/sda1"));
    MUST(guestfs_mkfs(g, "xfs", "/dev/vg-test/root"));
    MUST(guestfs_mkfs(g, "ext4", "/dev/vg-test/var"));
    MUST(guestfs_set_uuid(g, "/dev/sda1", "11111111-2222-3333-4444-555555555555"));
    char *var AUTO_FREE = kernel_name(g, "vg-test", "/dev/vg-test/var");
    char *fstab AUTO_FREE = heap_printf("/dev/mapper/vg--test-root / xfs defaults 0 0\n"
                                        "UUID=11111111-2222-3333-4444-555555555555 /boot ext4\n"
                                        "%s /var ext4 defaults 0 0\n"
                                        "/dev/vg-test/swap none swap sw 0 0\n",
                                        var);
    MUST(guestfs_mount(g, "/dev/vg-test/root", "/"));
    MUST(guestfs_mkdir(g, "/etc"));
    MUST(guestfs_mkdir(g, "/boot"));
    MUST(guestfs_mkdir(g, "/var"));
    MUST(guestfs_write(g, "/etc/os-release", "ID=debian\n", strlen("ID=debian\n")));
    MUST(guestfs_write(g, "/etc/fstab", fstab, strlen(fstab)));
    MUST(guestfs_umount_all(g));
}

/* What an encrypted volume begins with is all that is made of it. */
static void make_refused(guestfs_h *g)
{
    char *members[] = {"/dev/sdb2", "/dev/sdb3", NULL};
    static const char luks[] = "LUKS\xba\xbe\0\1";
    MUST(guestfs_part_init(g, "/dev/sdb", "gpt"));
    MUST(guestfs_part_add(g, "/dev/sdb", "p", 2048, 18431));
    MUST(guestfs_part_add(g, "/dev/sdb", "p", 18432, 34815));
    MUST(guestfs_part_add(g, "/dev/sdb", "p", 34816, 51199));
    MUST(guestfs_part_add(g, "/dev/sdb", "p", 51200, -2048));
    assert_int_equal(guestfs_pwrite_device(g, "/dev/sdb1", luks, sizeof luks, 0), sizeof luks);
    MUST(guestfs_md_create(g, "raid", members, GUESTFS_MD_CREATE_LEVEL, "raid1", -1));
    MUST(guestfs_mkfs(g, "btrfs", "/dev/sdb4"));
}

static void make_images(void)
{
    char *force[] = {"force_tcg", NULL};
    guestfs_h *g = guestfs_create();
    assert_non_null(g);
    guestfs_set_error_handler(g, NULL, NULL);
    MUST(guestfs_set_backend(g, "direct"));
    if (!kvm_works())
        MUST(guestfs_set_backend_settings(g, force));
    MUST(guestfs_add_drive_opts(g, "one.raw", GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw", -1));
    MUST(guestfs_add_drive_opts(g, "refused.raw", GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw", -1));
    MUST(guestfs_launch(g));
    make_lvm(g);
    make_refused(g);
    MUST(guestfs_shutdown(g));
    guestfs_close(g);
}

static int open_disks(void **state)
{
    (void)state;
    enter_folder();
    RUN("truncate", "-s", "448M", "one.raw");
    RUN("truncate", "-s", "256M", "refused.raw");
    make_images();
    RUN("cp", "one.raw", "two.raw");
    RUN("cp", "one.raw", "three.raw");
    struct disk_file files[IMAGE_COUNT];
    for (size_t i = 0; i < IMAGE_COUNT; i++)
        files[i] = (struct disk_file){.path = IMAGES[i]};
    set = open_images(files, IMAGE_COUNT, disks);
    return 0;
}

static void volumes_are_found(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_space root, boot, var;
    assert_int_equal(disk_writer_guestfs.space(disks[ONE], "/", &root, &err), 0);
    assert_int_equal(disk_writer_guestfs.space(disks[ONE], "/boot", &boot, &err), 0);
    assert_int_equal(disk_writer_guestfs.space(disks[ONE], "/var/lib", &var, &err), 0);
    assert_true(root.id != boot.id && root.id != var.id && boot.id != var.id);
    assert_true(root.bytes > 200 << 20 && boot.bytes < 64 << 20 && var.bytes < 32 << 20);
    expect_text(disks[ONE], "/etc/os-release", "ID=debian\n");
}

/* All groups have one name. Each switch to another disk takes LVM seconds in emulation. */
static void copies_stay_apart(void **state)
{
    (void)state;
    struct xattr capability = {"security.capability",
                               (char *)"\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0", 20};
    put_text(disks[ONE], "/etc/name", "one", 0644);
    put_text(disks[ONE], "/boot/name", "one", 0644);
    expect_exists(disks[TWO], "/etc/name", 0);
    expect_exists(disks[TWO], "/boot/name", 0);
    put_text(disks[TWO], "/var/lib/name", "two", 0600);
    put(disks[TWO], (struct entry){.path = "/usr/bin/ping",
                                   .type = ENTRY_FILE,
                                   .mode = 0755,
                                   .text = (char *)"ping",
                                   .len = 4,
                                   .xattrs = &capability,
                                   .xattr_count = 1});
    put(disks[TWO], (struct entry){.path = "/usr/bin/ping4",
                                   .type = ENTRY_HARDLINK,
                                   .target = (char *)"/usr/bin/ping"});
    struct entry far = {
        .path = "/boot/far", .type = ENTRY_HARDLINK, .target = (char *)"/usr/bin/ping"};
    refuse_put(disks[TWO], far, "link /boot/far to /usr/bin/ping: libguestfs: ");
    expect_text(disks[TWO], "/usr/bin/ping4", "ping");
    expect_exists(disks[THREE], "/etc/name", 0);
    expect_exists(disks[THREE], "/var/lib/name", 0);
    expect_text(disks[ONE], "/etc/name", "one");
    expect_exists(disks[ONE], "/var/lib/name", 0);
}

static void other_layouts_are_refused_by_name(void **state)
{
    (void)state;
    refuse_system(disks[REFUSED],
                  "no system: none of the 4 volumes is ext2-4 or XFS and has /etc/os-release; "
                  "partition 1 is encrypted (LUKS), partition 2 belongs to a RAID (md), "
                  "partition 3 belongs to a RAID (md), partition 4 is btrfs");
    expect_text(disks[ONE], "/etc/name", "one");
}

/* Logical volumes lie one behind the other, from 1 MiB into the partition on. */
#define ROOT_OFFSET "65"
#define VAR_AT      "?offset=403701760" /* (64 + 1 + 320) MiB */

static void images_are_whole_afterwards(void **state)
{
    (void)state;
    close_images(set);
    struct buffer out AUTO_BUFFER = buffer_heap();
    run((const char *const[]){"debugfs", "-R", "stat /lib/name", "two.raw" VAR_AT, NULL}, &out);
    assert_non_null(strstr(out.data, "Mode:  0600"));
    assert_non_null(strstr(out.data, "mtime: 0x5e0be100"));
    RUN("e2fsck", "-fn", "two.raw" VAR_AT);
    RUN("dd", "if=two.raw", "of=root.xfs", "bs=1M", "skip=" ROOT_OFFSET, "count=320", "conv=sparse",
        "status=none");
    RUN("xfs_repair", "-n", "-f", "root.xfs");
    buffer_clear(&out);
    run((const char *const[]){"xfs_db", "-r", "-f", "-c", "path /usr/bin/ping4", "-c", "print core",
                              "root.xfs", NULL},
        &out);
    assert_non_null(strstr(out.data, "core.nlinkv2 = 2"));
    assert_non_null(strstr(out.data, "core.mode = 0100755"));
    assert_non_null(strstr(out.data, "core.size = 4"));
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_are_found),
        cmocka_unit_test(copies_stay_apart),
        cmocka_unit_test(other_layouts_are_refused_by_name),
        cmocka_unit_test(images_are_whole_afterwards),
    };
    return cmocka_run_group_tests(tests, open_disks, remove_folder);
}
