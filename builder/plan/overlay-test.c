#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/plan/overlay.h"
#include "common/file.h"

/* The folder that holds overlays/, new for each test; it is the working directory, too. */
static char folder[64];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/nodebake-overlay-test-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 && mkdir("overlays", 0700) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return chdir("/") < 0 ? -1 : nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes the folders above a path. */
static void make_parents(const char *path)
{
    char *copy AUTO_FREE = heap_copy(path);
    for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0)
            assert_int_equal(access(copy, X_OK), 0);
        *slash = '/';
    }
}

static void make_file(const char *path, mode_t mode)
{
    struct error err = ERROR_INIT;
    make_parents(path);
    if (file_publish(AT_FDCWD, path, "text\n", 5, mode, &err) < 0)
        fail_msg("%s", err.text);
}

static void make_link(const char *path, const char *target)
{
    make_parents(path);
    assert_int_equal(symlink(target, path), 0);
}

static void add(const char *overlay, struct overlay_list *list)
{
    struct error err = ERROR_INIT;
    if (overlay_add(folder, overlay, list, &err) < 0)
        fail_msg("%s", err.text);
}

/* `format` holds one %s, for the folder. */
static void refuse(const char *overlay, const char *format)
{
    struct error err = ERROR_INIT;
    struct overlay_list list AUTO_OVERLAYS = {0};
    const char *rest = strstr(format, "%s");
    assert_non_null(rest);
    char *expected AUTO_FREE =
        heap_printf("%.*s%s%s", (int)(rest - format), format, folder, rest + 2);
    assert_int_equal(overlay_add(folder, overlay, &list, &err), -1);
    assert_string_equal(err.text, expected);
}

static const struct overlay_file *file_at(const struct overlay_list *list, const char *path)
{
    const struct overlay_file *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->files[i].path, path) == 0) {
            assert_null(found);
            found = &list->files[i];
        }
    }
    if (!found)
        fail_msg("the list lacks %s", path);
    return found;
}

static void files_have_their_paths(void **state)
{
    (void)state;
    struct overlay_list list AUTO_OVERLAYS = {0};
    make_file("overlays/common/etc/deep/er/file", 0644);
    make_file("overlays/common/.hidden", 0644);
    assert_int_equal(mkdir("overlays/common/empty", 0700), 0);
    add("common", &list);
    assert_int_equal(list.count, 2); /* folders are none of them */
    const struct overlay_file *file = file_at(&list, "/etc/deep/er/file");
    char *host AUTO_FREE = heap_printf("%s/overlays/common/etc/deep/er/file", folder);
    assert_string_equal(file->host, host);
    assert_string_equal(file->name, "common/etc/deep/er/file");
    assert_null(file->link);
    assert_null(file_at(&list, "/.hidden")->link);
}

static void later_overlays_replace_earlier_ones(void **state)
{
    (void)state;
    struct overlay_list list AUTO_OVERLAYS = {0};
    make_file("overlays/first/etc/both", 0755);
    make_file("overlays/first/etc/first", 0644);
    make_link("overlays/first/etc/link", "both");
    make_file("overlays/second/etc/both", 0644);
    make_file("overlays/second/etc/link", 0644);
    make_file("overlays/second/etc/second", 0644);
    add("first", &list);
    assert_int_equal(list.count, 3);
    add("second", &list);
    assert_int_equal(list.count, 4);
    assert_string_equal(file_at(&list, "/etc/both")->name, "second/etc/both");
    assert_int_equal(file_at(&list, "/etc/both")->mode, 0644);
    assert_string_equal(file_at(&list, "/etc/first")->name, "first/etc/first");
    assert_string_equal(file_at(&list, "/etc/link")->name, "second/etc/link");
    assert_null(file_at(&list, "/etc/link")->link);
    add("first", &list); /* back again */
    assert_int_equal(list.count, 4);
    assert_string_equal(file_at(&list, "/etc/both")->name, "first/etc/both");
    assert_string_equal(file_at(&list, "/etc/link")->link, "both");
}

static void links_are_taken_and_not_followed(void **state)
{
    (void)state;
    struct overlay_list list AUTO_OVERLAYS = {0};
    make_file("overlays/common/dir/file", 0644);
    make_link("overlays/common/to-file", "dir/file");
    make_link("overlays/common/to-dir", "dir");
    make_link("overlays/common/dangling", "/nowhere/at all");
    make_link("overlays/common/loop", "loop");
    add("common", &list);
    assert_int_equal(list.count, 5);
    assert_string_equal(file_at(&list, "/to-file")->link, "dir/file");
    assert_string_equal(file_at(&list, "/to-dir")->link, "dir");
    assert_string_equal(file_at(&list, "/dangling")->link, "/nowhere/at all");
    assert_string_equal(file_at(&list, "/loop")->link, "loop");
}

static void of_the_mode_the_x_bit_is_kept(void **state)
{
    static const struct {
        mode_t host, image;
    } modes[] = {{0600, 0644}, {0666, 0644}, {0644, 0644},
                 {0700, 0755}, {0777, 0755}, {0611, 0644}};
    (void)state;
    struct overlay_list list AUTO_OVERLAYS = {0};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        char *path AUTO_FREE = heap_printf("overlays/common/%zu", i);
        make_file(path, modes[i].host);
        assert_int_equal(chmod(path, modes[i].host), 0);
    }
    add("common", &list);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        char *path AUTO_FREE = heap_printf("/%zu", i);
        assert_int_equal(file_at(&list, path)->mode, modes[i].image);
    }
}

static void what_is_neither_file_link_nor_folder_is_refused(void **state)
{
    (void)state;
    make_file("overlays/common/etc/file", 0644);
    assert_int_equal(mkfifo("overlays/common/etc/fifo", 0600), 0);
    refuse("common", "%s/overlays/common/etc/fifo: neither file, link nor folder; an overlay holds "
                     "only these");
}

#define PATH_HINT                                                                                  \
    "the path of an overlay's file is printable ASCII without spaces, its name at most 245 bytes"

/* The contract's lines have fields between spaces. */
static void strange_names_are_refused(void **state)
{
    static const char *const names[] = {"a b",   "a\t",     "\nb",     "a b/c",
                                        "a\x7f", "\x1b[1m", "\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *overlay AUTO_FREE = heap_printf("strange-%zu", i);
        char *path AUTO_FREE = heap_printf("overlays/%s/%s", overlay, names[i]);
        char *message AUTO_FREE = heap_printf("%%s/%s: " PATH_HINT, path);
        make_file(path, 0644);
        refuse(overlay, message);
    }
    make_link("overlays/link/a b", "c");
    refuse("link", "%s/overlays/link/a b: " PATH_HINT);
}

static void names_leave_room_for_a_temporary_one(void **state)
{
    (void)state;
    struct overlay_list list AUTO_OVERLAYS = {0};
    char *path AUTO_FREE = heap_printf("overlays/fits/%0245d", 0);
    make_link(path, "x");
    add("fits", &list);
    assert_int_equal(list.count, 1);
    char *longer AUTO_FREE = heap_printf("overlays/long/%0246d", 0);
    char *message AUTO_FREE = heap_printf("%%s/%s: " PATH_HINT, longer);
    make_link(longer, "x");
    refuse("long", message);
}

static void absent_overlays_are_refused(void **state)
{
    (void)state;
    refuse("none", "overlay none: %s/overlays/none: No such file or directory");
    make_file("overlays/file", 0644);
    refuse("file", "overlay file: %s/overlays/file: Not a directory");
}

static void the_number_of_files_is_bounded(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct overlay_list list AUTO_OVERLAYS = {0};
    assert_int_equal(mkdir("overlays/many", 0700) | mkdir("overlays/more", 0700), 0);
    for (int i = 0; i < OVERLAY_FILES_MAX; i++) {
        char *path AUTO_FREE = heap_printf("overlays/many/%d", i);
        make_link(path, "x");
    }
    add("many", &list);
    assert_int_equal(list.count, OVERLAY_FILES_MAX);
    make_link("overlays/more/one", "x");
    assert_int_equal(overlay_add(folder, "more", &list, &err), -1);
    assert_string_equal(
        err.text, "more/one: overlays and files of cluster.yaml have more than 1000 files in all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_have_their_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(later_overlays_replace_earlier_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_taken_and_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(of_the_mode_the_x_bit_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_neither_file_link_nor_folder_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(strange_names_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(names_leave_room_for_a_temporary_one, setup, teardown),
        cmocka_unit_test_setup_teardown(absent_overlays_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_number_of_files_is_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
