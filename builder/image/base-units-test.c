#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/base.h"
#include "builder/image/fake-disk.h"

static struct base *read_base(struct disk *disk)
{
    struct error err = ERROR_INIT;
    struct base *base = NULL;
    if (base_read(&fake_writer, disk, &base, &err) < 0)
        fail_msg("%s", err.text);
    return base;
}

static void units_are_found_where_systemd_looks(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_text(&disk, "/usr/lib/systemd/system/ssh.service", "[Unit]\n");
    fake_text(&disk, "/usr/lib/systemd/system/both.service", "[Unit]\n");
    fake_text(&disk, "/usr/lib/systemd/system/getty@.service", "[Unit]\n");
    fake_text(&disk, "/usr/lib/systemd/system/getty@.service.d/x.conf", "[Unit]\n");
    fake_text(&disk, "/usr/lib/systemd/system/sysinit.target.wants/in.service", "[Unit]\n");
    fake_text(&disk, "/lib/systemd/system/old.service", "[Unit]\n");
    fake_text(&disk, "/etc/systemd/system/README", "x\n");
    fake_text(&disk, "/etc/systemd/system/.service", "x\n");
    fake_text(&disk, "/etc/systemd/system/both.service", "[Unit]\n");
    struct base *base AUTO_BASE = read_base(&disk);
    assert_string_equal(base_unit(base, "ssh.service"), "/usr/lib/systemd/system/ssh.service");
    assert_string_equal(base_unit(base, "old.service"), "/lib/systemd/system/old.service");
    assert_string_equal(base_unit(base, "both.service"), "/etc/systemd/system/both.service");
    assert_string_equal(base_unit(base, "getty@.service"),
                        "/usr/lib/systemd/system/getty@.service");
    assert_string_equal(base_unit(base, "getty@tty1.service"),
                        "/usr/lib/systemd/system/getty@.service");
    assert_null(base_unit(base, "other@tty1.service"));
    assert_null(base_unit(base, "in.service"));
    assert_null(base_unit(base, "getty@.service.d"));
    assert_int_equal(base->units.count, 4);
    assert_int_equal(base->link_count, 0);
}

static void links_switch_units_on_and_off(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_link(&disk, "/etc/systemd/system/multi-user.target.wants/ssh.service",
              "/lib/systemd/system/ssh.service");
    fake_link(&disk, "/etc/systemd/system/a.target.requires/b.service", "../b.service");
    fake_link(&disk, "/etc/systemd/system/sshd.service", "/lib/systemd/system/ssh.service");
    fake_link(&disk, "/etc/systemd/system/multi-user.target.wants/off.service", "x");
    fake_link(&disk, "/etc/systemd/system/off.service", "/dev/null");
    fake_link(&disk, "/etc/systemd/system/linked.service", "/opt/x/linked.service");
    fake_link(&disk, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    struct base *base AUTO_BASE = read_base(&disk);
    assert_true(base_unit_enabled(base, "ssh.service"));
    assert_true(base_unit_enabled(base, "b.service"));
    assert_false(base_unit_enabled(base, "sshd.service"));
    assert_false(base_unit_enabled(base, "off.service"));
    assert_true(base_unit_masked(base, "off.service"));
    assert_false(base_unit_masked(base, "ssh.service"));
    assert_string_equal(base_link(base, "/etc/systemd/system/sshd.service"),
                        "/lib/systemd/system/ssh.service");
    assert_string_equal(base_link(base, "/etc/resolv.conf"),
                        "../run/systemd/resolve/stub-resolv.conf");
    assert_null(base_link(base, "/etc/hosts"));
    assert_null(base_unit(base, "off.service"));
    assert_string_equal(base_unit(base, "linked.service"), "/etc/systemd/system/linked.service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_found_where_systemd_looks),
        cmocka_unit_test(links_switch_units_on_and_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
