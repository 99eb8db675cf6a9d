#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/base-files.h"
#include "builder/image/fake-disk.h"

static struct base *read_files(struct disk *disk)
{
    struct error err = ERROR_INIT;
    struct base *base = NULL;
    if (base_read(&fake_writer, disk, &base, &err) < 0)
        fail_msg("%s", err.text);
    return base;
}

static void files_are_read_once(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_text(&disk, "/boot/grub/grub.cfg", "linux /vmlinuz\n");
    fake_text(&disk, "/etc/passwd", "root:x:0:0::/:\n");
    fake_text(&disk, "/etc/motd", "of no interest");
    struct base *base AUTO_BASE = read_files(&disk);
    const struct base_file *file = base_file(base, "/boot/grub/grub.cfg");
    assert_non_null(file);
    assert_string_equal(file->text, "linux /vmlinuz\n");
    assert_int_equal(file->len, strlen(file->text));
    assert_int_equal(file->mode, 0644);
    assert_non_null(base_file(base, "/etc/passwd"));
    assert_null(base_file(base, "/etc/motd"));
    assert_int_equal(base->file_count, 2);
}

static void kernels_have_configurations(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_text(&disk, "/boot/config-6.1.0-1-amd64", "CONFIG_A=y\n");
    fake_text(&disk, "/boot/config-5.10", "CONFIG_B=y\n"); /* of a kernel that is gone */
    struct base *base AUTO_BASE = read_files(&disk);
    const struct base_file *config = base_file(base, "/boot/config-6.1.0-1-amd64");
    assert_non_null(config);
    assert_string_equal(config->text, "CONFIG_A=y\n");
    assert_null(base_file(base, "/boot/config-5.10"));
}

static void paths_are_noted(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    fake_text(&disk, "/usr/sbin/sshd", "ELF");
    struct base *base AUTO_BASE = read_files(&disk);
    assert_true(base_has(base, "/usr/sbin/sshd"));
    assert_false(base_has(base, "/usr/sbin/dhclient"));
}

static void a_file_that_is_too_large_is_an_error(void **state)
{
    (void)state;
    struct disk disk AUTO_FAKE = fake_debian();
    struct error err = ERROR_INIT;
    struct base *base = NULL;
    char *large AUTO_FREE = heap_array((1 << 20) + 1, 1);
    fake_set(&disk, "/boot/grub/grub.cfg", large, (1 << 20) + 1);
    assert_int_equal(base_read(&fake_writer, &disk, &base, &err), -1);
    assert_non_null(strstr(err.text, "/boot/grub/grub.cfg: too large"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_once),
        cmocka_unit_test(kernels_have_configurations),
        cmocka_unit_test(paths_are_noted),
        cmocka_unit_test(a_file_that_is_too_large_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
