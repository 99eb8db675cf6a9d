#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/tree/tree.h"

static struct entry entry_dir(const char *path, mode_t mode)
{
    return (struct entry){.path = heap_copy(path), .type = ENTRY_DIR, .mode = mode};
}

static struct entry entry_text(const char *path, const char *text, const char *source)
{
    return (struct entry){.path = heap_copy(path),
                          .type = ENTRY_FILE,
                          .mode = 0644,
                          .text = heap_copy(text),
                          .len = strlen(text),
                          .source = heap_copy(source)};
}

static struct entry entry_link(const char *path, const char *target)
{
    return (struct entry){.path = heap_copy(path), .type = ENTRY_LINK, .target = heap_copy(target)};
}

static struct tree *make_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    assert_int_equal(tree_create(&tree, &err), 0);
    return tree;
}

static void add(struct tree *tree, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (tree_add(tree, entry, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuse(struct tree *tree, struct entry entry, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(tree_add(tree, entry, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

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
}

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
        cmocka_unit_test(paths_must_be_clean),
        cmocka_unit_test(contents_must_fit_types),
        cmocka_unit_test(one_path_has_one_origin),
        cmocka_unit_test(parents_sort_first),
        cmocka_unit_test(date_comes_from_environment),
        cmocka_unit_test(sizes_come_from_content),
        cmocka_unit_test(manifest_is_golden),
        cmocka_unit_test(build_id_follows_content),
        cmocka_unit_test(manifest_refuses_children_of_files),
        cmocka_unit_test(manifest_needs_files_and_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
