#include "builder/tree/tree-fixture.h"

static const char MANIFEST_EXPECTED[] =
    "{\n"
    "  \"build\": \"%.16s\",\n"
    "  \"entries\": [\n"
    "    {\n"
    "      \"gid\": 0,\n"
    "      \"mode\": \"0700\",\n"
    "      \"path\": \"/k\",\n"
    "      \"type\": \"dir\",\n"
    "      \"uid\": 0\n"
    "    },\n"
    "    {\n"
    "      \"gid\": 8,\n"
    "      \"mode\": \"0600\",\n"
    "      \"path\": \"/k/key\",\n"
    "      \"sha256\": \"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\",\n"
    "      \"size\": 3,\n"
    "      \"type\": \"file\",\n"
    "      \"uid\": 7\n"
    "    },\n"
    "    {\n"
    "      \"gid\": 0,\n"
    "      \"mode\": \"0777\",\n"
    "      \"path\": \"/k/link\",\n"
    "      \"target\": \"key\",\n"
    "      \"type\": \"link\",\n"
    "      \"uid\": 0\n"
    "    }\n"
    "  ],\n"
    "  \"version\": 1\n"
    "}\n";

static void add_three(struct tree *tree, const char *content)
{
    struct entry key = entry_text("/k/key", content, NULL);
    key.mode = 0600;
    key.uid = 7;
    key.gid = 8;
    key.secret = true;
    add(tree, entry_link("/k/link", "key"));
    add(tree, key);
    add(tree, entry_dir("/k", 0700));
}

static void manifest_is_golden(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *tree AUTO_TREE = make_tree();
    add_three(tree, "key");
    assert_int_equal(tree_add_manifest(tree, &err), 0);
    const struct entry *manifest = tree_find(tree, "/usr/lib/nodebake/manifest.json");
    assert_non_null(manifest);
    assert_int_equal(manifest->mode, 0644);
    assert_int_equal(manifest->len, strlen(manifest->text));
    const char *id = strstr(manifest->text, "\"build\": \"");
    assert_non_null(id);
    id += strlen("\"build\": \"");
    assert_int_equal(strspn(id, "0123456789abcdef"), 16);
    char expected[sizeof MANIFEST_EXPECTED + 16];
    snprintf(expected, sizeof expected, MANIFEST_EXPECTED, id);
    assert_string_equal(manifest->text, expected);
    assert_string_equal(tree->entries[tree->count - 1].path, "/usr/lib/nodebake/manifest.json");
}

static void build_id_follows_content(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *a AUTO_TREE = make_tree();
    struct tree *b AUTO_TREE = make_tree();
    struct tree *c AUTO_TREE = make_tree();
    add_three(a, "key");
    add_three(b, "key");
    add_three(c, "other");
    assert_int_equal(tree_add_manifest(a, &err), 0);
    assert_int_equal(tree_add_manifest(b, &err), 0);
    assert_int_equal(tree_add_manifest(c, &err), 0);
    const char *path = "/usr/lib/nodebake/manifest.json";
    assert_string_equal(tree_find(a, path)->text, tree_find(b, path)->text);
    assert_int_not_equal(strncmp(tree_find(a, path)->text, tree_find(c, path)->text, 30), 0);
}

/* "/a-b" sorts between a file "/a" and what lies below it. */
static void manifest_refuses_children_of_files(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *tree AUTO_TREE = make_tree();
    add(tree, entry_text("/a", "x", NULL));
    add(tree, entry_text("/a-b", "x", NULL));
    add(tree, entry_text("/a/b/c", "x", NULL));
    assert_int_equal(tree_add_manifest(tree, &err), -1);
    assert_string_equal(err.text, "manifest: /a/b/c lies below /a, which is a file");
}

static void manifest_refuses_hard_links_to_no_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *a AUTO_TREE = make_tree();
    struct tree *b AUTO_TREE = make_tree();
    struct tree *c AUTO_TREE = make_tree();
    add(a, entry_dir("/d", 0755));
    add(a, entry_hardlink("/h", "/d"));
    assert_int_equal(tree_add_manifest(a, &err), -1);
    assert_string_equal(err.text,
                        "manifest: /h is a hard link to /d, which is a directory and not a file");
    add(b, entry_hardlink("/h", "/i"));
    add(b, entry_hardlink("/i", "/in/the/base"));
    assert_int_equal(tree_add_manifest(b, &err), -1);
    assert_string_equal(err.text,
                        "manifest: /h is a hard link to /i, which is a hard link and not a file");
    add(c, entry_hardlink("/h", "/in/the/base"));
    add(c, entry_text("/h/below", "x", NULL));
    assert_int_equal(tree_add_manifest(c, &err), -1);
    assert_string_equal(err.text, "manifest: /h/below lies below /h, which is a hard link");
}

static void expect_manifest(struct tree *tree, const char *needle)
{
    struct error err = ERROR_INIT;
    assert_int_equal(tree_add_manifest(tree, &err), 0);
    const struct entry *manifest = tree_find(tree, TREE_MANIFEST);
    if (!strstr(manifest->text, needle))
        fail_msg("'%s' lacks '%s'", manifest->text, needle);
}

static void manifest_shows_hard_links_and_xattrs(void **state)
{
    (void)state;
    struct tree *links AUTO_TREE = make_tree();
    struct tree *xattrs AUTO_TREE = make_tree();
    add(links, entry_text("/z", "x", NULL));
    add(links, entry_hardlink("/h", "/z"));
    expect_manifest(links, "    {\n"
                           "      \"path\": \"/h\",\n"
                           "      \"target\": \"/z\",\n"
                           "      \"type\": \"hardlink\"\n"
                           "    },\n");
    struct entry dir = entry_dir("/d", 0750);
    add_xattr(&dir, "user.b", "\xff");
    add_xattr(&dir, "security.a", "ab");
    add(xattrs, dir);
    expect_manifest(xattrs, "      \"type\": \"dir\",\n"
                            "      \"uid\": 0,\n"
                            "      \"xattrs\": {\n"
                            "        \"security.a\": \"6162\",\n"
                            "        \"user.b\": \"ff\"\n"
                            "      }\n");
}

static void manifest_shows_removals(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *tree AUTO_TREE = make_tree();
    struct tree *below AUTO_TREE = make_tree();
    add(tree, entry_gone("/g"));
    expect_manifest(tree, "  \"entries\": [\n"
                          "    {\n"
                          "      \"path\": \"/g\",\n"
                          "      \"type\": \"gone\"\n"
                          "    }\n"
                          "  ],\n");
    add(below, entry_gone("/g"));
    add(below, entry_text("/g/h", "x", NULL));
    assert_int_equal(tree_add_manifest(below, &err), -1);
    assert_string_equal(err.text, "manifest: /g/h lies below /g, which is a removal");
}

static void manifest_needs_files_and_utf8(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct tree *tree AUTO_TREE = make_tree();
    add(tree, (struct entry){.path = heap_copy("/bin/kubelet"),
                             .type = ENTRY_FILE,
                             .host = heap_copy("/nonexistent/kubelet")});
    assert_int_equal(tree_add_manifest(tree, &err), -1);
    assert_string_equal(err.text, "manifest: /bin/kubelet: /nonexistent/kubelet: No such file or "
                                  "directory");
    struct tree *latin AUTO_TREE = make_tree();
    add(latin, entry_dir("/caf\xe9", 0755));
    assert_int_equal(tree_add_manifest(latin, &err), -1);
    assert_non_null(strstr(err.text, "not UTF-8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_is_golden),
        cmocka_unit_test(build_id_follows_content),
        cmocka_unit_test(manifest_refuses_children_of_files),
        cmocka_unit_test(manifest_refuses_hard_links_to_no_file),
        cmocka_unit_test(manifest_shows_hard_links_and_xattrs),
        cmocka_unit_test(manifest_shows_removals),
        cmocka_unit_test(manifest_needs_files_and_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
