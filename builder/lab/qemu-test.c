#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/lab/qemu.h"
#include "common/attributes.h"

static const struct node node = {.name = (char *)"worker-0", .address = (char *)"10.240.0.20"};

/* The values of -smbios, a line each. */
static void firmware(bool aws, char out[static 512])
{
    const struct qemu_args args = {
        .node = &node, .uuid = "2e8558a1-73f2-4f2d-aa9a-da897ea03768", .memory = 512, .aws = aws};
    struct texts argv AUTO_TEXTS = {0};
    struct buffer b = {.data = out, .cap = 512};
    qemu_arguments(&args, &argv);
    for (size_t i = 0; i + 1 < argv.count; i++)
        if (strcmp(argv.items[i], "-smbios") == 0)
            buffer_printf(&b, "%s\n", argv.items[i + 1]);
}

static void machines_pass_for_a_clouds(void **state)
{
    char out[512];
    (void)state;
    firmware(false, out);
    assert_string_equal(out, "type=1,manufacturer=Google,product=Google Compute Engine,"
                             "uuid=2e8558a1-73f2-4f2d-aa9a-da897ea03768\n");
    firmware(true, out);
    assert_string_equal(out, "type=0,vendor=Amazon EC2\n"
                             "type=1,manufacturer=Amazon EC2,product=m5.large,"
                             "uuid=2e8558a1-73f2-4f2d-aa9a-da897ea03768\n"
                             "type=2,manufacturer=Amazon EC2,asset=i-2e8558a173f24f2da\n");
}

static void many_share_few(void **state)
{
    (void)state;
    assert_int_equal(qemu_cpus(false, 4, 2), 2);
    assert_int_equal(qemu_cpus(false, 5, 2), 1);
    assert_int_equal(qemu_cpus(false, 1, 1), 2);
    assert_int_equal(qemu_cpus(true, 100, 2), 2);
    assert_int_equal(qemu_cpus(false, 100, -1), 2); /* not known */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(machines_pass_for_a_clouds),
                                       cmocka_unit_test(many_share_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
