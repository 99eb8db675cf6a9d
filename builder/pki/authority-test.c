#include "builder/pki/authority.h"

#include "builder/pki/authority-fixture.h"
#include "common/file.h"

enum { YEAR = 365 * 24 * 60 * 60 };

static time_t now;

static void refuse(const struct buffer *text, const char *message)
{
    struct error err = ERROR_INIT;
    struct authorities list AUTO_AUTHORITIES = {0};
    expect_error(authorities_parse(text->data, text->len, now, &list, &err), &err, message);
    assert_null(strstr(err.text, "PRIVATE KEY-----"));
}

static void refuse_text(const char *text, const char *message)
{
    struct buffer buffer AUTO_BUFFER = buffer_heap();
    buffer_puts(&buffer, text);
    refuse(&buffer, message);
}

static uint32_t openssl_hash(const char *pem)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const char *const argv[] = {"openssl", "x509", "-noout", "-subject_hash", NULL};
    struct process openssl = {.argv = argv, .input = pem, .out = &out};
    expect(process_run(&openssl, NULL, &err), &err);
    return (uint32_t)strtoul(out.data, NULL, 16);
}

static void certificates_are_taken_out(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer a AUTO_BUFFER = buffer_heap(), b AUTO_BUFFER = buffer_heap(),
                    text AUTO_BUFFER = buffer_heap();
    struct authorities list AUTO_AUTHORITIES = {0};
    make_authority("Corp A", now, &a, NULL);
    make_authority("Corp B", now, &b, NULL);
    buffer_printf(&text, "# ours\r\n%sissuer: me\n%s%.*s", a.data, a.data, (int)b.len - 1, b.data);
    assert_int_equal(file_publish(AT_FDCWD, "ca.pem", text.data, text.len, 0644, &err), 0);
    expect(authorities_read("ca.pem", now, &list, &err), &err);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].pem, a.data);
    assert_string_equal(list.items[1].pem, b.data);
    assert_int_equal(list.items[0].hash, openssl_hash(a.data));
    assert_int_equal(list.items[1].hash, openssl_hash(b.data));
}

static void lines_may_end_as_windows_has_it(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer a AUTO_BUFFER = buffer_heap(), text AUTO_BUFFER = buffer_heap();
    struct authorities list AUTO_AUTHORITIES = {0};
    make_authority("Corp A", now, &a, NULL);
    for (const char *p = a.data; *p; p++)
        buffer_printf(&text, *p == '\n' ? "\r\n" : "%c", *p);
    expect(authorities_parse(text.data, text.len, now, &list, &err), &err);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].pem, a.data);
}

static void keys_are_refused(void **state)
{
    (void)state;
    struct buffer a AUTO_BUFFER = buffer_heap(), key AUTO_BUFFER = buffer_heap();
    make_authority("Corp A", now, &a, &key);
    refuse(&key, "holds a block 'PRIVATE KEY'; it must hold certificates only");
    buffer_add(&a, key.data, key.len);
    refuse(&a, "holds a block 'PRIVATE KEY'; it must hold certificates only");
    refuse_text("-----BEGIN TRUSTED CERTIFICATE-----\n", "holds a block 'TRUSTED CERTIFICATE'");
    refuse_text("-----BEGIN ", "holds a block ''");
}

static void damage_is_refused(void **state)
{
    (void)state;
    struct buffer a AUTO_BUFFER = buffer_heap(), cut AUTO_BUFFER = buffer_heap();
    make_authority("Corp A", now, &a, NULL);
    buffer_add(&cut, a.data, a.len / 2);
    refuse(&cut, "a certificate has no end");
    a.data[a.len / 2] = '*';
    refuse(&a, "not a certificate in PEM form");
    refuse_text("", "holds no certificate in PEM form");
    refuse_text("certificate\n", "holds no certificate in PEM form");
    buffer_clear(&cut);
    buffer_add(&cut, "\x30\x82\0\0", 4);
    refuse(&cut, "not a PEM text");
}

static void dates_are_checked(void **state)
{
    (void)state;
    struct buffer old AUTO_BUFFER = buffer_heap(), young AUTO_BUFFER = buffer_heap();
    make_authority("Old", now - 11 * YEAR, &old, NULL);
    make_authority("Young", now + YEAR, &young, NULL);
    refuse(&old, "/CN=Old: expired on 20");
    refuse(&young, "/CN=Young: is not valid before 20");
}

static void files_are_named(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct authorities list AUTO_AUTHORITIES = {0};
    expect_error(authorities_read("absent.pem", now, &list, &err), &err,
                 "absent.pem: No such file");
    assert_int_equal(file_publish(AT_FDCWD, "empty.pem", "", 0, 0644, &err), 0);
    expect_error(authorities_read("empty.pem", now, &list, &err), &err,
                 "empty.pem: holds no certificate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(certificates_are_taken_out), cmocka_unit_test(lines_may_end_as_windows_has_it),
        cmocka_unit_test(keys_are_refused),    cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(dates_are_checked),   IN_FOLDER(files_are_named)};
    now = time(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
