#include "builder/tree/tree-fixture.h"

static void one_path_has_one_origin(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    add(tree, entry_text("/etc/a", "1", "overlay one"));
    refuse(tree, entry_text("/etc/a", "2", "overlay two"), "both overlay one and overlay two");
    refuse(tree, entry_dir("/etc/a", 0755), "is a file (from overlay one)");
    add(tree, entry_text("/etc/a", "3", "overlay one"));
    assert_string_equal(tree_find(tree, "/etc/a")->text, "3");
    add(tree, entry_dir("/etc", 0755));
    add(tree, entry_dir("/etc", 0700));
    assert_int_equal(tree_find(tree, "/etc")->mode, 0700);
    assert_int_equal(tree->count, 2);
    assert_null(tree_find(tree, "/et"));
}

static void parents_sort_first(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    add(tree, entry_text("/b/c", "", NULL));
    add(tree, entry_dir("/b-a", 0755));
    add(tree, entry_dir("/b", 0755));
    tree_sort(tree);
    assert_string_equal(tree->entries[0].path, "/b");
    assert_string_equal(tree->entries[1].path, "/b-a");
    assert_string_equal(tree->entries[2].path, "/b/c");
}

static void date_comes_from_environment(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    setenv("SOURCE_DATE_EPOCH", "1600000000", 1);
    assert_int_equal(tree_create(&tree, &err), 0);
    assert_int_equal(tree->mtime, 1600000000);
    tree_free(tree);
    static const char *const bad[] = {"-1", "1x", " 1", "4294967296", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv("SOURCE_DATE_EPOCH", bad[i], 1);
        assert_int_equal(tree_create(&tree, &err), -1);
        assert_non_null(strstr(err.text, "SOURCE_DATE_EPOCH"));
    }
    unsetenv("SOURCE_DATE_EPOCH");
    tree = make_tree();
    assert_int_equal(tree->mtime, 1577836800);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_path_has_one_origin),
        cmocka_unit_test(parents_sort_first),
        cmocka_unit_test(date_comes_from_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
