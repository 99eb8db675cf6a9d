#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/inspect/grub.h"

static void read(const char *text, struct report *report)
{
    grub_read(text, strlen(text), report);
}

static void expect(const struct boot_entry *e, const char *title, const char *kernel,
                   const char *arguments)
{
    assert_string_equal(e->title, title);
    assert_string_equal(e->kernel, kernel);
    assert_string_equal(e->arguments, arguments);
}

static void linux_lines_are_read(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    read("set timeout=0\n"
         "menuentry 'Debian GNU/Linux' --class debian {\n"
         "\tlinux\t/boot/vmlinuz-6.1  root=UUID=1-2 ro console=ttyS0 \r\n"
         "\tinitrd\t/boot/initrd.img-6.1\n"
         "}\n"
         "submenu \"Advanced\" {\n"
         "  menuentry \"Debian, with 6.1 (recovery mode)\" {\n"
         "    linux /vmlinuz-6.1 single\n"
         "  }\n"
         "}\n"
         "menuentry bare {\nlinux16 /vmlinuz\n}\nlinuxefi /last",
         &r);
    assert_int_equal(r.entry_count, 4);
    expect(&r.entries[0], "Debian GNU/Linux", "/boot/vmlinuz-6.1",
           "root=UUID=1-2 ro console=ttyS0");
    expect(&r.entries[1], "Debian, with 6.1 (recovery mode)", "/vmlinuz-6.1", "single");
    expect(&r.entries[2], "bare", "/vmlinuz", "");
    expect(&r.entries[3], "bare", "/last", "");
}

static void other_lines_are_passed_over(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    read("", &r);
    read("\n\n# linux /no\nlinuxes /no\nlinux", &r);
    assert_int_equal(r.entry_count, 1); /* of the last line, which names no kernel */
    expect(&r.entries[0], "", "", "");
    read("menuentry 'open\nlinux /a \x1b[0m\n", &r);
    assert_int_equal(r.entry_count, 2);
    expect(&r.entries[1], "'open", "/a", "?[0m");
}

static void there_is_a_bound(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    for (int i = 0; i < GRUB_ENTRIES_MAX + 5; i++)
        read("linux /a\n", &r);
    assert_int_equal(r.entry_count, GRUB_ENTRIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_lines_are_read),
        cmocka_unit_test(other_lines_are_passed_over),
        cmocka_unit_test(there_is_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
