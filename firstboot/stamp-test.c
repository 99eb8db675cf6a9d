#include "firstboot/root-fixture.h"
#include "firstboot/stamp.h"

#define GOOD "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n"

static struct stamp stamp;
static struct dirs dirs;
static struct error err;

static bool parse(const char *text)
{
    char bytes[1024];
    size_t n = strlen(text);
    memcpy(bytes, text, n);
    return stamp_parse(bytes, n, &stamp);
}

static void a_stamp_is_read(void **state)
{
    (void)state;
    assert_true(parse(GOOD));
    assert_string_equal(stamp.source, "gce");
    assert_string_equal(stamp.identity, "product_uuid:9b3c");
    assert_string_equal(stamp.node, "worker-0");
}

static void half_and_foreign_stamps_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "nodebake-stamp 1\n",
        "nodebake-stamp 2\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n",
        "nodebake-stamp 1\nsource gce\nnode worker-0\nidentity product_uuid:9b3c\n",
        "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode \n",
        "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode\n",
        "nodebake-stamp 1\nsource gce\nidentity product uuid:9b3c\nnode worker-0\n",
        GOOD "more\n",
        GOOD "\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse(bad[i]));
    char cut[sizeof GOOD];
    for (size_t n = 0; n < sizeof GOOD - 1; n++) {
        memcpy(cut, GOOD, n);
        assert_false(stamp_parse(cut, n, &stamp));
    }
}

static void the_node_does_not_make_a_difference(void **state)
{
    (void)state;
    static const struct stamp a = {.source = "gce", .identity = "product_uuid:1", .node = "a"};
    struct stamp b = a;
    strcpy(b.node, "b");
    assert_true(stamp_same(&a, &b));
    strcpy(b.identity, "product_uuid:2");
    assert_false(stamp_same(&a, &b));
    b = a;
    strcpy(b.source, "file");
    assert_false(stamp_same(&a, &b));
}

static int setup(void **state)
{
    root_setup(state);
    dirs_init(&dirs, root);
    return 0;
}

static int teardown(void **state)
{
    dirs_close(&dirs);
    return root_teardown(state);
}

static void what_was_published_is_read(void **state)
{
    (void)state;
    static const struct stamp wanted = {
        .source = "gce", .identity = "product_uuid:9b3c", .node = "worker-0"};
    assert_int_equal(stamp_read(root, &stamp, &err), 0);
    assert_int_equal(stamp_publish(&dirs, &wanted, &err), 0);
    assert_string_equal(get("var/lib/nodebake/stamp"), GOOD);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, S_IFREG | 0644);
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp_same(&stamp, &wanted));
    assert_string_equal(stamp.node, "worker-0");
    assert_int_equal(left_over(), 0);
}

static void a_stamp_is_taken_away(void **state)
{
    (void)state;
    assert_int_equal(stamp_remove(&dirs, &err), 0); /* there is not even its directory */
    assert_int_equal(look("var").st_mode, 0);
    put("var/lib/nodebake/stamp", GOOD);
    assert_int_equal(stamp_remove(&dirs, &err), 0);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, 0);
    assert_int_equal(stamp_remove(&dirs, &err), 0);
}

static void what_is_no_file_is_told(void **state)
{
    (void)state;
    put("var/lib/nodebake/stamp/x", "");
    assert_int_equal(stamp_read(root, &stamp, &err), -1);
    assert_string_equal(err.text, "/var/lib/nodebake/stamp: not a regular file");
    assert_int_equal(stamp_remove(&dirs, &err), -1);
    assert_string_equal(err.text, "take the stamp away: Is a directory");
    assert_int_equal(stamp_publish(&dirs, &stamp, &err), -1);
    assert_memory_equal(err.text, "write the stamp: ", 17);
    assert_int_equal(left_over(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_read),
        cmocka_unit_test(half_and_foreign_stamps_are_none),
        cmocka_unit_test(the_node_does_not_make_a_difference),
        TEST(what_was_published_is_read),
        TEST(a_stamp_is_taken_away),
        TEST(what_is_no_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
