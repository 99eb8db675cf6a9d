/* The real tool works on the real folder, too: both must come to the same. */
#include "builder/package/root-fixture.h"

#include "builder/package/alternatives.h"
#include "builder/package/group.h"

#define RECORDS "/var/lib/dpkg/alternatives"

static void make_alternatives_root(const char *folder)
{
    static const char *const files[] = {"usr/bin/a-1", "usr/bin/a-2", "usr/share/a-2.1.gz",
                                        "usr/bin/b-1", "usr/bin/c-1"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, files[i]);
        put_file(path, "x", 0755);
    }
    static const char *const folders[] = {"var/lib/dpkg/alternatives", "etc/alternatives",
                                          "usr/share", "var/log"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, folders[i]);
        RUN("mkdir", "-p", path);
    }
}

static void add_call(struct script_actions *actions, const char *text)
{
    char *copy AUTO_FREE = heap_copy(text), *rest = copy, *word;
    struct script_action *action = APPEND(actions->items, actions->count, actions->cap);
    action->kind = SCRIPT_ALTERNATIVES;
    action->argv = heap_array(64, sizeof *action->argv);
    for (size_t n = 0; (word = strsep(&rest, " ")) != NULL; n++)
        action->argv[n] = heap_copy(word);
}

/* The tool itself, on a root. */
static void call_tool(const char *root, char *const *argv)
{
    char *path AUTO_FREE = heap_printf("%s/%s", deb_folder, root);
    const char *all[70] = {"update-alternatives", "--root", path, "--quiet"};
    for (size_t i = 0; argv[i]; i++)
        all[4 + i] = argv[i];
    run_argv(all);
}

static int run_ours(const char *root, const struct script_actions *actions, struct error *err)
{
    struct disk disk = {.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct changes changes AUTO_CHANGES = changes_of(&folder_writer, &disk, ROOT_MTIME);
    char *scratch AUTO_FREE = heap_printf("%s/scratch", deb_folder);
    remove_tree(scratch);
    int result = alternatives_run(&changes, actions, scratch, err);
    if (result > 0 && changes_write(&changes, "write", err) < 0)
        result = -1;
    close(disk.root);
    return result;
}

/* Calls that are there before, and those of the packages, each list ended by NULL. */
static const struct {
    const char *before[4], *calls[4];
} cases[] = {
    {{NULL}, {"--install /usr/bin/a a /usr/bin/a-1 10"}},
    {{NULL},
     {"--install /usr/bin/a a /usr/bin/a-1 10 --slave /usr/share/a.1.gz a.1.gz "
      "/usr/share/a-1.1.gz",
      "--install /usr/bin/a a /usr/bin/a-2 20 --slave /usr/share/a.1.gz a.1.gz "
      "/usr/share/a-2.1.gz"}},
    {{NULL},
     {"--install /usr/bin/a a /usr/bin/a-2 20 --slave /usr/share/a.1.gz a.1.gz "
      "/usr/share/a-2.1.gz",
      "--install /usr/bin/a a /usr/bin/a-1 10"}},
    {{"--install /usr/bin/a a /usr/bin/a-1 10"}, {"--install /usr/bin/a a /usr/bin/a-2 20"}},
    {{"--install /usr/bin/a a /usr/bin/a-2 20 --slave /usr/share/a.1.gz a.1.gz "
      "/usr/share/a-2.1.gz"},
     {"--install /usr/bin/a a /usr/bin/a-1 10", "--install /usr/bin/b b /usr/bin/b-1 -3"}},
    {{"--install /usr/bin/a a /usr/bin/a-1 10", "--install /usr/bin/a a /usr/bin/a-2 5"},
     {"--install /usr/bin/a a /usr/bin/c-1 7"}},
    {{NULL}, {"--remove nobody /usr/bin/a-1", "--install /usr/bin/b b /usr/bin/b-1 1"}},
    {{"--install /usr/bin/a a /usr/bin/a-1 10", "--install /usr/bin/a a /usr/bin/a-2 20"},
     {"--remove a /usr/bin/a-2"}},
};

static void the_outcome_is_the_tools(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        struct script_actions before AUTO_ACTIONS = {0}, calls AUTO_ACTIONS = {0};
        for (size_t k = 0; cases[i].before[k]; k++)
            add_call(&before, cases[i].before[k]);
        for (size_t k = 0; cases[i].calls[k]; k++)
            add_call(&calls, cases[i].calls[k]);
        make_alternatives_root("ours");
        make_alternatives_root("theirs");
        for (size_t k = 0; k < before.count; k++) {
            call_tool("ours", before.items[k].argv);
            call_tool("theirs", before.items[k].argv);
        }
        for (size_t k = 0; k < calls.count; k++)
            call_tool("theirs", calls.items[k].argv);
        if (run_ours("ours", &calls, &err) != 1)
            fail_msg("case %zu: %s", i, err.text);
        RUN("diff", "-r", "--no-dereference", "-x", "log", "ours", "theirs");
        remove_tree("ours");
        remove_tree("theirs");
    }
}

static void refuse(const char *call, const char *why)
{
    struct error err = ERROR_INIT;
    struct script_actions calls AUTO_ACTIONS = {0};
    add_call(&calls, call);
    int result = run_ours("ours", &calls, &err);
    if (result != 0)
        fail_msg("%s: %d %s", call, result, err.text);
    assert_says(&err, why);
}

static void what_the_user_set_is_for_the_guest(void **state)
{
    (void)state;
    struct script_actions before AUTO_ACTIONS = {0};
    make_alternatives_root("ours");
    add_call(&before, "--install /usr/bin/a a /usr/bin/a-1 10 --slave /usr/share/a.1.gz a.1.gz "
                      "/usr/share/a-2.1.gz");
    call_tool("ours", before.items[0].argv);
    refuse("--install /usr/bin/a a /usr/bin/a-2 20", "the alternatives a would lose links");
    refuse("--remove a /usr/bin/a-1", "the alternatives a would lose links");
    refuse("--install /usr/bin/c-1 c /usr/bin/a-1 1",
           "/usr/bin/c-1 is there and is no link of update-alternatives");
    refuse("--install /usr/bin/d d /usr/bin/a-1 1 --slave /usr/bin/c-1 c /usr/bin/a-2",
           "/usr/bin/c-1 is there and is no link of update-alternatives");
    static char *const manual[] = {"--set", "a", "/usr/bin/a-1", NULL};
    call_tool("ours", manual);
    refuse("--install /usr/bin/a a /usr/bin/a-2 20", "set by hand, or damaged");
    put_file("ours" RECORDS "/a", "auto\n", 0644);
    refuse("--install /usr/bin/a a /usr/bin/a-2 20", "set by hand, or damaged");
    remove_tree("ours");
}

static void records_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "auto\n/usr/bin/a\nb\n/usr/bin/b\nc\n/usr/bin/c\n\n/x/1\n10\n/x/b1\n\n"
        "/x/2\n-5\n\n/x/c2\n/x/3\n12\n\n\n\n";
    struct group group AUTO_GROUP = {0};
    assert_true(group_read((struct dpkg_text){text, sizeof text - 1}, "a", &group));
    assert_true(group.automatic);
    assert_int_equal(group.link_count, 3);
    assert_string_equal(group.links[0].name, "a");
    assert_string_equal(group.links[0].path, "/x/3");
    assert_string_equal(group.links[1].path, "");
    assert_string_equal(group.links[2].link, "/usr/bin/c");
    assert_int_equal(group.path_count, 9);
}

static void damaged_records_are_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {"",
                                          "auto\n",
                                          "auto\nusr/bin/a\n",
                                          "auto\n/usr/../a\n\n",
                                          "auto\n/usr/bin/a\nb\n",
                                          "auto\n/usr/bin/a\n../b\n/usr/b\n\n",
                                          "auto\n/usr/bin/a\n\n/x/1\n",
                                          "auto\n/usr/bin/a\n\nx\n1\n",
                                          "auto\n/usr/bin/a\nb\n/usr/b\n\n/x/1\n1\n"};
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct group group AUTO_GROUP = {0};
        if (group_read((struct dpkg_text){damaged[i], strlen(damaged[i])}, "a", &group))
            fail_msg("'%s' was read", damaged[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outcome_is_the_tools),
        cmocka_unit_test(what_the_user_set_is_for_the_guest),
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(damaged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, deb_setup, deb_teardown);
}
