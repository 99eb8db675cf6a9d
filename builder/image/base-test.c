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

static void refuse(struct disk *disk, const char *message)
{
    struct error err = ERROR_INIT;
    struct base *base = NULL;
    assert_int_equal(base_read(&fake_writer, disk, &base, &err), -1);
    assert_null(base);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void debian_is_read(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_text(&disk, "/boot/initrd.img-5.10.0-9-amd64", "of a kernel that is gone");
    fake_text(&disk, "/boot/initrd.img-6.1.0-1-amd64.bak", "");
    struct base *base AUTO_BASE = read_base(&disk);
    assert_string_equal(base->os_id, "debian");
    assert_string_equal(base->os_version, "12");
    assert_string_equal(base->os_name, "Debian 12");
    assert_string_equal(base->machine, "x86_64");
    assert_false(base->resolved);
    assert_int_equal(base->initrd_count, 1);
    assert_string_equal(base->initrds[0].path, "/boot/initrd.img-6.1.0-1-amd64");
    assert_string_equal(base->initrds[0].kernel, "6.1.0-1-amd64");
    assert_int_equal(disk.puts.len, 0);
}

static void os_release_may_lie_in_usr(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_remove(&disk, "/etc/os-release");
    fake_text(&disk, "/usr/lib/os-release", "ID=debian\n");
    struct base *base AUTO_BASE = read_base(&disk);
    assert_string_equal(base->os_version, "");
    assert_string_equal(base->os_name, "debian ");
}

static void resolved_is_found(void **state)
{
    (void)state;
    static const char *const links[] = {
        "/etc/systemd/system/sysinit.target.wants/systemd-resolved.service",
        "/etc/systemd/system/multi-user.target.wants/systemd-resolved.service"};
    for (size_t i = 0; i < 2; i++) {
        struct disk disk AUTO_FAKE = fake_debian();
        fake_text(&disk, links[i], "[Unit]\n");
        struct base *base AUTO_BASE = read_base(&disk);
        assert_true(base->resolved);
    }
    struct disk masked AUTO_FAKE = fake_debian();
    fake_text(&masked, links[0], "[Unit]\n");
    fake_text(&masked, "/etc/systemd/system/systemd-resolved.service", "");
    struct base *base AUTO_BASE = read_base(&masked);
    assert_false(base->resolved);
    fake_text(&masked, "/etc/systemd/system/systemd-resolved.service", "[Unit]\n");
    struct base *own AUTO_BASE = read_base(&masked);
    assert_true(own->resolved);
}

static void unfit_bases_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *without, *message;
    } cases[] = {
        {"/etc/os-release", "read /usr/lib/os-release"},
        {"/usr/lib/systemd/systemd", "has no systemd (looked for /usr/lib/systemd/systemd)"},
        {"/var/lib/dpkg/status", "(Debian 12) has no package database of dpkg"},
        {"/boot/vmlinuz-6.1.0-1-amd64", "looked for /boot/initrd.img-* beside /boot/vmlinuz-*"},
        {"/boot/initrd.img-6.1.0-1-amd64", "(Debian 12) has no initrd of initramfs-tools"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct disk disk AUTO_FAKE = fake_debian();
        fake_remove(&disk, cases[i].without);
        refuse(&disk, cases[i].message);
    }
    static const struct {
        const char *path, *text, *message;
    } texts[] = {{"/usr/lib/nodebake/contract", "x", "is a nodebake image already"},
                 {"/etc/os-release", "NAME=x\n", "/etc/os-release of the base names no ID"},
                 {"/var/lib/dpkg/status", "Package: dpkg\n", "does not list dpkg itself"},
                 {"/var/lib/dpkg/status",
                  "Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\n",
                  "the base is for arm64; nodebake writes amd64"}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct disk disk AUTO_FAKE = fake_debian();
        fake_text(&disk, texts[i].path, texts[i].text);
        refuse(&disk, texts[i].message);
    }
}

static void missing_packages_are_listed(void **state)
{
    (void)state;
    static const char *const wanted[] = {"socat", "ipset", "conntrack"};
    struct error err = ERROR_INIT;
    struct disk disk AUTO_FAKE = fake_debian();
    struct base *base AUTO_BASE = read_base(&disk);
    assert_int_equal(base_require_packages(base, wanted, 1, &err), 0);
    assert_int_equal(base_require_packages(base, wanted, 3, &err), -1);
    assert_string_equal(err.text,
                        "the base (Debian 12) lacks packages: ipset, conntrack; put their "
                        ".deb files into a folder and name that with `debs: FOLDER` in "
                        "the cluster file, or let nodebake fetch them from the base's "
                        "repositories with `repositories: true`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debian_is_read),
        cmocka_unit_test(os_release_may_lie_in_usr),
        cmocka_unit_test(resolved_is_found),
        cmocka_unit_test(unfit_bases_are_refused),
        cmocka_unit_test(missing_packages_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
