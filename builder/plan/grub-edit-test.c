/* Menus as grub-mkconfig of Debian 12 and 13 wrote them, and one of Ubuntu's form. Runs from the
 * top folder. That grub-mkconfig then writes the same is seen by tests/grub.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "builder/heap.h"
#include "builder/plan/grub-edit.h"
#include "common/file.h"

enum { WORDS_MAX = 6 };

static struct buffer golden(const char *name)
{
    char *path AUTO_FREE = heap_printf("tests/golden/grub/%s", name);
    struct buffer text = buffer_heap();
    struct error err = ERROR_INIT;
    if (file_read(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

static struct kernel_line asks(const char *const *words)
{
    struct kernel_line line = {0};
    for (; *words; words++)
        kernel_line_add(&line, *words);
    return line;
}

static struct buffer edit(const struct buffer *text, const char *const *words)
{
    struct kernel_line line AUTO_KERNEL_LINE = asks(words);
    struct buffer out = buffer_heap();
    grub_edit(text->data, text->len, &line, &out);
    return out;
}

/* The arguments of all kernels, a line each. */
static struct buffer arguments(const struct buffer *text)
{
    struct grub_reader reader = {.rest = {text->data, text->len}, .title = {"", 0}};
    struct grub_line line;
    struct buffer out = buffer_heap();
    while (grub_next(&reader, &line))
        buffer_printf(&out, "%.*s\n", (int)line.arguments.len, line.arguments.at);
    return out;
}

/* All but the arguments. */
static struct buffer others(const struct buffer *text)
{
    struct grub_reader reader = {.rest = {text->data, text->len}, .title = {"", 0}};
    struct grub_line line;
    struct buffer out = buffer_heap();
    const char *at = text->data;
    while (grub_next(&reader, &line)) {
        buffer_add(&out, at, (size_t)(line.arguments.at - at));
        at = line.arguments.at + line.arguments.len;
    }
    buffer_puts(&out, at);
    return out;
}

/* Edits, and edits the outcome, which must stay. */
static void expect_edit(const struct buffer *text, const char *const *words, const char *wanted)
{
    struct buffer once AUTO_BUFFER = edit(text, words), twice AUTO_BUFFER = edit(&once, words);
    struct buffer got AUTO_BUFFER = arguments(&once), rest AUTO_BUFFER = others(text),
                      kept AUTO_BUFFER = others(&once);
    assert_string_equal(got.data, wanted);
    assert_string_equal(twice.data, once.data);
    assert_string_equal(kept.data, rest.data);
}

static void debian(const char *file, const char *root, const char *recovery)
{
    static const char *const words[] = {"panic=10", "quiet", NULL};
    struct buffer text AUTO_BUFFER = golden(file);
    char *wanted AUTO_FREE =
        heap_printf("%s ro console=tty0 console=ttyS0,115200 panic=10 quiet\n"
                    "%s ro console=tty0 console=ttyS0,115200 panic=10 quiet\n"
                    "%s ro %s console=tty0 console=ttyS0,115200 panic=10 quiet\n",
                    root, root, root, recovery);
    expect_edit(&text, words, wanted);
    struct grub_kernels kernels = grub_kernels(text.data, text.len);
    assert_int_equal(kernels.count, 3);
    assert_int_equal(kernels.serial, 3);
}

static void debian_12(void **state)
{
    (void)state;
    debian("debian-12.cfg", "root=UUID=71404594-21e1-45a7-a761-bf60a05add3a", "single");
}

static void debian_13(void **state)
{
    (void)state;
    debian("debian-13.cfg", "root=UUID=fa6feec2-385d-49e7-b2fc-d42713b2579f",
           "single dis_ucode_ldr");
}

static void ubuntu(void **state)
{
    (void)state;
    static const char *const words[] = {"systemd.unified_cgroup_hierarchy=0", NULL};
    struct buffer text AUTO_BUFFER = golden("ubuntu.cfg");
    struct grub_kernels kernels = grub_kernels(text.data, text.len);
    assert_int_equal(kernels.count, 3);
    assert_int_equal(kernels.serial, 2);
    expect_edit(&text, words,
                "root=LABEL=cloudimg-rootfs ro console=tty1 console=ttyS0 "
                "systemd.unified_cgroup_hierarchy=0 quiet splash $vt_handoff\n"
                "root=LABEL=cloudimg-rootfs ro console=tty1 console=ttyS0 "
                "systemd.unified_cgroup_hierarchy=0 quiet splash $vt_handoff\n"
                "root=LABEL=cloudimg-rootfs ro recovery nomodeset dis_ucode_ldr console=tty1 "
                "console=ttyS0 systemd.unified_cgroup_hierarchy=0\n"
                "\n"
                "console=ttyS0,115200\n");
}

static void words_of_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX], *base, *wanted;
    } rows[] = {
        /* the serial console */
        {{NULL}, "root=a ro", "root=a ro console=tty0 console=ttyS0,115200"},
        {{NULL}, "root=a ro quiet", "root=a ro console=tty0 console=ttyS0,115200 quiet"},
        {{NULL}, "root=a ro console=hvc0", "root=a ro console=hvc0 console=ttyS0,115200"},
        {{NULL}, "root=a console=ttyS0 console=tty1", "root=a console=ttyS0 console=tty1"},
        {{NULL}, "root=a console=ttyS01", "root=a console=ttyS01 console=ttyS0,115200"},
        {{"console=ttyS1", NULL},
         "root=a ro x console=tty0",
         "root=a ro console=tty0 console=ttyS0,115200 console=ttyS1 x"},
        {{"console=ttyS0,9600", NULL},
         "root=a ro console=tty0 console=ttyS0,115200",
         "root=a ro console=tty0 console=ttyS0,9600"},
        {{"console=ttyS0", NULL}, "root=a ro", "root=a ro console=ttyS0"},
        {{"console=ttyS1", "console=ttyS0,9600", NULL},
         "root=a console=ttyS1,9600",
         "root=a console=ttyS1 console=ttyS0,9600"},
        /* what is there already, and what has another value */
        {{"quiet", NULL}, "root=a console=ttyS0 x quiet", "root=a console=ttyS0 quiet x"},
        {{"panic=10", NULL}, "root=a console=ttyS0 panic=1 x", "root=a console=ttyS0 panic=10 x"},
        {{"panic=10", NULL}, "root=a console=ttyS0 panic", "root=a console=ttyS0 panic=10 panic"},
        {{"panic", NULL}, "root=a console=ttyS0 panic=1", "root=a console=ttyS0 panic panic=1"},
        {{"hugepagesz=1G", "hugepages=2", "hugepagesz=2M", "hugepages=9", NULL},
         "root=a console=ttyS0 hugepages=7 x",
         "root=a console=ttyS0 hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=9 x"},
        /* what may be given several times */
        {{"systemd.mask=a", "ip=dhcp", NULL},
         "root=a console=ttyS0 systemd.mask=b systemd.mask=a ip=off",
         "root=a console=ttyS0 systemd.mask=a ip=dhcp systemd.mask=b ip=off"},
        /* GRUB's own words stay in front */
        {{"single", "ro", NULL},
         "root=a ro",
         "root=a ro console=tty0 console=ttyS0,115200 single ro"},
        {{"nomodeset", NULL},
         "root=a rootflags=subvol=@ rw nomodeset console=ttyS0",
         "root=a rootflags=subvol=@ rw console=ttyS0 nomodeset"},
        {{"x", NULL},
         "root=a ro single console=ttyS0 -- 3",
         "root=a ro single console=ttyS0 x -- 3"},
        {{"x", NULL}, "quiet root=a", "console=tty0 console=ttyS0,115200 x quiet root=a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer text AUTO_BUFFER = buffer_heap(), got AUTO_BUFFER = buffer_heap();
        buffer_printf(&text, "\tlinux16 /vmlinuz\t%s \r\n", rows[i].base);
        struct kernel_line line AUTO_KERNEL_LINE = asks(rows[i].words);
        grub_edit(text.data, text.len, &line, &got);
        char *wanted AUTO_FREE = heap_printf("\tlinux16 /vmlinuz\t%s \r\n", rows[i].wanted);
        assert_string_equal(got.data, wanted);
    }
}

static void what_starts_no_kernel_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "linux",
                                        "linux /memtest\n",
                                        "# linux /a root=b\n",
                                        "initrd /a root=b",
                                        "linux root=a\n"};
    struct kernel_line none = {0};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        grub_edit(texts[i], strlen(texts[i]), &none, &out);
        buffer_add(&out, "", 1);
        assert_string_equal(out.data, texts[i]);
        assert_int_equal(grub_kernels(texts[i], strlen(texts[i])).count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debian_12),
        cmocka_unit_test(debian_13),
        cmocka_unit_test(ubuntu),
        cmocka_unit_test(words_of_one_line),
        cmocka_unit_test(what_starts_no_kernel_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
