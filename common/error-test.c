#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/buffer.h"
#include "common/error.h"

static void context_is_put_before(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    errno = EACCES;
    assert_int_equal(error_errno(&err, "read %s", "ca-key.pem"), -1);
    assert_int_equal(error_context(&err, "issue %s", "kubelet certificate"), -1);
    assert_int_equal(error_context(&err, "build worker"), -1);
    assert_string_equal(
        err.text, "build worker: issue kubelet certificate: read ca-key.pem: Permission denied");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    for (int i = 0; i < 200; i++)
        assert_int_equal(error_context(&err, "0123456789"), -1);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

static void buffers_overflow_once_and_stay(void **state)
{
    (void)state;
    char memory[8];
    struct buffer b = BUFFER_FIXED(memory);
    buffer_puts(&b, "1234567");
    assert_false(b.overflow);
    buffer_printf(&b, "%d", 8);
    assert_true(b.overflow);
    buffer_puts(&b, "");
    assert_string_equal(memory, "1234567");
    buffer_clear(&b);
    buffer_printf(&b, "%s-%d", "abc", 12);
    assert_string_equal(memory, "abc-12");
    assert_false(b.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_is_put_before),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(buffers_overflow_once_and_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
