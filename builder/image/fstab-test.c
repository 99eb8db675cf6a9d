#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/fstab.h"

static int next(struct fstab *fstab, struct fstab_entry *entry)
{
    struct error err = ERROR_INIT;
    return fstab_next(fstab, entry, &err);
}

static void entries_are_read(void **state)
{
    (void)state;
    static const char text[] = "# /etc/fstab\n"
                               "\n"
                               "PARTUUID=5f3b / ext4 rw,discard,nofail 0 1\r\n"
                               "  \t \n"
                               "  # indented\n"
                               "\tLABEL=my\\040data\t/mnt/a\\011b  ext4\n"
                               "/dev/vda15 /boot/efi vfat nofailx,noauto";
    struct fstab fstab = fstab_open(text, sizeof text - 1);
    struct fstab_entry entry;
    assert_int_equal(next(&fstab, &entry), 1);
    assert_string_equal(entry.spec, "PARTUUID=5f3b");
    assert_string_equal(entry.dir, "/");
    assert_string_equal(entry.type, "ext4");
    assert_int_equal(entry.line, 3);
    assert_true(fstab_has_option(&entry, "rw"));
    assert_true(fstab_has_option(&entry, "nofail"));
    assert_false(fstab_has_option(&entry, "disc"));
    assert_int_equal(next(&fstab, &entry), 1);
    assert_string_equal(entry.spec, "LABEL=my data");
    assert_string_equal(entry.dir, "/mnt/a\tb");
    assert_string_equal(entry.options, "");
    assert_false(fstab_has_option(&entry, "nofail"));
    assert_int_equal(next(&fstab, &entry), 1);
    assert_false(fstab_has_option(&entry, "nofail"));
    assert_true(fstab_has_option(&entry, "noauto"));
    assert_int_equal(next(&fstab, &entry), 0);
    assert_int_equal(next(&fstab, &entry), 0);
}

static void refuse(const char *text, const char *message)
{
    struct error err = ERROR_INIT;
    struct fstab fstab = fstab_open(text, strlen(text));
    struct fstab_entry entry;
    assert_int_equal(fstab_next(&fstab, &entry, &err), -1);
    assert_string_equal(err.text, message);
}

static void bad_lines_are_refused(void **state)
{
    (void)state;
    char lengthy[FSTAB_FIELD_MAX + 16];
    memset(lengthy, 'x', sizeof lengthy);
    lengthy[sizeof lengthy - 1] = '\0';
    refuse("# one\nUUID=x /data\n", "/etc/fstab:2: needs a device, a directory and a type");
    refuse(lengthy, "/etc/fstab:1: a field is longer than 255 bytes or holds a NUL");
    refuse("a\\000b / ext4", "/etc/fstab:1: a field is longer than 255 bytes or holds a NUL");
}

static void odd_escapes_are_text(void **state)
{
    (void)state;
    static const char text[] = "a\\ b\\04 c\\9\\";
    struct fstab fstab = fstab_open(text, sizeof text - 1);
    struct fstab_entry entry;
    assert_int_equal(next(&fstab, &entry), 1);
    assert_string_equal(entry.spec, "a\\");
    assert_string_equal(entry.dir, "b\\04");
    assert_string_equal(entry.type, "c\\9\\");
}

static void entries_of_the_disk_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool concerns;
    } cases[] = {
        {"UUID=1 /boot ext4 defaults", true},
        {"/dev/vda15 /boot/efi vfat umask=0077,nofail", true},
        {"UUID=1 / ext4 defaults", false},
        {"UUID=1 none swap sw", false},
        {"/dev/vdb1 /mnt swap sw", false},
        {"UUID=1 /mnt ext4 noauto", false},
        {"/dev/sda1 /mnt none ro,bind", false},
        {"/srv /mnt none bind", false},
        {"tmpfs /tmp tmpfs defaults", false},
        {"server:/export /mnt nfs defaults", false},
        {"UUID=1 boot ext4", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fstab fstab = fstab_open(cases[i].line, strlen(cases[i].line));
        struct fstab_entry entry;
        assert_int_equal(next(&fstab, &entry), 1);
        if (fstab_concerns_disk(&entry) != cases[i].concerns)
            fail_msg("%s", cases[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(odd_escapes_are_text),
        cmocka_unit_test(entries_of_the_disk_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
