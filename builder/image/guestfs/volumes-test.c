/* Which volume a line of fstab means. */
#include "builder/image/guestfs/volumes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct guest_volume PARTITION = {.device = (char *)"/dev/sdb15",
                                              .id = (char *)"15",
                                              .type = (char *)"vfat",
                                              .uuid = (char *)"ABCD-1234",
                                              .label = (char *)"EFI",
                                              .part_uuid = (char *)"5f3b0d2c-9a7c",
                                              .part_label = (char *)"esp"};
static const struct guest_volume LOGICAL = {.device = (char *)"/dev/my-vg/root",
                                            .id = (char *)"/dev/my-vg/root",
                                            .names = {(char *)"my-vg/root",
                                                      (char *)"mapper/my--vg-root",
                                                      (char *)"disk/by-id/dm-uuid-LVM-abc"},
                                            .type = (char *)"xfs",
                                            .uuid = (char *)"11111111-2222"};

static void partitions_have_many_names(void **state)
{
    (void)state;
    static const char *const good[] = {"UUID=abcd-1234",
                                       "LABEL=EFI",
                                       "PARTUUID=5F3B0D2C-9a7c",
                                       "PARTLABEL=esp",
                                       "/dev/disk/by-uuid/ABCD-1234",
                                       "/dev/disk/by-label/EFI",
                                       "/dev/disk/by-partuuid/5f3b0d2c-9a7c",
                                       "/dev/disk/by-partlabel/esp",
                                       "/dev/vda15",
                                       "/dev/nvme0n1p15",
                                       "/dev/disk/by-path/pci-0000:00:04.0-part15"};
    static const char *const bad[] = {"UUID=",          "UUID=ABCD-12345",
                                      "LABEL=",         "PARTLABEL=EFI",
                                      "/dev/vda1",      "/dev/vda5",
                                      "/dev/vda",       "/dev/vda115",
                                      "/dev/md15",      "/dev/dm-15",
                                      "/dev/vg/data15", "/dev/mapper/vg-data15",
                                      "/dev/",          "15",
                                      "/srv/file15",    "/dev/disk/by-path/pci-15",
                                      "/dev/disk/15"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!guest_volume_matches(&PARTITION, good[i]))
            fail_msg("%s does not match", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (guest_volume_matches(&PARTITION, bad[i]))
            fail_msg("%s matches", bad[i]);
}

static void logical_volumes_have_names_of_lvm(void **state)
{
    (void)state;
    static const char *const good[] = {"UUID=11111111-2222", "/dev/my-vg/root",
                                       "/dev/mapper/my--vg-root",
                                       "/dev/disk/by-id/dm-uuid-LVM-abc"};
    static const char *const bad[] = {"UUID=abcd-1234",
                                      "LABEL=",
                                      "PARTUUID=",
                                      "/dev/my-vg/root2",
                                      "/dev/mapper/my-vg-root",
                                      "/dev/root",
                                      "/dev/my-vg/var",
                                      "my-vg/root",
                                      "/dev/disk/by-id/dm-uuid-LVM-abcd"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!guest_volume_matches(&LOGICAL, good[i]))
            fail_msg("%s does not match", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (guest_volume_matches(&LOGICAL, bad[i]))
            fail_msg("%s matches", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_have_many_names),
        cmocka_unit_test(logical_volumes_have_names_of_lvm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
