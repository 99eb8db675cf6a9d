/* What a node's tree has that its role's has not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/build/delta.h"
#include "builder/heap.h"
#include "common/file.h"

static void add(struct tree *tree, struct entry entry)
{
    struct error err = ERROR_INIT;
    entry.path = heap_copy(entry.path);
    entry.target = heap_copy(entry.target);
    entry.host = heap_copy(entry.host);
    entry.text = heap_copy(entry.text);
    entry.len = entry.text ? strlen(entry.text) : 0;
    if (tree_add(tree, entry, &err) < 0)
        fail_msg("%s", err.text);
}

static void add_dir(struct tree *tree, char *path)
{
    add(tree, (struct entry){.path = path, .type = ENTRY_DIR, .mode = 0755});
}

static void add_text(struct tree *tree, char *path, char *text, mode_t mode)
{
    add(tree, (struct entry){.path = path, .type = ENTRY_FILE, .mode = mode, .text = text});
}

static void add_gone(struct tree *tree, char *path)
{
    add(tree, (struct entry){.path = path, .type = ENTRY_GONE});
}

static struct tree *make_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    if (tree_create(&tree, &err) < 0)
        fail_msg("%s", err.text);
    add_dir(tree, "/etc");
    add_dir(tree, "/etc/keys");
    add_text(tree, "/etc/same", "same", 0644);
    add(tree, (struct entry){.path = "/etc/link", .type = ENTRY_LINK, .target = "same"});
    return tree;
}

/* Are the paths of the difference these, in this order? */
static void expect(struct tree *below, struct tree *tree, const char *const *paths)
{
    struct error err = ERROR_INIT;
    struct tree delta AUTO_DELTA = {0};
    tree_sort(below);
    tree_sort(tree);
    if (delta_find(below, tree, &delta, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(delta.mtime, tree->mtime);
    for (size_t i = 0; i < delta.count; i++) {
        if (!paths[i])
            fail_msg("%s is in the difference", delta.entries[i].path);
        assert_string_equal(delta.entries[i].path, paths[i]);
    }
    if (paths[delta.count])
        fail_msg("%s is not in the difference", paths[delta.count]);
}
#define EXPECT(below, tree, ...) expect(below, tree, (const char *const[]){__VA_ARGS__, NULL})

static void equal_trees_have_no_difference(void **state)
{
    (void)state;
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    expect(a, b, (const char *const[]){NULL});
}

static void a_new_file_brings_its_directory(void **state)
{
    (void)state;
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    add_text(b, "/etc/keys/own", "key", 0600);
    add_text(b, "/srv/x", "no directory of the tree", 0600);
    EXPECT(a, b, "/etc/keys", "/etc/keys/own", "/srv/x");
}

static void what_differs_is_found(void **state)
{
    (void)state;
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    add_text(a, "/t/content", "one", 0644);
    add_text(b, "/t/content", "two", 0644);
    add_text(a, "/t/length", "one", 0644);
    add_text(b, "/t/length", "one more", 0644);
    add_text(a, "/t/mode", "x", 0644);
    add_text(b, "/t/mode", "x", 0600);
    add(a, (struct entry){.path = "/t/owner", .type = ENTRY_FILE, .text = "x"});
    add(b, (struct entry){.path = "/t/owner", .type = ENTRY_FILE, .text = "x", .uid = 1});
    add(a, (struct entry){.path = "/t/target", .type = ENTRY_LINK, .target = "a"});
    add(b, (struct entry){.path = "/t/target", .type = ENTRY_LINK, .target = "b"});
    add(a, (struct entry){.path = "/t/type", .type = ENTRY_LINK, .target = "a"});
    add_text(b, "/t/type", "x", 0644);
    add_text(a, "/t/zsame", "x", 0644);
    add_text(b, "/t/zsame", "x", 0644);
    EXPECT(a, b, "/t/content", "/t/length", "/t/mode", "/t/owner", "/t/target", "/t/type");
}

static void extended_attributes_count(void **state)
{
    (void)state;
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    struct tree *trees[] = {a, b};
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        struct xattr *xattr = heap_array(1, sizeof *xattr);
        *xattr = (struct xattr){heap_copy("user.x"), heap_copy(i ? "1" : "0"), 1};
        add(trees[i],
            (struct entry){
                .path = "/x", .type = ENTRY_FILE, .text = "", .xattrs = xattr, .xattr_count = 1});
    }
    EXPECT(a, b, "/x");
}

/* The same bytes may lie in memory here and in a file there. */
static void files_of_the_host_are_compared_by_content(void **state)
{
    (void)state;
    char folder[] = "/tmp/nodebake-delta-XXXXXX";
    struct error err = ERROR_INIT;
    assert_non_null(mkdtemp(folder));
    char *path AUTO_FREE = heap_printf("%s/file", folder);
    assert_int_equal(file_publish(AT_FDCWD, path, "text", 4, 0600, &err), 0);
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    add_text(a, "/h/same", "text", 0644);
    add(b, (struct entry){.path = "/h/same", .type = ENTRY_FILE, .mode = 0644, .host = path});
    add_text(a, "/h/other", "tent", 0644);
    add(b, (struct entry){.path = "/h/other", .type = ENTRY_FILE, .mode = 0644, .host = path});
    EXPECT(a, b, "/h/other");
    assert_int_equal(unlink(path), 0);
    struct tree delta = {0};
    assert_int_equal(delta_find(a, b, &delta, &err), -1);
    assert_non_null(strstr(err.text, "/file: No such file"));
    assert_int_equal(rmdir(folder), 0);
}

static void removals_are_part_of_it(void **state)
{
    (void)state;
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    add_gone(a, "/etc/keys/both");
    add_gone(b, "/etc/keys/both");
    add_gone(a, "/r/again");
    add_text(b, "/r/again", "x", 0644);
    add_text(a, "/r/gone", "x", 0644);
    add_gone(b, "/r/gone");
    EXPECT(a, b, "/r/again", "/r/gone");
    add_gone(b, "/etc/keys/own");
    EXPECT(a, b, "/etc/keys", "/etc/keys/own", "/r/again", "/r/gone");
}

static void nothing_gets_lost(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree delta = {0};
    struct tree *a AUTO_TREE = make_tree(), *b AUTO_TREE = make_tree();
    add_text(a, "/etc/only", "x", 0644);
    assert_int_equal(delta_find(a, b, &delta, &err), -1);
    assert_string_equal(err.text, "/etc/only is in the role's image and not in the node's");
    struct tree *c AUTO_TREE = make_tree();
    add_gone(c, "/etc/gone");
    assert_int_equal(delta_find(c, b, &delta, &err), -1);
    assert_string_equal(err.text,
                        "/etc/gone is removed from the role's image and not from the node's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_trees_have_no_difference),
        cmocka_unit_test(a_new_file_brings_its_directory),
        cmocka_unit_test(what_differs_is_found),
        cmocka_unit_test(extended_attributes_count),
        cmocka_unit_test(files_of_the_host_are_compared_by_content),
        cmocka_unit_test(removals_are_part_of_it),
        cmocka_unit_test(nothing_gets_lost),
    };
    return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
