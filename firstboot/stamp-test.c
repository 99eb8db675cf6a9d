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

static void an_instance_and_files_may_follow(void **state)
{
    (void)state;
    char text[] = GOOD "instance 4711\nfile /a/b.pem\nfile /c\n";
    assert_true(stamp_parse(text, sizeof text - 1, &stamp));
    assert_string_equal(stamp.instance, "4711");
    assert_int_equal(stamp.file_count, 2);
    assert_string_equal(stamp.files[0], "/a/b.pem");
    assert_string_equal(stamp.files[1], "/c");
    static const char *const bad[] = {
        GOOD "instance \n",    GOOD "instance a b\n",        GOOD "file a\n",
        GOOD "file /a/../b\n", GOOD "file /a\ninstance 1\n", GOOD "file /a",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse(bad[i]));
    static char many[sizeof GOOD + 33 * 8] = GOOD;
    for (int i = 0; i < 33; i++)
        strcat(many, "file /a\n");
    assert_false(stamp_parse(many, strlen(many), &stamp));
}

static const struct {
    struct stamp found, wanted;
    bool others;
} machines[] = {
    {{.source = "gce", .identity = "u:1"}, {.source = "gce", .identity = "u:1"}, false},
    {{.source = "gce", .identity = "u:1"}, {.source = "gce", .identity = "u:2"}, true},
    {{.source = "gce", .identity = "u:1"}, {.source = "aws", .identity = "u:1"}, true},
    /* the platform's own name counts where both have one: of one source */
    {{.source = "gce", .identity = "u:1", .instance = "7"},
     {.source = "gce", .identity = "u:1", .instance = "8"},
     true},
    {{.source = "gce", .identity = "u:1", .instance = "7"},
     {.source = "gce", .identity = "u:2", .instance = "7"},
     false},
    {{.source = "gce", .identity = "u:1", .instance = "7"},
     {.source = "gce", .identity = "u:2"},
     true},
    {{.source = "gce", .identity = "u:1", .instance = "7"},
     {.source = "aws", .identity = "u:2", .instance = "7"},
     true},
    /* nobody was there before, or nobody knows who is here */
    {{.source = ""}, {.source = "gce", .identity = "u:1"}, false},
    {{.source = "gce", .identity = "u:1"}, {.source = ""}, false},
    /* finished offline, and booted then */
    {{.source = "file", .identity = "file:a", .node = "a"},
     {.source = "gce", .identity = "u:1", .node = "a"},
     false},
    {{.source = "file", .identity = "file:a", .node = "a"},
     {.source = "gce", .identity = "u:1", .node = "b"},
     true},
    /* and its metadata could not be had, so nobody knows which node it is */
    {{.source = "file", .identity = "file:a", .node = "a"},
     {.source = "gce", .identity = "u:1"},
     false},
    /* finished by metadata, and then by hand */
    {{.source = "gce", .identity = "u:1", .instance = "7", .node = "a"},
     {.source = "file", .identity = "file:a", .node = "a"},
     false},
    {{.source = "aws", .identity = "u:1", .node = "a"},
     {.source = "file", .identity = "file:b", .node = "b"},
     true},
    {{.source = "file", .identity = "file:a", .node = "a"},
     {.source = "file", .identity = "file:b", .node = "b"},
     true},
    {{.source = "gce", .identity = "u:1", .node = "a"},
     {.source = "file", .identity = "file:b"},
     false},
    /* it failed before it knew its node */
    {{.source = "gce", .identity = "u:1", .node = "-"},
     {.source = "file", .identity = "file:b", .node = "b"},
     false},
    {{.source = "gce", .identity = "u:1", .node = "-"},
     {.source = "gce", .identity = "u:2", .node = "b"},
     true},
};

static void another_machine_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (stamp_is_others(&machines[i].found, &machines[i].wanted) != machines[i].others)
            fail_msg("case %zu", i);
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
    assert_int_equal(stamp_begin(&dirs, &wanted, "file /a\n", &err), 0);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, 0);
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp.before && stamp_same(&stamp, &wanted) && stamp.file_count == 1);
    assert_int_equal(stamp_begin(&dirs, &wanted, "", &err), 0);
    assert_int_equal(stamp_finish(&dirs, &err), 0);
    assert_int_equal(look("var/lib/nodebake/stamp-before").st_mode, 0);
    assert_string_equal(get("var/lib/nodebake/stamp"), GOOD);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, S_IFREG | 0644);
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp_same(&stamp, &wanted));
    assert_string_equal(stamp.node, "worker-0");
    assert_int_equal(left_over(), 0);
}

static void a_stamp_is_put_aside(void **state)
{
    (void)state;
    assert_int_equal(stamp_put_aside(&dirs, false, &err), 0); /* there is not even its directory */
    assert_int_equal(look("var").st_mode, 0);
    put("var/lib/nodebake/stamp", GOOD);
    assert_int_equal(stamp_put_aside(&dirs, false, &err), 0);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, 0);
    assert_int_equal(stamp_put_aside(&dirs, false, &err), 0);
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp.before);
    assert_string_equal(stamp.node, "worker-0");
    static const struct stamp wanted = {.source = "aws", .identity = "product_uuid:1"};
    assert_int_equal(stamp_begin(&dirs, &wanted, "", &err), 0); /* in its place, of no node yet */
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp.before && stamp_same(&stamp, &wanted));
    assert_string_equal(stamp.node, "-");
}

static void what_is_no_stamp_counts_as_none(void **state)
{
    (void)state;
    static char large[48 * 1024];
    memset(large, 'a', sizeof large - 1);
    put("var/lib/nodebake/stamp", large);
    assert_int_equal(stamp_read(root, &stamp, &err), 0);
    assert_true(stamp.damaged);
    put("var/lib/nodebake/stamp", "nodebake-stamp 1\n");
    assert_int_equal(stamp_read(root, &stamp, &err), 0);
    assert_true(stamp.damaged);
    put("var/lib/nodebake/stamp-before", GOOD);
    assert_int_equal(stamp_read(root, &stamp, &err), 1);
    assert_true(stamp.damaged && stamp.before);
}

static void what_is_no_file_counts_as_none(void **state)
{
    (void)state;
    put("var/lib/nodebake/stamp/x", "");
    assert_int_equal(stamp_read(root, &stamp, &err), 0);
    assert_true(stamp.damaged);
    static const struct stamp wanted = {.source = "gce", .identity = "product_uuid:1"};
    assert_int_equal(stamp_put_aside(&dirs, false, &err), 0);
    assert_int_equal(stamp_begin(&dirs, &wanted, "", &err), -1);
    assert_string_equal(err.text, "put the stamp in place: Directory not empty");
    assert_int_equal(left_over(), 0);
    assert_int_equal(unlinkat(root, "var/lib/nodebake/stamp-before/x", 0), 0);
    assert_int_equal(stamp_begin(&dirs, &wanted, "", &err), 0);
    assert_int_equal(stamp_finish(&dirs, &err), 0);
    assert_int_equal(look("var/lib/nodebake/stamp").st_mode, S_IFREG | 0644);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_read),
        cmocka_unit_test(half_and_foreign_stamps_are_none),
        cmocka_unit_test(an_instance_and_files_may_follow),
        cmocka_unit_test(another_machine_is_told),
        cmocka_unit_test(the_node_does_not_make_a_difference),
        TEST(what_was_published_is_read),
        TEST(a_stamp_is_put_aside),
        TEST(what_is_no_stamp_counts_as_none),
        TEST(what_is_no_file_counts_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
