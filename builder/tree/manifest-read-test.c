/* Manifests read back: what was written comes out again, and what was changed is found. */
#include "builder/tree/manifest.h"
#include "builder/tree/tree-fixture.h"

static struct tree *make_full_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = make_tree();
    struct entry key = entry_text("/k/key", "key", NULL);
    key.mode = 04600;
    key.uid = 70000;
    key.gid = 8;
    add_xattr(&key, "user.b", "\xff\x01");
    add(tree, entry_link("/k/link", "key"));
    add(tree, entry_dir("/k", 0700));
    add(tree, key);
    add(tree, entry_hardlink("/k/second", "/k/key"));
    add(tree, entry_gone("/k/old"));
    assert_int_equal(tree_add_manifest(tree, &err), 0);
    return tree;
}

static struct manifest parse(const char *text)
{
    struct manifest manifest = {.count = 0};
    struct error err = ERROR_INIT;
    if (manifest_parse(text, strlen(text), &manifest, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(err.text, "");
    return manifest;
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_full_tree();
    struct manifest m AUTO_MANIFEST = parse(tree_find(tree, TREE_MANIFEST)->text);
    assert_true(m.genuine);
    assert_int_equal(strlen(m.build), 16);
    assert_int_equal(m.count, 5);
    const struct manifest_item *key = manifest_find(&m, "/k/key");
    assert_non_null(key);
    assert_int_equal(key->entry.type, ENTRY_FILE);
    assert_int_equal(key->entry.mode, 04600);
    assert_int_equal(key->entry.uid, 70000);
    assert_int_equal(key->entry.gid, 8);
    assert_int_equal(key->size, 3);
    assert_string_equal(key->sha256,
                        "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683");
    assert_int_equal(key->entry.xattr_count, 1);
    assert_string_equal(key->entry.xattrs[0].name, "user.b");
    assert_int_equal(key->entry.xattrs[0].len, 2);
    assert_memory_equal(key->entry.xattrs[0].value, "\xff\x01", 2);
    assert_int_equal(manifest_find(&m, "/k")->entry.type, ENTRY_DIR);
    assert_string_equal(manifest_find(&m, "/k/link")->entry.target, "key");
    assert_int_equal(manifest_find(&m, "/k/second")->entry.type, ENTRY_HARDLINK);
    assert_string_equal(manifest_find(&m, "/k/second")->entry.target, "/k/key");
    assert_int_equal(manifest_find(&m, "/k/old")->entry.type, ENTRY_GONE);
    assert_int_equal(manifest_find(&m, "/k/old")->entry.mode, 0);
    assert_null(manifest_find(&m, "/k/other"));
}

/* Whatever byte is changed: it is no manifest any more, or none that nodebake wrote. */
static void every_changed_byte_is_seen(void **state)
{
    (void)state;
    struct tree *tree AUTO_TREE = make_full_tree();
    char *text AUTO_FREE = heap_copy(tree_find(tree, TREE_MANIFEST)->text);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        struct manifest m AUTO_MANIFEST = {.count = 0};
        struct error err = ERROR_INIT;
        text[i] ^= 1;
        if (manifest_parse(text, len, &m, &err) == 0 && m.genuine)
            fail_msg("byte %zu of %s", i, text);
        text[i] ^= 1;
    }
    struct manifest cut AUTO_MANIFEST = parse("{\"entries\": []}");
    assert_false(cut.genuine);
    assert_string_equal(cut.build, "");
}

#define ENTRY(members) "{\"entries\": [{" members "}]}"
#define SUM            "\"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\""

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "line 1 is not JSON"},
        {"[]", "it has no list of entries"},
        {"{\"entries\": 1}", "it has no list of entries"},
        {"{\"entries\": [1]}", "entry 1: it has no text 'path'"},
        {"{\"entries\": [], \"entries\": []}", "is not JSON: duplicate"},
        {ENTRY("\"path\": \"/a\""), "it has no text 'type'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"fifo\""), "its type 'fifo' is unknown"},
        {ENTRY("\"path\": \"/a\", \"type\": \"link\""), "it has no text 'target'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\""), "it has no text 'mode'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\", \"mode\": \"0755\", \"uid\": -1"),
         "it has no number 'uid'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\", \"mode\": \"0755\", \"uid\": 4294967296"),
         "it has no number 'uid'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\", \"mode\": \"0999\", \"uid\": 0, \"gid\": 0"),
         "is not four octal digits"},
        {ENTRY("\"path\": \"/a/../b\", \"type\": \"dir\", \"mode\": \"0755\", \"uid\": 0, "
               "\"gid\": 0"),
         "not a clean absolute path"},
        {ENTRY("\"path\": \"/a\", \"type\": \"file\", \"sha256\": \"abc\", \"size\": 1"),
         "its sha256 is not 64 hex digits"},
        {ENTRY("\"path\": \"/a\", \"type\": \"file\", \"sha256\": " SUM ", \"size\": \"1\""),
         "it has no number 'size'"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\", \"mode\": \"0755\", \"uid\": 0, \"gid\": 0, "
               "\"xattrs\": {\"user.x\": \"abc\"}"),
         "its extended attribute user.x is not in hex"},
        {ENTRY("\"path\": \"/a\", \"type\": \"dir\", \"mode\": \"0755\", \"uid\": 0, \"gid\": 0, "
               "\"xattrs\": [1]"),
         "its extended attributes are no object"},
        {ENTRY("\"path\": \"/a\", \"type\": \"hardlink\", \"target\": \"/a\""),
         "is a hard link to itself"},
        {"{\"entries\": [{\"path\": \"/a\", \"type\": \"hardlink\", \"target\": \"/b\"},"
         "{\"path\": \"/a\", \"type\": \"hardlink\", \"target\": \"/b\"}]}",
         "/a stands there twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct manifest m = {.count = 0};
        struct error err = ERROR_INIT;
        assert_int_equal(manifest_parse(cases[i].text, strlen(cases[i].text), &m, &err), -1);
        if (!strstr(err.text, cases[i].message))
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_changed_byte_is_seen),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
