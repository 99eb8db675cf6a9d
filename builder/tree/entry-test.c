#include "builder/tree/tree-fixture.h"

static void paths_must_be_clean(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    static const char *const bad[] = {"",      "etc",  "/",     "/etc/",   "//etc",
                                      "/a//b", "/./a", "/a/..", "/a/../b", "/a\nb"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(tree, entry_dir(bad[i], 0755), "not a clean absolute path");
    add(tree, entry_dir("/...", 0755));
    add(tree, entry_dir("/.hidden/..x", 0755));
    assert_int_equal(tree->count, 2);
}

static void contents_must_fit_types(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    struct entry both = entry_text("/a", "x", NULL);
    both.host = heap_copy("/etc/passwd");
    refuse(tree, both, "either a text or a file of the host");
    refuse(tree, (struct entry){.path = heap_copy("/a"), .type = ENTRY_FILE}, "either a text");
    refuse(tree, (struct entry){.path = heap_copy("/a"), .type = ENTRY_LINK}, "needs a target");
    refuse(tree, entry_dir("/a", 010755), "more than permission bits");
    struct entry dir = entry_dir("/a", 0755), link = entry_link("/a", "b");
    dir.text = heap_copy("x");
    link.host = heap_copy("/etc/passwd");
    refuse(tree, dir, "/a: a directory has no content");
    refuse(tree, link, "/a: a link has no content");
}

static void hard_links_name_another_file(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    struct entry full = entry_hardlink("/a", "/b"), marked = entry_hardlink("/a", "/b");
    full.text = heap_copy("x");
    add_xattr(&marked, "user.x", "1");
    refuse(tree, full, "/a: a hard link has no content");
    refuse(tree, marked, "/a: a hard link has the extended attributes of its file");
    refuse(tree, entry_hardlink("/a", "b"), "/a: file of the hard link: b: not a clean absolute");
    refuse(tree, entry_hardlink("/a", NULL), "/a: file of the hard link: (none): not a clean");
    refuse(tree, entry_hardlink("/a", "/a"), "/a: is a hard link to itself");
    add(tree, entry_hardlink("/a", "/not/in/the/tree"));
    assert_int_equal(tree->count, 1);
}

static void removals_have_a_path_only(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    struct entry full = entry_gone("/a"), leading = entry_gone("/a"), moded = entry_gone("/a");
    struct entry owned = entry_gone("/a"), marked = entry_gone("/a");
    full.text = heap_copy("x");
    leading.target = heap_copy("x");
    moded.mode = 0644;
    owned.gid = 1;
    add_xattr(&marked, "user.x", "1");
    refuse(tree, full, "/a: a removal has no content");
    refuse(tree, leading, "/a: a removal has no target");
    refuse(tree, moded, "/a: a removal has no mode, owner or extended attributes");
    refuse(tree, owned, "/a: a removal has no mode, owner or extended attributes");
    refuse(tree, marked, "/a: a removal has no mode, owner or extended attributes");
    add(tree, entry_gone("/a"));
    refuse(tree, entry_text("/a", "x", NULL), "/a is a removal (from nodebake) and cannot also be");
    assert_string_equal(entry_type_word(ENTRY_GONE), "gone");
}

static void refuse_xattr(const char *name, const char *message)
{
    struct tree *tree AUTO_TREE = make_tree();
    struct entry entry = entry_text("/a", "x", NULL);
    add_xattr(&entry, "user.first", "1");
    add_xattr(&entry, name, "2");
    refuse(tree, entry, message);
    assert_int_equal(tree->count, 0);
}

static void xattrs_must_be_ones_that_linux_takes(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    char name[258], *value AUTO_FREE = heap_array(64 * 1024 + 2, 1);
    memset(name, 'x', sizeof name);
    memcpy(name, "user.", 5);
    memset(value, 'x', 64 * 1024 + 1);
    name[sizeof name - 2] = '\0';
    refuse_xattr("", "/a: extended attribute '': begin with user., security., system. or trusted.");
    refuse_xattr("capability", "/a: extended attribute 'capability': begin with user.");
    refuse_xattr("user.", "/a: extended attribute 'user.': begin with user.");
    refuse_xattr("user.a\nb", "begin with user.");
    refuse_xattr(name, "255 bytes at most");
    refuse_xattr("user.first", "/a: extended attribute user.first is given twice");
    struct entry large = entry_text("/a", "x", NULL);
    add_xattr(&large, "user.large", value);
    refuse(tree, large, "/a: extended attribute user.large is larger than 65536 bytes");
    name[sizeof name - 3] = '\0';
    value[64 * 1024] = '\0';
    struct entry most = entry_text("/a", "x", NULL);
    add_xattr(&most, name, value);
    add(tree, most);
}

static void xattrs_are_sorted(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_tree();
    struct entry entry = entry_dir("/a", 0755);
    add_xattr(&entry, "user.b", "2");
    add_xattr(&entry, "user.a", "");
    add_xattr(&entry, "security.x", "\x7f\xff");
    add(tree, entry);
    const struct xattr *all = tree->entries[0].xattrs;
    char *hex AUTO_FREE = xattr_hex(&all[0]), *none AUTO_FREE = xattr_hex(&all[1]);
    assert_string_equal(all[0].name, "security.x");
    assert_string_equal(hex, "7fff");
    assert_string_equal(all[1].name, "user.a");
    assert_string_equal(none, "");
    assert_string_equal(all[2].name, "user.b");
}

static void sizes_come_from_content(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    uint64_t size = 99;
    struct entry text = {.path = "/a", .type = ENTRY_FILE, .text = "abc", .len = 3};
    assert_int_equal(entry_size(&text, &size, &err), 0);
    assert_int_equal(size, 3);
    struct entry dir = {.path = "/a", .type = ENTRY_DIR};
    assert_int_equal(entry_size(&dir, &size, &err), 0);
    assert_int_equal(size, 0);
    struct entry absent = {.path = "/a", .type = ENTRY_FILE, .host = "/nonexistent/kubelet"};
    assert_int_equal(entry_size(&absent, &size, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/kubelet: No such file"));
    struct entry folder = {.path = "/a", .type = ENTRY_FILE, .host = "/"};
    assert_int_equal(entry_size(&folder, &size, &err), -1);
    assert_non_null(strstr(err.text, "not a regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_must_be_clean),
        cmocka_unit_test(contents_must_fit_types),
        cmocka_unit_test(hard_links_name_another_file),
        cmocka_unit_test(removals_have_a_path_only),
        cmocka_unit_test(xattrs_must_be_ones_that_linux_takes),
        cmocka_unit_test(xattrs_are_sorted),
        cmocka_unit_test(sizes_come_from_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
