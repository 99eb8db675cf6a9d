/* A small image with entries of all types, as it was built and with each of them changed. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/inspect/inspect.h"
#include "builder/plan/plan.h"
#include "builder/progress.h"
#include "builder/tree/manifest.h"

enum { LARGE = 9 * MIB + 5 };

static char CAPABILITY[20] = "\x01\x00\x00\x02\x00\x04";

static struct xattr *some_xattrs(void)
{
    struct xattr *all = heap_array(2, sizeof *all);
    all[0] = (struct xattr){heap_copy("security.capability"), heap_array(20, 1), 20};
    memcpy(all[0].value, CAPABILITY, 20);
    all[1] = (struct xattr){heap_copy("user.x"), heap_copy("value"), 5};
    return all;
}

static void add(struct tree *tree, struct entry entry)
{
    struct error err = ERROR_INIT;
    entry.path = heap_copy(entry.path);
    entry.target = heap_copy(entry.target);
    if (entry.type == ENTRY_FILE && !entry.host)
        entry.text = heap_copy(entry.text);
    entry.host = heap_copy(entry.host);
    if (tree_add(tree, entry, &err) < 0)
        fail_msg("%s", err.text);
}

static struct tree *make_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    assert_int_equal(tree_create(&tree, &err), 0);
    add(tree, (struct entry){.path = "/srv/app", .type = ENTRY_DIR, .mode = 01750, .uid = 70000});
    add(tree, file_entry("/srv/app/key", "a key", 0600));
    add(tree, file_entry("/srv/app/empty", "", 0644));
    add(tree, (struct entry){
                  .path = "/srv/app/large", .type = ENTRY_FILE, .mode = 04755, .host = "large"});
    struct entry capable = file_entry("/srv/app/capable", "program", 0755);
    capable.xattrs = some_xattrs();
    capable.xattr_count = 2;
    add(tree, capable);
    add(tree, (struct entry){.path = "/srv/app/link", .type = ENTRY_LINK, .target = "key"});
    add(tree, (struct entry){
                  .path = "/srv/app/second", .type = ENTRY_HARDLINK, .target = "/srv/app/key"});
    add(tree, file_entry("/etc/machine-id", "uninitialized\n", 0444));
    add(tree, file_entry("/etc/passwd", "root:x:0:0::/:/bin/sh\n", 0644));
    add(tree, file_entry(PATH_CONTRACT,
                         "nodebake-contract 1\ncluster c\nrole worker\n"
                         "template 0600 0 0 /srv/app/keys\n",
                         0644));
    add(tree, file_entry("/srv/app/keys", "one\n", 0600));
    assert_int_equal(tree_add_manifest(tree, &err), 0);
    return tree;
}

/* Runs `edit` on the image's disk, open for writing. */
static void edit_image(const char *path, void (*edit)(struct disk *disk))
{
    struct error err = ERROR_INIT;
    const struct disk_file file = {.path = path};
    struct disk *disk;
    struct disk_set *set = NULL;
    if (disk_writer_ext4.open_all(&file, 1, NOW, &disk, &set, &err) < 0)
        fail_msg("%s", err.text);
    edit(disk);
    if (disk_writer_ext4.close_all(set, &err) < 0)
        fail_msg("%s", err.text);
}

static void put_tree(struct disk *disk)
{
    struct tree *tree AUTO_TREE = make_tree();
    for (int links = 0; links < 2; links++)
        for (size_t i = 0; i < tree->count; i++)
            if ((tree->entries[i].type == ENTRY_HARDLINK) == links)
                put(disk, tree->entries[i]);
}

static int make_image(void **state)
{
    progress_quiet();
    if (enter_folder(state) < 0)
        return -1;
    char *large AUTO_FREE = make_text("0123456789abcde\n", LARGE);
    memset(large + 4 * MIB, 0, MIB); /* a hole on no disk of ours, but zeros all the same */
    write_file("large", large, LARGE);
    RUN("mkdir", "-p", "root/etc", "root/boot");
    write_file("root/etc/os-release",
               "ID=debian\nPRETTY_NAME=\"De\x1b"
               "bian\"\n",
               33);
    RUN("mke2fs", "-q", "-t", "ext4", "-d", "root", "good.raw", "24M");
    edit_image("good.raw", put_tree);
    return 0;
}

static void inspect(const char *path, struct report *report)
{
    struct error err = ERROR_INIT;
    const struct disk_file file = {.path = path};
    report->path = heap_copy(path);
    if (inspect_image(&file, NULL, NOW, report, &err) < 0)
        fail_msg("%s", err.text);
}

static void an_image_as_it_was_built_has_no_problems(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    RUN("cp", "good.raw", "a.raw");
    inspect("a.raw", &r);
    expect_same("good.raw", "a.raw");
    for (size_t i = 0; i < r.problem_count; i++)
        print_error("%s %s\n", r.problems[i].path, r.problems[i].text);
    assert_int_equal(r.problem_count, 0);
    assert_int_equal(r.remarks.count, 0);
    assert_true(r.baked);
    assert_string_equal(r.writer, "ext4");
    assert_string_equal(r.os_name, "De?bian");
    assert_string_equal(r.cluster, "c");
    assert_string_equal(r.role, "worker");
    assert_int_equal(strlen(r.build), 16);
    assert_int_equal(r.file_count, 11);
    assert_int_equal(r.same_count, 11);
    assert_true(r.file_bytes > LARGE);
    assert_string_equal(r.traces[0].state, "uninitialized");
}

static void put_capable(struct disk *disk, char *capability, size_t count)
{
    struct xattr all[] = {{(char *)"security.capability", capability, 20},
                          {(char *)"user.x", (char *)"value", 5},
                          {(char *)"user.y", (char *)"", 0}};
    struct entry entry = file_entry("/srv/app/capable", "program", 0755);
    entry.xattrs = all;
    entry.xattr_count = count;
    put(disk, entry);
}

static void other_attribute(struct disk *disk)
{
    static char other[20] = "\x01\x00\x00\x02\x00\x08";
    put_capable(disk, other, 2);
}

static void one_attribute_less(struct disk *disk)
{
    put_capable(disk, CAPABILITY, 1);
}

static void one_attribute_more(struct disk *disk)
{
    put_capable(disk, CAPABILITY, 3);
}

static void own_file(struct disk *disk)
{
    put_text(disk, "/srv/app/second", "a key", 0600);
}

static void longer(struct disk *disk)
{
    put_text(disk, "/srv/app/empty", "x", 0644);
}

static void other_content(struct disk *disk)
{
    put_text(disk, "/srv/app/key", "a Key", 0600);
}

static void other_mode(struct disk *disk)
{
    put_size(disk, "/srv/app/large", LARGE, 0755);
}

static void other_owner(struct disk *disk)
{
    put(disk, (struct entry){.path = "/srv/app", .type = ENTRY_DIR, .mode = 01750});
}

static void other_target(struct disk *disk)
{
    put(disk, (struct entry){.path = "/srv/app/link", .type = ENTRY_LINK, .target = "/etc/shadow"});
}

static void a_file_for_a_link(struct disk *disk)
{
    put_text(disk, "/srv/app/link", "a key", 0600);
}

static void a_link_for_a_file(struct disk *disk)
{
    put(disk, (struct entry){.path = "/srv/app/empty", .type = ENTRY_LINK, .target = "key"});
}

static void one_more_file(struct disk *disk)
{
    put_text(disk, PATH_IDENTITY "/worker-9.pem", "x", 0644);
}

static void other_machine_id(struct disk *disk)
{
    put_text(disk, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
}

static void more_keys(struct disk *disk)
{
    put_text(disk, "/srv/app/keys", "one\ntwo\n", 0600);
}

static void one_more_user(struct disk *disk)
{
    put_text(disk, "/etc/passwd", "root:x:0:0::/:/bin/sh\na:x:1:1::/:/bin/sh\n", 0644);
}

static void every_change_is_found(void **state)
{
    (void)state;
    static const struct {
        void (*edit)(struct disk *disk);
        const char *kind, *path, *text;
        size_t problems;
    } cases[] = {
        {other_attribute, "xattr", "/srv/app/capable",
         "has another extended attribute security.capability", 1},
        {one_attribute_less, "xattr", "/srv/app/capable", "lacks the extended attribute user.x", 1},
        {one_attribute_more, "xattr", "/srv/app/capable", "has the extended attribute user.y, too",
         1},
        {own_file, "target", "/srv/app/second", "is no hard link to /srv/app/key", 1},
        {longer, "content", "/srv/app/empty", "has size 1 instead of 0", 1},
        /* put makes a new file, of which the second name is none. */
        {other_content, "content", "/srv/app/key", "has other content: SHA-256 ", 2},
        {other_mode, "mode", "/srv/app/large", "has mode 0755 instead of 4755", 2},
        {other_owner, "owner", "/srv/app", "belongs to 0:0 instead of 70000:0", 1},
        {other_target, "target", "/srv/app/link", "leads to /etc/shadow instead of key", 1},
        {a_file_for_a_link, "type", "/srv/app/link", "is a file instead of a link", 1},
        {a_link_for_a_file, "type", "/srv/app/empty", "is a link instead of a file", 1},
        {one_more_file, "unlisted", PATH_IDENTITY "/worker-9.pem", "is not in the manifest", 1},
        {other_machine_id, "content", "/etc/machine-id", "has size 33 instead of 14", 1},
        {more_keys, "content", "/srv/app/keys", "has size 8 instead of 4", 1},
        {one_more_user, "content", "/etc/passwd", "has size 41 instead of 22", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        RUN("cp", "good.raw", "a.raw");
        edit_image("a.raw", cases[i].edit);
        inspect("a.raw", &r);
        if (r.problem_count != cases[i].problems)
            fail_msg("case %zu: %zu problems", i, r.problem_count);
        assert_string_equal(r.problems[0].kind, cases[i].kind);
        assert_string_equal(r.problems[0].path, cases[i].path);
        if (!strstr(r.problems[0].text, cases[i].text))
            fail_msg("'%s' lacks '%s'", r.problems[0].text, cases[i].text);
        assert_int_equal(r.same_count == 11, cases[i].edit == one_more_file);
    }
}

static void boot(struct disk *disk)
{
    other_machine_id(disk);
    more_keys(disk);
    one_more_user(disk);
    put_text(disk, PATH_STATE "/stamp",
             "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n", 0644);
}

static void open_accounts(struct disk *disk)
{
    boot(disk);
    put_text(disk, "/etc/passwd", "root:x:0:0::/:/bin/sh\na:x:1:1::/:/bin/sh\n", 0666);
}

static void chown_machine_id(struct disk *disk)
{
    boot(disk);
    struct entry entry = file_entry("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
    entry.uid = 5;
    put(disk, entry);
}

/* What the first boot writes is no problem on a machine that came up, and nothing else of it. */
static void a_booted_image_may_differ(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL}, owned AUTO_REPORT = {.path = NULL};
    struct report opened AUTO_REPORT = {.path = NULL};
    RUN("cp", "good.raw", "a.raw");
    edit_image("a.raw", boot);
    inspect("a.raw", &r);
    assert_int_equal(r.problem_count, 0);
    assert_true(r.stamp.there);
    assert_string_equal(r.stamp.node, "worker-0");
    assert_int_equal(r.booted_paths.count, 3);
    assert_string_equal(r.booted_paths.items[0], "/etc/machine-id");
    assert_string_equal(r.booted_paths.items[1], "/etc/passwd");
    assert_string_equal(r.booted_paths.items[2], "/srv/app/keys");
    assert_int_equal(r.same_count, 8);
    assert_string_equal(r.traces[0].state, "set");
    edit_image("a.raw", chown_machine_id);
    inspect("a.raw", &owned);
    assert_int_equal(owned.problem_count, 1);
    assert_string_equal(owned.problems[0].kind, "owner");
    edit_image("a.raw", open_accounts);
    inspect("a.raw", &opened);
    assert_int_equal(opened.problem_count, 1);
    assert_string_equal(opened.problems[0].kind, "mode");
}

static void no_manifest(struct disk *disk)
{
    put_text(disk, TREE_MANIFEST, "{", 0644);
}

static void changed_manifest(struct disk *disk)
{
    struct tree *tree AUTO_TREE = make_tree();
    struct entry entry = *tree_find(tree, TREE_MANIFEST);
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_printf(&text, "%s ", entry.text);
    entry.text = text.data;
    entry.len = text.len;
    put(disk, entry);
}

static void empty_manifest(struct disk *disk)
{
    char *text AUTO_FREE = NULL;
    struct error err = ERROR_INIT;
    json_t *entries = json_array();
    assert_int_equal(manifest_text(entries, &text, &err), 0);
    put_text(disk, TREE_MANIFEST, text, 0644);
    json_decref(entries);
}

static void the_manifest_is_judged_too(void **state)
{
    (void)state;
    struct report none AUTO_REPORT = {.path = NULL}, changed AUTO_REPORT = {.path = NULL};
    struct report empty AUTO_REPORT = {.path = NULL};
    RUN("cp", "good.raw", "a.raw");
    edit_image("a.raw", changed_manifest);
    inspect("a.raw", &changed);
    assert_int_equal(changed.problem_count, 1);
    assert_string_equal(changed.problems[0].text, "was changed: it is not what nodebake wrote");
    assert_int_equal(changed.same_count, 11);
    edit_image("a.raw", empty_manifest);
    inspect("a.raw", &empty);
    assert_string_equal(empty.problems[0].text, "lists no files");
    edit_image("a.raw", no_manifest);
    inspect("a.raw", &none);
    assert_true(none.problem_count >= 1);
    assert_string_equal(none.problems[0].kind, "manifest");
    assert_int_equal(none.file_count, 0);
}

static void a_stock_system_is_no_image_of_ours(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    RUN("mke2fs", "-q", "-F", "-t", "ext4", "-d", "root", "stock.raw", "16M");
    inspect("stock.raw", &r);
    assert_false(r.baked);
    assert_string_equal(r.os_id, "debian");
    assert_int_equal(r.problem_count, 0);
    assert_int_equal(r.file_count, 0);
    assert_string_equal(r.traces[0].state, "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_as_it_was_built_has_no_problems),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(a_booted_image_may_differ),
        cmocka_unit_test(the_manifest_is_judged_too),
        cmocka_unit_test(a_stock_system_is_no_image_of_ours),
    };
    return cmocka_run_group_tests(tests, make_image, remove_folder);
}
