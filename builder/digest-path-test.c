/* Digests of files by path: remembered as long as the file is the one that it was. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "common/file.h"

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char NOTHING[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static char folder[] = "/tmp/nodebake-digest-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave(void **state)
{
    (void)state;
    char *command AUTO_FREE = heap_printf("rm -r %s", folder);
    return system(command);
}

static void write_text(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
}

static void expect(const char *path, const char *wanted)
{
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX] = "";
    if (digest_path(path, hex, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(hex, wanted);
}

static void a_changed_file_is_read_again(void **state)
{
    (void)state;
    write_text("file", "abc");
    expect("file", ABC);
    expect("file", ABC);
    write_text("file", "");
    expect("file", NOTHING);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    assert_int_equal(digest_path("absent", hex, &err), -1);
    assert_string_equal(err.text, "absent: No such file or directory");
    assert_int_equal(digest_path(".", hex, &err), -1);
    assert_string_equal(err.text, ".: not a regular file");
}

/* In a process of its own: what is remembered in the process itself is not the matter. */
static void keep(const char *path, bool again, const char *wanted)
{
    pid_t child = fork();
    if (child == 0) {
        struct error err = ERROR_INIT;
        char hex[DIGEST_HEX_MAX] = "";
        bool right = digest_kept("kept", path, again, hex, &err) == 0 && strcmp(hex, wanted) == 0;
        _exit(right ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Replaces what is remembered of all files by a digest that cannot be right. */
static void forge(void)
{
    assert_int_equal(system("sed -i '2s/.*/" /* 64 digits */
                            "1111111111111111111111111111111111111111111111111111111111111111"
                            "/' kept/*"),
                     0);
}

static void digests_are_kept_until_the_file_changes(void **state)
{
    (void)state;
    static const char forged[] = "1111111111111111111111111111111111111111111111111111111111111111";
    write_text("image", "abc");
    keep("image", false, ABC);
    forge();
    keep("image", false, forged); /* not read again: the fingerprint is the same */
    keep("image", true, ABC);
    keep("image", false, ABC);
    forge();
    write_text("image", "");
    keep("image", false, NOTHING);
}

static void a_damaged_record_is_as_good_as_none(void **state)
{
    (void)state;
    write_text("image", "abc");
    keep("image", false, ABC);
    assert_int_equal(system("for f in kept/*; do head -c 80 $f >cut && cp cut $f; done"), 0);
    keep("image", false, ABC);
    assert_int_equal(system("for f in kept/*; do sed -i '2s/b/x/' $f; done"), 0);
    keep("image", false, ABC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_file_is_read_again),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(digests_are_kept_until_the_file_changes),
        cmocka_unit_test(a_damaged_record_is_as_good_as_none),
    };
    return cmocka_run_group_tests_name("digest-path", tests, enter, leave);
}
