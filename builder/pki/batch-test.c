#include "builder/pki/batch.h"
#include "builder/pki/pki-fixture.h"

static struct batch batch_here(void)
{
    struct batch b = {.folder = open(dir, O_RDONLY | O_DIRECTORY)};
    assert_true(b.folder >= 0);
    return b;
}

static void add(struct batch *b, const char *name, bool secret, const char *text)
{
    struct error err = ERROR_INIT;
    const struct buffer bytes = {.data = (char *)text, .len = strlen(text)};
    if (batch_add(b, name, secret, &bytes, &err) < 0)
        fail_msg("%s", err.text);
}

/* Nothing has its name before all are written; then all have, with their modes. */
static void all_at_once(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    unsigned written = 0;
    struct batch b AUTO_BATCH = batch_here();
    drop("admin.pem");
    add(&b, "admin.pem", false, "a");
    add(&b, "admin-key.pem", true, "b");
    assert_int_equal(mode_of("admin.pem.nodebake-tmp"), S_IFREG | 0644);
    assert_int_equal(mode_of("admin-key.pem.nodebake-tmp"), S_IFREG | 0600);
    assert_true(same_as_reference("admin-key.pem"));
    assert_int_equal(batch_commit(&b, &written, &err), 0);
    assert_int_equal(written, 2);
    assert_int_equal(mode_of("admin.pem"), S_IFREG | 0644);
    struct buffer key AUTO_BUFFER = content(dir, "admin-key.pem");
    assert_string_equal(key.data, "b");
    assert_int_equal(batch_commit(&b, &written, &err), 0);
    assert_int_equal(written, 2);
    close(b.folder);
}

static void a_failure_leaves_nothing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    unsigned written = 0;
    struct buffer before AUTO_BUFFER = snapshot(dir);
    struct batch b = batch_here();
    add(&b, "admin.pem", false, "a");
    add(&b, "nowhere", true, "b");
    drop("nowhere.nodebake-tmp");
    assert_int_equal(batch_commit(&b, &written, &err), -1);
    assert_string_equal(err.text, "sync nowhere.nodebake-tmp: No such file or directory");
    assert_int_equal(written, 0);
    int folder = b.folder;
    batch_free(&b);
    close(folder);
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_at_once, setup),
        cmocka_unit_test_setup(a_failure_leaves_nothing, setup),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
