/* What is made of apt's words. apt itself is at work in tests/packages-repo.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/package/apt.h"

static void assert_complaint(const char *said, const char *expected)
{
    const struct apt_root root = {.dir = -1, .path = "/proc/1/fd/5"};
    struct buffer out AUTO_BUFFER = buffer_heap();
    apt_complaint(&root, (struct dpkg_text){said, strlen(said)}, &out);
    assert_string_equal(out.data, expected);
}

static void errors_and_warnings(void **state)
{
    (void)state;
    assert_complaint("", "");
    assert_complaint("Get:1 http://a ./ InRelease\nReading package lists...\nN: note\n", "");
    assert_complaint("W: Failed to fetch http://a/InRelease  Could not connect\n"
                     "E: Some index files failed to download. They have been ignored\n",
                     "Failed to fetch http://a/InRelease Could not connect");
    assert_complaint("E: one;\nW: two.\nE: one\n", "one; two");
    assert_complaint("E: key /proc/1/fd/5/usr/share/a.gpg is\tbad", "key /usr/share/a.gpg is bad");
    assert_complaint("E: Unable to correct problems, you have held broken packages.\n", "");
}

static void lists(void **state)
{
    (void)state;
    assert_complaint("The following packages will be REMOVED:\n  socat zlib\n  x\n"
                     "The following NEW packages will be installed:\n  rival\n"
                     "E: Packages need to be removed but remove is disabled.\n",
                     "these packages of the base would have to go: socat zlib x");
    assert_complaint("The following packages have unmet dependencies:\n a : Depends: b\n"
                     "     Depends: c (>= 2) but it is not going to be installed\nE: held\n",
                     "a : Depends: b Depends: c (>= 2) but it is not going to be installed; held");
    assert_complaint("The following packages will be REMOVED:",
                     "these packages of the base would have to go:");
}

static void long_ones_are_cut(void **state)
{
    (void)state;
    const struct apt_root root = {.dir = -1};
    struct buffer said AUTO_BUFFER = buffer_heap(), out AUTO_BUFFER = buffer_heap();
    for (int i = 0; i < 1000; i++)
        buffer_printf(&said, "E: error number %d\n", i);
    apt_complaint(&root, (struct dpkg_text){said.data, said.len}, &out);
    assert_in_range(out.len, 500, 700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_and_warnings),
        cmocka_unit_test(lists),
        cmocka_unit_test(long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
