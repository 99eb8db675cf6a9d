#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/base-system.h"
#include "builder/image/fake-disk.h"

#define ETC   "/etc/systemd/system"
#define WANTS ETC "/multi-user.target.wants"
#define UNITS "/usr/lib/systemd/system"

static struct base *read_system(struct disk *disk)
{
    struct error err = ERROR_INIT;
    struct base *base = heap_array(1, sizeof *base);
    if (base_read_system(&fake_writer, disk, base, &err) < 0)
        fail_msg("%s", err.text);
    return base;
}

/* A disk with these files, up to a NULL. */
static struct disk disk_of(const char *const *files)
{
    struct disk disk = fake_disk();
    for (size_t i = 0; files[i]; i++)
        fake_text(&disk, files[i], "x\n");
    return disk;
}

static void the_network_is_found(void **state)
{
    (void)state;
    static const struct {
        enum base_network network;
        const char *files[6];
    } cases[] = {
        {NETWORK_UNKNOWN, {NULL}},
        {NETWORK_UNKNOWN, {UNITS "/systemd-networkd.service", "/usr/sbin/ifup", NULL}},
        {NETWORK_NETWORKD, {WANTS "/systemd-networkd.service", NULL}},
        {NETWORK_IFUPDOWN, {WANTS "/networking.service", NULL}},
        {NETWORK_IFUPDOWN, {ETC "/network-online.target.wants/networking.service", NULL}},
        {NETWORK_IFUPDOWN,
         {WANTS "/networking.service", WANTS "/systemd-networkd.service",
          "/etc/systemd/network/90-name.link", NULL}},
        {NETWORK_NETWORKD,
         {WANTS "/networking.service", WANTS "/systemd-networkd.service",
          "/etc/systemd/network/10-lan.network", NULL}},
        {NETWORK_MANAGER,
         {WANTS "/NetworkManager.service", WANTS "/systemd-networkd.service", NULL}},
        {NETWORK_NETPLAN,
         {"/usr/sbin/netplan", WANTS "/NetworkManager.service", WANTS "/systemd-networkd.service",
          NULL}},
        {NETWORK_NETPLAN, {"/usr/libexec/netplan/generate", NULL}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct disk disk AUTO_FAKE = disk_of(cases[i].files);
        struct base *base AUTO_BASE = read_system(&disk);
        if (base->network != cases[i].network)
            fail_msg("case %zu: %d, not %d", i, (int)base->network, (int)cases[i].network);
        assert_false(base->cloud_init);
    }
}

static void a_masked_unit_is_off(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = disk_of((const char *[]){WANTS "/systemd-networkd.service", NULL});
    fake_text(&disk, ETC "/systemd-networkd.service", "");
    struct base *masked AUTO_BASE = read_system(&disk);
    assert_int_equal(masked->network, NETWORK_UNKNOWN);
    fake_text(&disk, ETC "/systemd-networkd.service", "[Unit]\n");
    struct base *own AUTO_BASE = read_system(&disk);
    assert_int_equal(own->network, NETWORK_NETWORKD);
}

static void cloud_init_is_found_unless_switched_off(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = disk_of((const char *[]){UNITS "/cloud-init-local.service", NULL});
    struct base *purged AUTO_BASE = read_system(&disk);
    assert_false(purged->cloud_init);
    fake_text(&disk, "/usr/bin/cloud-init", "#!/usr/bin/python3\n");
    struct base *there AUTO_BASE = read_system(&disk);
    assert_true(there->cloud_init);
    fake_text(&disk, "/etc/cloud/cloud-init.disabled", "");
    struct base *off AUTO_BASE = read_system(&disk);
    assert_false(off->cloud_init);
    struct disk unmerged AUTO_FAKE = disk_of((const char *[]){
        "/lib/systemd/system/cloud-init-local.service", "/usr/bin/cloud-init", NULL});
    struct base *old AUTO_BASE = read_system(&unmerged);
    assert_true(old->cloud_init);
}

static void what_cloud_init_rendered_is_found(void **state)
{
    (void)state;
    static const char *const rendered[] = {
        "/etc/NetworkManager/system-connections/cloud-init-eth0.nmconnection",
        "/etc/netplan/50-cloud-init.yaml",
        "/etc/network/interfaces.d/50-cloud-init",
        "/etc/systemd/network/10-cloud-init-eth0.network",
        "/etc/udev/rules.d/70-persistent-net.rules",
        NULL};
    struct disk disk AUTO_FAKE = disk_of(rendered);
    fake_text(&disk, "/etc/netplan/90-default.yaml", "x");
    fake_text(&disk, "/usr/bin/cloud-init", "x");
    struct base *without AUTO_BASE = read_system(&disk);
    assert_int_equal(without->cloud_network.count, 0); /* whoever wrote it: it is the base's own */
    fake_text(&disk, UNITS "/cloud-init-local.service", "x");
    struct base *base AUTO_BASE = read_system(&disk);
    assert_int_equal(base->cloud_network.count, 5);
    for (size_t i = 0; rendered[i]; i++)
        assert_string_equal(base->cloud_network.items[i], rendered[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_is_found),
        cmocka_unit_test(a_masked_unit_is_off),
        cmocka_unit_test(cloud_init_is_found_unless_switched_off),
        cmocka_unit_test(what_cloud_init_rendered_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
