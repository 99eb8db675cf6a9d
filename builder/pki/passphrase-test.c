#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/passphrase-fixture.h"
#include "common/file.h"

static char folder[] = "/tmp/nodebake-passphrase-XXXXXX";
static char *path, *other;

static void is_given(const char *expected)
{
    size_t len;
    const char *text = passphrase_text(PASSPHRASE_NOW, &len);
    assert_true(passphrase_given(PASSPHRASE_NOW));
    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
}

static void the_first_line_counts(void **state)
{
    (void)state;
    static const char *const texts[] = {"hush hush", "hush hush\n", "hush hush\nsecond line\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        give(PASSPHRASE_NOW, texts[i]);
        is_given("hush hush");
    }
    give(PASSPHRASE_NOW, "  p\xc3\xa4ss wort ");
    is_given("  p\xc3\xa4ss wort ");
}

/* A shell may read on. */
static void what_follows_stays_in_the_pipe(void **state)
{
    (void)state;
    int ends[2];
    char rest[8] = "";
    struct error err = ERROR_INIT;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "hush hush\nmore", 14), 14);
    assert_int_equal(passphrase_read_fd(PASSPHRASE_NOW, ends[0], &err), 0);
    assert_int_equal(read(ends[0], rest, sizeof rest), 4);
    assert_string_equal(rest, "more");
    close(ends[0]);
    close(ends[1]);
}

static void refuses_bytes(const char *bytes, size_t n, const char *why)
{
    struct error err = ERROR_INIT;
    give(PASSPHRASE_NOW, "one before");
    assert_int_equal(give_bytes(PASSPHRASE_NOW, bytes, n, &err), -1);
    assert_non_null(strstr(err.text, why));
    assert_null(strstr(err.text, "sesame"));
    assert_false(passphrase_given(PASSPHRASE_NOW));
}

static void lengths_have_bounds(void **state)
{
    (void)state;
    char longest[PASSPHRASE_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[PASSPHRASE_MAX] = '\n';
    refuses_bytes("", 0, "has 0 bytes; a passphrase has at least 8");
    refuses_bytes("\nsesame sesame", 14, "has 0 bytes");
    refuses_bytes("sesame!\n", 8, "has 7 bytes");
    struct error err = ERROR_INIT;
    assert_int_equal(give_bytes(PASSPHRASE_NOW, longest, PASSPHRASE_MAX + 1, &err), 0);
    longest[PASSPHRASE_MAX] = 'x';
    refuses_bytes(longest, PASSPHRASE_MAX + 1, "longer than 1022 bytes");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    refuses_bytes("open sesame\r\n", 13, "control character");
    refuses_bytes("open\0sesame\n", 12, "control character");
    refuses_bytes("open sesame\177", 12, "control character");
}

static void put(const char *text, mode_t mode)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuses_file(const char *name, const char *why)
{
    struct error err = ERROR_INIT;
    assert_int_equal(passphrase_read_file(PASSPHRASE_NOW, name, &err), -1);
    assert_non_null(strstr(err.text, name));
    assert_non_null(strstr(err.text, why));
}

static void a_file_is_the_callers_alone(void **state)
{
    (void)state;
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610};
    struct error err = ERROR_INIT;
    put("open sesame\n", 0400);
    assert_int_equal(passphrase_read_file(PASSPHRASE_NOW, path, &err), 0);
    is_given("open sesame");
    for (size_t i = 0; i < ARRAY_LEN(open_modes); i++) {
        put("open sesame\n", open_modes[i]);
        refuses_file(path, "so that others can read or write it: make it 0600");
    }
    put("open sesame\n", 0600);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
        refuses_file(path, "belongs to uid 12345, not to you (uid 0)");
    }
}

static void links_and_pipes_are_refused(void **state)
{
    (void)state;
    put("open sesame\n", 0600);
    assert_int_equal(symlink(path, other), 0);
    refuses_file(other, "a link");
    assert_int_equal(unlink(other), 0);
    assert_int_equal(mkfifo(other, 0600), 0);
    refuses_file(other, "not a regular file");
    assert_int_equal(unlink(other), 0);
    refuses_file(other, "No such file or directory");
    refuses_file(folder, "not a regular file");
}

static void a_descriptor_is_open_and_no_terminal(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(passphrase_read_fd(PASSPHRASE_NOW, 4000, &err), -1);
    assert_string_equal(err.text, "descriptor 4000: Bad file descriptor");
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return;
    assert_int_equal(passphrase_read_fd(PASSPHRASE_NOW, terminal, &err), -1);
    assert_non_null(strstr(err.text, "is a terminal"));
    close(terminal);
}

static void is_forgotten_and_replaced(void **state)
{
    (void)state;
    size_t len;
    give(PASSPHRASE_NOW, "first one");
    give(PASSPHRASE_NEXT, "second one");
    passphrase_advance();
    is_given("second one");
    assert_false(passphrase_given(PASSPHRASE_NEXT));
    const char *text = passphrase_text(PASSPHRASE_NOW, &len);
    passphrase_forget();
    assert_false(passphrase_given(PASSPHRASE_NOW));
    for (size_t i = 0; i < PASSPHRASE_MAX; i++)
        assert_int_equal(text[i], 0);
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    path = heap_printf("%s/passphrase", folder);
    other = heap_printf("%s/other", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    free(path);
    free(other);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_counts),
        cmocka_unit_test(what_follows_stays_in_the_pipe),
        cmocka_unit_test(lengths_have_bounds),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(a_file_is_the_callers_alone),
        cmocka_unit_test(links_and_pipes_are_refused),
        cmocka_unit_test(a_descriptor_is_open_and_no_terminal),
        cmocka_unit_test(is_forgotten_and_replaced),
    };
    return cmocka_run_group_tests_name("passphrase", tests, begin, end);
}
