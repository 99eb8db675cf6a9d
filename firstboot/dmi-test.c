#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "firstboot/dmi.h"

static char dir[] = "/tmp/dmi-test-XXXXXX";

static const char *const names[] = {"sys_vendor", "bios_vendor", "product_name", "product_uuid",
                                    "board_asset_tag"};

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int empty_dir(void **state)
{
    (void)state;
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (unlinkat(fd, names[i], 0) < 0)
            unlinkat(fd, names[i], AT_REMOVEDIR);
    return close(fd);
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

static void put(const char *name, const char *bytes, size_t len)
{
    int at = open(dir, O_RDONLY | O_DIRECTORY);
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    close(at);
}

static void reads_what_gce_shows(void **state)
{
    (void)state;
    struct dmi dmi;
    put("sys_vendor", "Google\n", 7);
    put("bios_vendor", "Google\n", 7);
    put("product_name", "Google Compute Engine\n", 22);
    put("product_uuid", "9b3c2f0e-1111-2222-3333-444455556666\n", 37);
    dmi_read(dir, &dmi);
    assert_string_equal(dmi.sys_vendor, "Google");
    assert_string_equal(dmi.bios_vendor, "Google");
    assert_string_equal(dmi.product_name, "Google Compute Engine");
    assert_string_equal(dmi_field(&dmi, "product_uuid"), "9b3c2f0e-1111-2222-3333-444455556666");
    assert_string_equal(dmi_field(&dmi, "board_asset_tag"), "");
    assert_null(dmi_field(&dmi, "product_serial"));
    assert_null(dmi_field(&dmi, ""));
}

static void what_is_read_is_trimmed_and_cut(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *expected;
    } rows[] = {
        {"plain", 5, "plain"},   {" \t inner space kept \r\n\n", 23, "inner space kept"},
        {"\n", 1, ""},           {"", 0, ""},
        {"tab\tinside", 10, ""}, {"nul\0inside", 10, ""},
        {"bell\a", 5, ""},       {"caf\xc3\xa9", 5, ""},
        {"del\x7f", 4, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dmi dmi;
        put("board_asset_tag", rows[i].bytes, rows[i].len);
        dmi_read(dir, &dmi);
        assert_string_equal(dmi.board_asset_tag, rows[i].expected);
    }
}

static void a_long_field_keeps_its_beginning(void **state)
{
    (void)state;
    char text[4096];
    for (size_t len = DMI_FIELD_MAX - 2; len <= sizeof text;
         len += len == DMI_FIELD_MAX ? 3968 : 1) {
        struct dmi dmi;
        memset(text, 'x', sizeof text);
        put("sys_vendor", text, len);
        dmi_read(dir, &dmi);
        assert_int_equal(strlen(dmi.sys_vendor), len < DMI_FIELD_MAX ? len : DMI_FIELD_MAX - 1);
    }
}

static void what_is_not_there_is_empty(void **state)
{
    (void)state;
    struct dmi dmi;
    memset(&dmi, 'x', sizeof dmi);
    int at = open(dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(at, "sys_vendor", 0700), 0);   /* a folder where a file should be */
    assert_int_equal(mkfifoat(at, "bios_vendor", 0600), 0); /* nobody writes: must not hang */
    close(at);
    dmi_read(dir, &dmi);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(dmi_field(&dmi, names[i]), "");
    memset(&dmi, 'x', sizeof dmi);
    dmi_read("/nonexistent", &dmi);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(dmi_field(&dmi, names[i]), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_what_gce_shows, empty_dir),
        cmocka_unit_test_teardown(what_is_read_is_trimmed_and_cut, empty_dir),
        cmocka_unit_test_teardown(a_long_field_keeps_its_beginning, empty_dir),
        cmocka_unit_test_teardown(what_is_not_there_is_empty, empty_dir),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
