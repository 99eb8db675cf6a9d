/* The record of a folder: which files an earlier build left, and what they were made of. */
#include <fcntl.h>
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

#include "builder/build/build.h"
#include "builder/heap.h"
#include "common/file.h"

static char folder[] = "/tmp/nodebake-record-XXXXXX";
static int dirfd_of_folder;
static struct role worker_role = {.name = "worker"};
static struct node worker_0 = {.name = "worker-0"};

/* An image of a node in two formats, the second of them an overlay. */
struct fixture {
    struct target target;
    struct product products[2];
    struct image image;
};

static struct fixture make_image(char *name, char *raw, char *qcow2)
{
    worker_0.name = name;
    struct fixture f = {.target = {&worker_role, &worker_0},
                        .products = {{{&format_raw, raw}, false}, {{&format_qcow2, qcow2}, true}},
                        .image = {.name = name, .product_count = 2}};
    snprintf(f.image.quick, sizeof f.image.quick, "quick");
    snprintf(f.image.frame, sizeof f.image.frame, "frame");
    snprintf(f.image.content, sizeof f.image.content, "content");
    return f;
}
#define FIXTURE(name)                                                                              \
    struct fixture f = make_image(name, "out/" name ".raw", "out/" name ".qcow2");                 \
    f.image.target = &f.target;                                                                    \
    f.image.products = f.products

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    dirfd_of_folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dirfd_of_folder < 0 ? -1 : 0;
}

static int leave(void **state)
{
    (void)state;
    char *command AUTO_FREE = heap_printf("rm -r %s", folder);
    return system(command);
}

static int clean(void **state)
{
    (void)state;
    return system("rm -f -- * .nodebake.json");
}

static void write_text(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
}

static void note(struct record *record, const struct image *image, const char *below)
{
    struct error err = ERROR_INIT;
    if (record_note(record, dirfd_of_folder, image, below, &err) < 0)
        fail_msg("%s", err.text);
}

/* Notes worker-0 and reads the record anew. */
static struct record *noted(const struct image *image)
{
    write_text("worker-0.raw", "raw");
    write_text("worker-0.qcow2", "overlay");
    struct record *record = record_load(dirfd_of_folder);
    note(record, image, "role's");
    record_free(record);
    return record_load(dirfd_of_folder);
}

static void a_file_is_held_while_it_is_as_noted(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct record *r = noted(&f.image);
    assert_true(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
    assert_true(record_holds(r, dirfd_of_folder, &f.image, RECORD_FRAME, "frame"));
    assert_true(record_holds(r, dirfd_of_folder, &f.image, RECORD_CONTENT, "content"));
    assert_false(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "other"));
    assert_string_equal(record_content(r, &f.image), "content");
    assert_int_equal(chmod("worker-0.raw", 0644), 0);
    assert_false(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
    record_free(r);
}

static void a_file_that_is_gone_is_not_held(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct record *r = noted(&f.image);
    assert_int_equal(unlink("worker-0.qcow2"), 0);
    assert_false(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
    record_free(r);
}

static void a_whole_image_is_not_held_for_an_overlay(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct record *r = noted(&f.image);
    f.products[1].overlay = false;
    assert_false(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
    record_free(r);
}

static void it_is_known_what_overlays_lie_on(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct record *r = noted(&f.image);
    assert_true(record_lies_on(r, &f.image, "role's"));
    assert_false(record_lies_on(r, &f.image, "another"));
    static const char *const others[] = {"worker-1", NULL}, *const own[] = {"worker-0", NULL};
    assert_string_equal(record_dependent(r, dirfd_of_folder, "worker", others), "worker-0.qcow2");
    assert_null(record_dependent(r, dirfd_of_folder, "worker", own));
    assert_null(record_dependent(r, dirfd_of_folder, "controller", others));
    assert_int_equal(unlink("worker-0.qcow2"), 0);
    assert_null(record_dependent(r, dirfd_of_folder, "worker", others));
    record_free(r);
}

/* A build of one format leaves what is known of the others. */
static void formats_are_noted_apart(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct record *r = noted(&f.image);
    f.image.product_count = 1;
    snprintf(f.image.quick, sizeof f.image.quick, "later");
    note(r, &f.image, "");
    static const char *const others[] = {NULL};
    assert_true(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "later"));
    assert_string_equal(record_dependent(r, dirfd_of_folder, "worker", others), "worker-0.qcow2");
    record_free(r);
}

static void a_damaged_record_is_as_good_as_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "{\"version\": 2, \"files\": {}}",
                                        "{\"version\": 1, \"files\": []}"};
    FIXTURE("worker-0");
    record_free(noted(&f.image));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        write_text(RECORD_NAME, texts[i]);
        struct record *r = record_load(dirfd_of_folder);
        assert_false(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
        note(r, &f.image, "role's");
        record_free(r);
        r = record_load(dirfd_of_folder);
        assert_true(record_holds(r, dirfd_of_folder, &f.image, RECORD_QUICK, "quick"));
        record_free(r);
    }
}

static void a_file_that_is_not_there_cannot_be_noted(void **state)
{
    (void)state;
    FIXTURE("worker-0");
    struct error err = ERROR_INIT;
    struct record *r = record_load(dirfd_of_folder);
    assert_int_equal(record_note(r, dirfd_of_folder, &f.image, "", &err), -1);
    assert_string_equal(err.text, "out/worker-0.raw: No such file or directory");
    record_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_file_is_held_while_it_is_as_noted, clean),
        cmocka_unit_test_teardown(a_file_that_is_gone_is_not_held, clean),
        cmocka_unit_test_teardown(a_whole_image_is_not_held_for_an_overlay, clean),
        cmocka_unit_test_teardown(it_is_known_what_overlays_lie_on, clean),
        cmocka_unit_test_teardown(formats_are_noted_apart, clean),
        cmocka_unit_test_teardown(a_damaged_record_is_as_good_as_none, clean),
        cmocka_unit_test_teardown(a_file_that_is_not_there_cannot_be_noted, clean),
    };
    return cmocka_run_group_tests_name("record", tests, enter, leave);
}
