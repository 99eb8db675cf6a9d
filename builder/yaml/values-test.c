#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/yaml/yaml.h"

/* Reads the value of the one key in `text`. */
static int read_value(const char *text, yaml_reader *read, void *dest, struct error *err)
{
    const struct yaml_field field = {"k", read, 0, true};
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *file AUTO_YAML = NULL;
    if (yaml_parse("f", text, strlen(text), &problems, &file, err) < 0)
        return -1;
    return yaml_read_map(yaml_root(file), &field, 1, dest, err);
}

static void take(const char *text, yaml_reader *read, void *dest)
{
    struct error err = ERROR_INIT;
    if (read_value(text, read, dest, &err) < 0)
        fail_msg("%s: %s", text, err.text);
}

struct refusal {
    yaml_reader *read;
    const char *text, *message;
};

/* The destination stays as it was. */
static void refuse(const struct refusal *row)
{
    struct error err = ERROR_INIT;
    unsigned char dest[16] = {0}, zeros[16] = {0};
    if (read_value(row->text, row->read, dest, &err) == 0)
        fail_msg("'%s' was read", row->text);
    assert_string_equal(err.text, row->message);
    assert_memory_equal(dest, zeros, sizeof zeros);
}

static void check_refusals(const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuse(&rows[i]);
}

static void texts_are_read(void **state)
{
    static const struct {
        yaml_reader *read;
        const char *text, *value;
    } rows[] = {
        {yaml_read_text, "k: a b\n", "a b"},
        {yaml_read_text, "k: 'it''s'\n", "it's"},
        {yaml_read_text, "k: ä\n", "ä"},
        {yaml_read_text, "k: 1.21\n", "1.21"},
        {yaml_read_label, "k: worker-0\n", "worker-0"},
        {yaml_read_name, "k: cluster.local\n", "cluster.local"},
        {yaml_read_ipv4, "k: 10.240.0.20\n", "10.240.0.20"},
        {yaml_read_cidr, "k: 10.200.0.0/24\n", "10.200.0.0/24"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *value AUTO_FREE = heap_copy("before"); /* freed by the reader */
        take(rows[i].text, rows[i].read, &value);
        assert_string_equal(value, rows[i].value);
    }
}

static void texts_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {yaml_read_text, "k:\n", "f:1:3: the value is empty"},
        {yaml_read_text, "k: ''\n", "f:1:4: the value is empty"},
        {yaml_read_text, "k: \"a\\nb\"\n", "f:1:4: the value holds a control byte (0x0a)"},
        {yaml_read_text, "k: \"\\e[1m\"\n", "f:1:4: the value holds a control byte (0x1b)"},
        {yaml_read_text, "k: \"\\x7f\"\n", "f:1:4: the value holds a control byte (0x7f)"},
        {yaml_read_text, "k: |\n  a\n  b\n", "f:1:4: the value holds a control byte (0x0a)"},
        {yaml_read_text, "k: [a]\n", "f:1:4: a list stands where a single value belongs"},
        {yaml_read_text, "k: {a: b}\n", "f:1:4: a map stands where a single value belongs"},
        {yaml_read_text, "\n\n  k: \"a\\0b\"\n", "f:3:6: the value holds a NUL byte"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void typed_texts_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {yaml_read_label, "k: Worker\n",
         "f:1:4: 'Worker' is not a DNS label (1 to 63 of a-z, 0-9 and inner '-')"},
        {yaml_read_label, "k: \"a\\e\"\n",
         "f:1:4: 'a?' is not a DNS label (1 to 63 of a-z, 0-9 and inner '-')"},
        {yaml_read_label, "k: []\n", "f:1:4: a list stands where a single value belongs"},
        {yaml_read_name, "k: a..b\n",
         "f:1:4: 'a..b' is not a DNS name (labels of a-z, 0-9, '-', joined by '.')"},
        {yaml_read_name, "k: {}\n", "f:1:4: a map stands where a single value belongs"},
        {yaml_read_ipv4, "k: 10.240.0.256\n",
         "f:1:4: '10.240.0.256' is not an IPv4 address such as 10.240.0.20"},
        {yaml_read_ipv4, "k: '::'\n",
         "f:1:4: IPv6 is not possible here ('::'); write an address such as 10.240.0.20"},
        {yaml_read_ipv4, "k: '[2001:DB8::1]'\n",
         "f:1:4: IPv6 is not possible here ('[2001:DB8::1]'); write an address such as "
         "10.240.0.20"},
        {yaml_read_ipv4, "k: fe80::1%eth0\n",
         "f:1:4: IPv6 is not possible here ('fe80::1%eth0'); write an address such as 10.240.0.20"},
        {yaml_read_ipv4, "k: ::ffff:10.0.0.1\n",
         "f:1:4: IPv6 is not possible here ('::ffff:10.0.0.1'); write an address such as "
         "10.240.0.20"},
        {yaml_read_ipv4, "k: 1:2:3\n", "f:1:4: '1:2:3' is not an IPv4 address such as 10.240.0.20"},
        {yaml_read_cidr, "k: fd00::/48\n",
         "f:1:4: IPv6 is not possible here ('fd00::/48'); write a network such as 10.200.0.0/24"},
        {yaml_read_ipv4, "k: []\n", "f:1:4: a list stands where a single value belongs"},
        {yaml_read_cidr, "k: 10.200.0.1/24\n",
         "f:1:4: '10.200.0.1/24' is not an IPv4 network such as 10.200.0.0/24, host bits zero"},
        {yaml_read_cidr, "k: []\n", "f:1:4: a list stands where a single value belongs"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void numbers_and_flags_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } sizes[] = {
        {"k: 0\n", 0},
        {"k: 512\n", 512},
        {"k: 3KiB\n", 3072},
        {"k: 512MiB\n", UINT64_C(512) << 20},
        {"k: 2 GiB\n", UINT64_C(2) << 30},
        {"k: 010\n", 10},
        {"k: 999999999GiB\n", UINT64_C(999999999) << 30},
    };
    bool yes = false;
    mode_t mode = 0;
    unsigned version = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t size = 1;
        take(sizes[i].text, yaml_read_size, &size);
        assert_int_equal(size, sizes[i].size);
    }
    take("k: true\n", yaml_read_bool, &yes);
    assert_true(yes);
    take("k: false\n", yaml_read_bool, &yes);
    assert_false(yes);
    take("k: 0755\n", yaml_read_mode, &mode);
    assert_int_equal(mode, 0755);
    take("k: '600'\n", yaml_read_mode, &mode);
    assert_int_equal(mode, 0600);
    take("k: 7777\n", yaml_read_mode, &mode);
    assert_int_equal(mode, 07777);
    take("k: 1\n", yaml_read_version1, &version);
    assert_int_equal(version, 1);
}

#define SIZE_HINT "is not a size; write it like 512MiB or 2GiB"
#define MODE_HINT "is not a mode; write it in octal, such as 0755"

static void sizes_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {yaml_read_size, "k:\n", "f:1:3: '' " SIZE_HINT},
        {yaml_read_size, "k: GiB\n", "f:1:4: 'GiB' " SIZE_HINT},
        {yaml_read_size, "k: 2GB\n", "f:1:4: '2GB' " SIZE_HINT},
        {yaml_read_size, "k: 2gib\n", "f:1:4: '2gib' " SIZE_HINT},
        {yaml_read_size, "k: 2  GiB\n", "f:1:4: '2  GiB' " SIZE_HINT},
        {yaml_read_size, "k: -1\n", "f:1:4: '-1' " SIZE_HINT},
        {yaml_read_size, "k: 1.5GiB\n", "f:1:4: '1.5GiB' " SIZE_HINT},
        {yaml_read_size, "k: 0x10\n", "f:1:4: '0x10' " SIZE_HINT},
        {yaml_read_size, "k: 99999999999999999999\n", "f:1:4: '99999999999999999999' " SIZE_HINT},
        {yaml_read_size, "k: 99999999999GiB\n", "f:1:4: '99999999999GiB' " SIZE_HINT},
        {yaml_read_size, "k: [1]\n", "f:1:4: a list stands where a single value belongs"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void modes_flags_and_versions_are_checked(void **state)
{
    static const struct refusal rows[] = {
        {yaml_read_mode, "k:\n", "f:1:3: '' " MODE_HINT},
        {yaml_read_mode, "k: 75\n", "f:1:4: '75' " MODE_HINT},
        {yaml_read_mode, "k: 00755\n", "f:1:4: '00755' " MODE_HINT},
        {yaml_read_mode, "k: 0789\n", "f:1:4: '0789' " MODE_HINT},
        {yaml_read_mode, "k: u=rw\n", "f:1:4: 'u=rw' " MODE_HINT},
        {yaml_read_mode, "k: 0o755\n", "f:1:4: '0o755' " MODE_HINT},
        {yaml_read_mode, "k: {}\n", "f:1:4: a map stands where a single value belongs"},
        {yaml_read_bool, "k: yes\n", "f:1:4: 'yes' is neither true nor false"},
        {yaml_read_bool, "k: True\n", "f:1:4: 'True' is neither true nor false"},
        {yaml_read_bool, "k:\n", "f:1:3: '' is neither true nor false"},
        {yaml_read_bool, "k: \"\\e[31mx\\n\"\n", "f:1:4: '?[31mx?' is neither true nor false"},
        {yaml_read_bool, "k: []\n", "f:1:4: a list stands where a single value belongs"},
        {yaml_read_version1, "k: 2\n",
         "f:1:4: version '2' is not known to nodebake " NODEBAKE_VERSION "; write 1"},
        {yaml_read_version1, "k: 1.0\n",
         "f:1:4: version '1.0' is not known to nodebake " NODEBAKE_VERSION "; write 1"},
        {yaml_read_version1, "k: []\n", "f:1:4: a list stands where a single value belongs"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(typed_texts_are_checked),
        cmocka_unit_test(numbers_and_flags_are_read),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(modes_flags_and_versions_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
