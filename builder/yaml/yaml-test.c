/* Documents, maps and lists; the readers of single values are in values-test.c. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/yaml/yaml.h"
#include "common/file.h"

/* What the tests read: a map with a text, a number of bytes, and lists. */
struct thing {
    char *name;
    uint64_t size;
    char *items[4];
    size_t item_count;
};

static int append_item(struct yaml_ref ref, void *dest, struct error *err)
{
    struct thing *thing = dest;
    return yaml_read_text(ref, &thing->items[thing->item_count++], err);
}

static int read_items(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, 3, append_item, dest, err);
}

static int append_pair(const char *key, struct yaml_ref key_ref, struct yaml_ref value, void *dest,
                       struct error *err)
{
    struct thing *thing = dest;
    const char *text;
    if (yaml_scalar(value, &text, err) < 0)
        return -1;
    thing->items[thing->item_count++] = heap_printf("%u:%s=%s", yaml_line(key_ref), key, text);
    return 0;
}

static int read_pairs(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, 2, append_pair, dest, err);
}

static int read_thing(const char *text, size_t len, struct thing *thing, struct problems *problems,
                      struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", yaml_read_text, offsetof(struct thing, name), true},
        {"size", yaml_read_size, offsetof(struct thing, size), false},
        {"items", read_items, 0, false},
        {"pairs", read_pairs, 0, false},
    };
    struct yaml_file *file AUTO_YAML = NULL;
    if (yaml_parse("f", text, len, problems, &file, err) < 0)
        return -1;
    return problems_settle(
        problems, yaml_read_map(yaml_root(file), fields, ARRAY_LEN(fields), thing, err), err);
}

static void free_thing(struct thing *thing)
{
    free(thing->name);
    for (size_t i = 0; i < thing->item_count; i++)
        free(thing->items[i]);
}
#define AUTO_THING __attribute__((cleanup(free_thing)))

/* `lines`: all the problems, a line each, and a newline between. */
static void check_error(const char *text, size_t len, const char *lines)
{
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct thing thing AUTO_THING = {0};
    char *got AUTO_FREE = NULL;
    size_t got_len = 0;
    if (read_thing(text, len, &thing, &problems, &err) == 0)
        fail_msg("'%s' was read", text);
    FILE *out = open_memstream(&got, &got_len);
    assert_non_null(out);
    problems_print(&problems, out);
    assert_int_equal(fclose(out), 0);
    char *wanted AUTO_FREE = heap_printf("%s\n", lines);
    assert_string_equal(got, wanted);
    char *count AUTO_FREE =
        heap_printf("f: %zu problem%s", problems.count, problems.count == 1 ? "" : "s");
    assert_string_equal(err.text, count);
}

struct refusal {
    const char *text, *message;
};

static void check_refusals(const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_error(rows[i].text, strlen(rows[i].text), rows[i].message);
}

static void maps_and_lists_are_read(void **state)
{
    static const char text[] = "# a comment\n"
                               "size: 2MiB\n"
                               "name: \"a: b\"\n"
                               "items: [one, 'two']\n"
                               "pairs:\n"
                               "  x: 1\n"
                               "  y: 2\n";
    (void)state;
    struct error err = ERROR_INIT;
    struct thing thing AUTO_THING = {0};
    struct problems problems AUTO_PROBLEMS = {0};
    if (read_thing(text, sizeof text - 1, &thing, &problems, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(err.text, "");
    assert_string_equal(thing.name, "a: b");
    assert_int_equal(thing.size, 2 << 20);
    assert_int_equal(thing.item_count, 4);
    assert_string_equal(thing.items[0], "one");
    assert_string_equal(thing.items[1], "two");
    assert_string_equal(thing.items[2], "6:x=1");
    assert_string_equal(thing.items[3], "7:y=2");
}

static void keys_that_are_optional_may_be_left_out(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct thing thing AUTO_THING = {.size = 7};
    assert_int_equal(read_thing("---\nname: x\n...\n", 16, &thing, &problems, &err), 0);
    assert_string_equal(thing.name, "x");
    assert_int_equal(thing.size, 7);
    assert_int_equal(thing.item_count, 0);
}

static void maps_are_strict(void **state)
{
    static const struct refusal rows[] = {
        {"size: 1\n", "f:1:1: the key 'name' is missing"},
        {"{}\n", "f:1:1: the key 'name' is missing"},
        {"name: x\nNAME: y\n", "f:2:1: unknown key 'NAME'; known here: name, size, items, pairs"},
        {"NAME: x\n", "f:1:1: unknown key 'NAME'; did you mean 'name'?"},
        {"nmae: [x]\n", "f:1:1: unknown key 'nmae'; did you mean 'name'?\n"
                        "f:1:7: a list stands where a single value belongs"},
        {"nm: x\n", "f:1:1: unknown key 'nm'; known here: name, size, items, pairs\n"
                    "f:1:1: the key 'name' is missing"},
        {"siz: 1\nnamee: x\nsizee: 2\nnames: y\n",
         "f:1:1: unknown key 'siz'; did you mean 'size'?\n"
         "f:2:1: unknown key 'namee'; did you mean 'name'?\n"
         "f:3:1: unknown key 'sizee'; known here: name, size, items, pairs\n"
         "f:4:1: unknown key 'names'; known here: name, size, items, pairs"},
        {"name: x\n'': y\n", "f:2:1: unknown key ''; known here: name, size, items, pairs"},
        {"name: x\nsize: 1\nname: y\n", "f:3:1: 'name' stands here twice; first on line 1"},
        {"name: x\n\"name\": y\n", "f:2:1: 'name' stands here twice; first on line 1"},
        {"name: x\n? [size]\n: 1\n", "f:2:3: a list stands where a single value belongs"},
        {"name: x\n? {size: 1}\n: 1\n", "f:2:3: a map stands where a single value belongs"},
        {"name: x\npairs: {k: 1, k: 2}\n", "f:2:15: 'k' stands here twice; first on line 2"},
        {"name: x\npairs: {a: 1, b: 2, c: [3]}\n", "f:2:8: 3 keys; at most 2 are allowed"},
        {"name: x\npairs: {[a]: 1, [b]: 2}\n",
         "f:2:9: a list stands where a single value belongs\n"
         "f:2:17: a list stands where a single value belongs"},
        {"name: x\npairs: {a: [1]}\n", "f:2:12: a list stands where a single value belongs"},
        {"name: x\npairs: [a]\n", "f:2:8: expected a map (key: value)"},
        {"name: x\npairs: a\n", "f:2:8: expected a map (key: value)"},
        {"- name: x\n", "f:1:1: expected a map (key: value)"},
        {"name\n", "f:1:1: expected a map (key: value)"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void lists_are_bounded(void **state)
{
    static const struct refusal rows[] = {
        {"name: x\nitems: []\n", "f:2:8: 0 items; 1 to 3 are allowed"},
        {"name: x\nitems: [a, b, c, [d]]\n", "f:2:8: 4 items; 1 to 3 are allowed"},
        {"name: x\nitems: [[a], b, '', {}]\n", "f:2:8: 4 items; 1 to 3 are allowed\n"
                                               "f:2:9: a list stands where a single value belongs\n"
                                               "f:2:17: the value is empty"},
        {"name: x\nitems:\n  - a\n  - [b]\n", "f:4:5: a list stands where a single value belongs"},
        {"name: x\nitems:\n  - a\n  - b: c\n", "f:4:5: a map stands where a single value belongs"},
        {"name: x\nitems: a\n", "f:2:8: expected a list (- item)"},
        {"name: x\nitems: {a: b}\n", "f:2:8: expected a list (- item)"},
        {"name: x\nitems:\nsize: 1\n", "f:2:7: expected a list (- item)"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

#define ANCHOR    "anchors and aliases are not allowed here; write the value out"
#define TAG       "tags (!…) are not allowed here; write the plain value"
#define DIRECTIVE "directives (%…) are not allowed here; leave them out"

static void all_problems_are_found(void **state)
{
    static const struct refusal rows[] = {
        {"size: x\nitems:\n  - ''\n  - a\n  - [b]\nother: 1\npairs: {a: 1, a: 2}\nsize: 1\n",
         "f:1:1: the key 'name' is missing\n"
         "f:1:7: 'x' is not a size; write it like 512MiB or 2GiB\n"
         "f:3:5: the value is empty\n"
         "f:5:5: a list stands where a single value belongs\n"
         "f:6:1: unknown key 'other'; known here: name, size, items, pairs\n"
         "f:7:15: 'a' stands here twice; first on line 7\n"
         "f:8:1: 'size' stands here twice; first on line 1"},
        {"name: &n ''\nsize: !!int x\n", "f:1:7: " ANCHOR "\n"
                                         "f:1:7: the value is empty\n"
                                         "f:2:7: " TAG "\n"
                                         "f:2:7: 'x' is not a size; write it like 512MiB or 2GiB"},
        {"size: x\n---\nsize: y\n", "f:1:1: the key 'name' is missing\n"
                                    "f:1:7: 'x' is not a size; write it like 512MiB or 2GiB\n"
                                    "f:2:1: a second document; this file holds one"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void what_these_files_do_not_use_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {"name: &x 1\n", "f:1:7: " ANCHOR},
        {"size: 1\nname: *x\n", "f:2:7: " ANCHOR},
        {"name: x\nitems: &l [1]\n", "f:2:8: " ANCHOR},
        {"name: x\npairs: &m {a: 1}\n", "f:2:8: " ANCHOR},
        {"&k name: x\n", "f:1:1: " ANCHOR},
        {"name: &x 1\nitems: [&x 2, *x]\n",
         "f:1:7: " ANCHOR "\nf:2:9: " ANCHOR "\nf:2:15: " ANCHOR},
        {"name: &x 1\nitems: [&x 2]\n", "f:1:7: " ANCHOR "\nf:2:9: " ANCHOR},
        {"name: x\n<<: *x\n", "f:2:5: " ANCHOR},
        {"name: !!str 1\n", "f:1:7: " TAG},
        {"name: ! 1\n", "f:1:7: " TAG},
        {"name: x\nitems: !l [1]\n", "f:2:8: " TAG},
        {"!m {name: x}\n", "f:1:1: " TAG},
        {"name: &x !!str 1\n", "f:1:7: " ANCHOR "\nf:1:7: " TAG},
        {"%YAML 1.1\n---\nname: x\n", "f:1:1: " DIRECTIVE},
        {"\xef\xbb\xbf%FOO\n---\nname: x\n...\n%FOO", "f:1:1: " DIRECTIVE "\nf:5:1: " DIRECTIVE},
        {"name: x\n---\nname: y\n", "f:2:1: a second document; this file holds one"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
}

static void what_is_not_yaml_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {"name: [1\nsize: 2\n", "f:2:5: not YAML: did not find expected ',' or ']' while parsing a "
                                "flow sequence that begins on line 1"},
        {"name: 1\n size: 2\n", "f:2:6: not YAML: mapping values are not allowed in this context"},
        {"\tname: x\n", "f:1:1: not YAML: found character that cannot start any token"},
        {"name: \"x\n", "f:2:1: not YAML: found unexpected end of stream while scanning a quoted "
                        "scalar that begins on line 1"},
        {"name: x\n}\n", "f:2:1: not YAML: did not find expected key while parsing a block mapping "
                         "that begins on line 1"},
        {"name: &x 1\n}\n", "f:1:7: " ANCHOR "\nf:2:1: not YAML: did not find expected key while "
                            "parsing a block mapping that begins on line 1"},
        {"", "f:1:1: the file is empty"},
        {"# only a comment\n\n", "f:1:1: the file is empty"},
        {"name: ä \xff\n", "f:1:9: the byte 0xff is not UTF-8; save the file as UTF-8"},
        {"\xef\xbb\xbfname: \xff\n", "f:1:7: the byte 0xff is not UTF-8; save the file as UTF-8"},
        {"name: x\nsize: x\x01\n", "f:2:8: not YAML: control characters are not allowed"},
        {"\n\nname: \xc3\n", "f:3:7: the byte 0xc3 is not UTF-8; save the file as UTF-8"},
        {"\xff\xfen", "f:1:1: the file is UTF-16; save it as UTF-8"},
        {"\xfe\xff\nn", "f:1:1: the file is UTF-16; save it as UTF-8"},
    };
    (void)state;
    check_refusals(rows, ARRAY_LEN(rows));
    check_error("name: \"\\0x\"\n", 12, "f:1:7: the value holds a NUL byte");
    check_error("\nna\0e: x", 9, "f:2:3: a NUL byte; the file must be text, in UTF-8");
}

/* Lists in lists, `depth` of them. */
static int parse_nested(size_t depth, struct problems *problems)
{
    struct yaml_file *file AUTO_YAML = NULL;
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < 2 * depth; i++)
        buffer_puts(&text, i < depth ? "[" : "]");
    return yaml_parse("f", text.data, text.len, problems, &file, &err);
}

static void depth_is_bounded(void **state)
{
    static const size_t depths[] = {17, 100000};
    struct problems none AUTO_PROBLEMS = {0};
    (void)state;
    assert_int_equal(parse_nested(16, &none), 0);
    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        struct problems problems AUTO_PROBLEMS = {0};
        assert_int_equal(parse_nested(depths[i], &problems), -1);
        assert_int_equal(problems.count, 1);
        assert_int_equal(problems.items[0].column, 17);
        assert_string_equal(problems.items[0].text,
                            "nested more than 16 deep; nothing here needs that");
    }
}

static void files_are_bounded_and_named(void **state)
{
    (void)state;
    char path[] = "/tmp/nodebake-yaml-test-XXXXXX";
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *file AUTO_YAML = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, "\n  ]\n", 5), 0);
    assert_int_equal(yaml_load(path, &problems, &file, &err), -1);
    char *wrong AUTO_FREE = heap_printf("%s: 1 problem", path);
    assert_string_equal(err.text, wrong);
    assert_string_equal(problems.file, path);
    assert_string_equal(problems.items[0].text, "not YAML: did not find expected node content");
    assert_int_equal(problems.items[0].line * 10 + problems.items[0].column, 23);
    assert_int_equal(ftruncate(fd, YAML_FILE_MAX + 1), 0);
    assert_int_equal(yaml_load(path, &problems, &file, &err), -1);
    char *large AUTO_FREE = heap_printf("%s: larger than the 1000000 bytes allowed", path);
    assert_string_equal(err.text, large);
    assert_int_equal(close(fd) | unlink(path), 0);
    assert_int_equal(yaml_load(path, &problems, &file, &err), -1);
    assert_non_null(strstr(err.text, "No such file or directory"));
    assert_null(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_and_lists_are_read),
        cmocka_unit_test(keys_that_are_optional_may_be_left_out),
        cmocka_unit_test(maps_are_strict),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(all_problems_are_found),
        cmocka_unit_test(what_these_files_do_not_use_is_refused),
        cmocka_unit_test(what_is_not_yaml_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(files_are_bounded_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
