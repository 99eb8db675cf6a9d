/* What of the base's dirt goes, beside what the image has of its own. */
#include "builder/image/base.h"
#include "builder/plan/part.h"
#include "builder/plan/plan-fixture.h"

static void hygiene(struct fixture *f, const char *const *paths, size_t n)
{
    struct error err = ERROR_INIT;
    struct base base = {.os_id = NULL};
    for (size_t i = 0; i < n; i++)
        texts_add(&base.dirt, paths[i]);
    f->plan.in.base = &base;
    int result = part_hygiene(&f->plan, &err);
    f->plan.in.base = NULL;
    texts_free(&base.dirt);
    if (result < 0)
        fail_msg("%s", err.text);
}
#define HYGIENE(f, ...)                                                                            \
    hygiene(f, (const char *const[]){__VA_ARGS__},                                                 \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* From where the removal of the path comes, or what else is there. */
static const char *gone(const struct fixture *f, const char *path)
{
    const struct entry *e = tree_find(f->plan.tree, path);
    return !e ? "(none)" : e->type == ENTRY_GONE ? e->source : entry_type_word(e->type);
}

static void dirt_goes_as_a_whole(void **state)
{
    (void)state;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    HYGIENE(f, "/tmp/a", "/tmp/a/b", "/tmp/a/b/c", "/tmp/ab", "/var/log/syslog");
    assert_string_equal(gone(f, "/tmp/a"), "hygiene: temporary files");
    assert_string_equal(gone(f, "/tmp/a/b"), "(none)");
    assert_string_equal(gone(f, "/tmp/a/b/c"), "(none)");
    assert_string_equal(gone(f, "/tmp/ab"), "hygiene: temporary files");
    assert_string_equal(gone(f, "/var/log/syslog"), "hygiene: logs");
}

static void what_the_image_has_stays(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer text = buffer_heap(), key = buffer_heap();
    struct fixture *f AUTO_FIXTURE = fixture_create();
    buffer_puts(&text, "x");
    buffer_puts(&key, "x");
    assert_int_equal(part_text(&f->plan, "/tmp/a/own", 0644, &text, "overlay x", &err), 0);
    assert_int_equal(
        part_text(&f->plan, "/etc/ssh/ssh_host_rsa_key", 0600, &key, "overlay x", &err), 0);
    HYGIENE(f, "/etc/ssh/ssh_host_rsa_key", "/tmp/a", "/tmp/a/b", "/tmp/a/own");
    assert_string_equal(gone(f, "/tmp/a"), "(none)");
    assert_string_equal(gone(f, "/tmp/a/b"), "hygiene: temporary files");
    assert_string_equal(gone(f, "/tmp/a/own"), "file");
    assert_string_equal(gone(f, "/etc/ssh/ssh_host_rsa_key"), "file");
}

static void a_draft_knows_of_none(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct fixture *f AUTO_FIXTURE = fixture_create();
    size_t before = f->plan.tree->count;
    assert_int_equal(part_hygiene(&f->plan, &err), 0);
    assert_int_equal(f->plan.tree->count, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dirt_goes_as_a_whole),
        cmocka_unit_test(what_the_image_has_stays),
        cmocka_unit_test(a_draft_knows_of_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
