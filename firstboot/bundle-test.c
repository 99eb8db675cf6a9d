#include "firstboot/bundle.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"

static struct bundle bundle;
static struct error err;

static int setup(void **state)
{
    (void)state;
    memset(&bundle, 0, sizeof bundle);
    memset(&err, 0, sizeof err);
    return 0;
}

static int check(const void *bytes, size_t len)
{
    setup(NULL);
    assert_true(len <= sizeof bundle.bytes);
    memcpy(bundle.bytes, bytes, len);
    bundle.len = len;
    return bundle_check(&bundle, &err);
}

static void found(const char *name, const char *content)
{
    struct bundle_file file;
    if (!bundle_find(&bundle, name, &file))
        fail_msg("no file %s", name);
    assert_int_equal(file.len, strlen(content));
    assert_memory_equal(file.bytes, content, file.len);
}

static void the_golden_one(void **state)
{
    (void)state;
    struct bundle_file file;
    static char text[1024];
    struct buffer b = BUFFER_FIXED(text);
    assert_int_equal(file_read(AT_FDCWD, "tests/golden/bundle-worker-0", sizeof text - 1, &b, &err),
                     0);
    assert_int_equal(check(b.data, b.len), 0);
    assert_int_equal(bundle_is_of(&bundle, "worker-0", &err), 0);
    found("worker-0.pem", "a certificate\n");
    found("worker-0-key.pem", "a key @NODE_NAME@\n");
    found("worker-0.kubeconfig", "a kubeconfig\n");
    assert_false(bundle_find(&bundle, "worker-1.pem", &file));
    assert_int_equal(bundle_is_of(&bundle, "worker-1", &err), -1);
    assert_string_equal(err.text, "the identity is that of worker-0, and this machine is worker-1");
    bundle_wipe(&bundle);
    assert_int_equal(bundle.len, 0);
    for (size_t i = 0; i < sizeof bundle.bytes; i++)
        assert_int_equal(bundle.bytes[i], 0);
}

#define HEAD "nodebake-identity 1\nnode w\n"

static void files_hold_any_bytes(void **state)
{
    (void)state;
    static const char odd[] = HEAD "file a/b 0\n\nfile c 6\nend\n\0\n\nfile d 15\nfile a/b "
                                   "9\nend\n\nend\n";
    assert_int_equal(check(odd, sizeof odd - 1), 0);
    struct bundle_file file;
    found("a/b", "");
    assert_true(bundle_find(&bundle, "c", &file));
    assert_memory_equal(file.bytes, "end\n\0\n", 6);
    found("d", "file a/b 9\nend\n");
    assert_int_equal(check(HEAD "end\n", sizeof HEAD "end\n" - 1), 0);
    assert_false(bundle_find(&bundle, "a/b", &file));
}

#define NOT_BEGUN    "not a bundle; its first line is 'nodebake-identity 1'"
#define NO_NODE      "its second line is not 'node NAME'"
#define NO_LINE(n)   "no line 'file NAME LENGTH' or 'end' behind " #n " files"
#define NO_LENGTH(n) "the length of file " #n " is not right"
#define VERSION_WRONG                                                                              \
    "a version of bundles that is not known; this firstboot reads 'nodebake-identity 1'"

/* What is refused, and why; none of the texts is shown. */
static const struct {
    const char *text, *why;
} bad_bundles[] = {
    {"", NOT_BEGUN},
    {"\n", NOT_BEGUN},
    {"nodebake-identity 1", NOT_BEGUN},
    {"nodebake-identity\nnode w\nend\n", NOT_BEGUN},
    {"-----BEGIN SECRET-----\n", NOT_BEGUN},
    {"nodebake-identity 1\r\nnode w\nend\n", NOT_BEGUN},
    {"nodebake-identity 2\nnode w\nend\n", VERSION_WRONG},
    {"nodebake-identity 10\nnode w\nend\n", VERSION_WRONG},
    {"nodebake-identity  1\nnode w\nend\n", VERSION_WRONG},
    {"nodebake-identity 1\n", NO_NODE},
    {"nodebake-identity 1\nend\n", NO_NODE},
    {"nodebake-identity 1\nnode \nend\n", NO_NODE},
    {"nodebake-identity 1\nnode W\nend\n", NO_NODE},
    {"nodebake-identity 1\nnode w x\nend\n", NO_NODE},
    {"nodebake-identity 1\nnode ../w\nend\n", NO_NODE},
    {HEAD, NO_LINE(0)},
    {HEAD "end", NO_LINE(0)},
    {HEAD "END\n", NO_LINE(0)},
    {HEAD "end \n", NO_LINE(0)},
    {HEAD "\nend\n", NO_LINE(0)},
    {HEAD "file\n", NO_LINE(0)},
    {HEAD "file a\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 1", NO_LINE(0)},
    {HEAD "file a 1 \n1\nend\n", NO_LINE(0)},
    {HEAD "file a b 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 01\n1\nend\n", NO_LINE(0)},
    {HEAD "file a -1\n1\nend\n", NO_LINE(0)},
    {HEAD "file a +1\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 1x\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 12001\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 18446744073709551617\n1\nend\n", NO_LINE(0)},
    {HEAD "file /a 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file ../a 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file a//b 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file . 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file  1\n1\nend\n", NO_LINE(0)},
    {HEAD "file \xc3\xa4 1\n1\nend\n", NO_LINE(0)},
    {HEAD "file a 1\n", NO_LENGTH(1)},
    {HEAD "file a 1\n1", NO_LENGTH(1)},
    {HEAD "file a 0\n1\nend\n", NO_LENGTH(1)},
    {HEAD "file a 2\n1\nend\n", NO_LENGTH(1)},
    {HEAD "file a 100\n1\nend\n", NO_LENGTH(1)},
    {HEAD "file a 12000\n1\nend\n", NO_LENGTH(1)},
    {HEAD "file a 1\n1\n", NO_LINE(1)},
    {HEAD "file a 1\n1\nfile b 3\nSEC\n", NO_LINE(2)},
    {HEAD "file a 3\nSEC\nRET\nend\n", NO_LINE(1)}, /* the length lies: more would be a line */
    {HEAD "file a 1\n1\nfile a 1\n1\nend\n", "file 2 is there twice"},
    {HEAD "file a 1\n1\nfile b 1\n1\nfile c 1\n1\nfile b 0\n\nend\n", "file 4 is there twice"},
    {HEAD "end\n\n", "bytes behind its end"},
    {HEAD "end\nend\n", "bytes behind its end"},
    {HEAD "end\nfile a 1\n1\nend\n", "bytes behind its end"},
};

static void others_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_bundles); i++) {
        if (check(bad_bundles[i].text, strlen(bad_bundles[i].text)) == 0)
            fail_msg("%zu is taken", i);
        assert_string_equal(err.text, bad_bundles[i].why);
    }
    assert_int_equal(check(HEAD "end\n\0", sizeof HEAD "end\n"), -1);
    assert_string_equal(err.text, "bytes behind its end");
}

static void names_are_bounded(void **state)
{
    (void)state;
    char text[512], name[300];
    struct bundle_file file;
    memset(name, 'n', sizeof name);
    name[245] = '\0'; /* what a component may have at its end */
    int n = snprintf(text, sizeof text, HEAD "file %s 1\n1\nend\n", name);
    assert_int_equal(check(text, (size_t)n), 0);
    assert_true(bundle_find(&bundle, name, &file));
    memset(name, 'n', sizeof name);
    name[128] = '/';
    name[255] = '\0';
    n = snprintf(text, sizeof text, HEAD "file %s 12000\n1\nend\n", name);
    assert_int_equal(check(text, (size_t)n), -1);
    assert_string_equal(err.text, NO_LENGTH(1));
    name[255] = 'n';
    name[256] = '\0';
    n = snprintf(text, sizeof text, HEAD "file %s 1\n1\nend\n", name);
    assert_int_equal(check(text, (size_t)n), -1);
    assert_string_equal(err.text, NO_LINE(0));
}

static void base64_comes_in_pieces(void **state)
{
    (void)state;
    static const char first[] = "bm9kZWJha2UtaWRlbnRpdHkgMQpub2Rl", second[] = "IHcKZW5kCg==";
    assert_int_equal(bundle_add(&bundle, first, strlen(first), &err), 0);
    assert_int_equal(bundle_check(&bundle, &err), -1);
    assert_int_equal(bundle_add(&bundle, second, strlen(second), &err), 0);
    assert_int_equal(bundle.len, strlen(HEAD "end\n"));
    assert_memory_equal(bundle.bytes, HEAD "end\n", bundle.len);
    assert_int_equal(bundle_check(&bundle, &err), 0);
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = {"", "SECRET", "SECRETS=\n", "SECRET S", "U0VDUkVU U0VDUkVU"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(bundle_add(&bundle, bad[i], strlen(bad[i]), &err), -1);
        assert_string_equal(err.text, "not base64 in one line");
    }
    assert_int_equal(bundle.len, 0);
}

static void its_size_is_bounded(void **state)
{
    static char digits[16004];
    (void)state;
    memset(digits, 'A', sizeof digits);
    assert_int_equal(bundle_add(&bundle, digits, 16000, &err), 0);
    assert_int_equal(bundle.len, 12000);
    assert_int_equal(bundle_add(&bundle, "AA==", 4, &err), -1);
    assert_string_equal(err.text, "more than the 12000 bytes that a bundle may have");
    setup(NULL);
    assert_int_equal(bundle_add(&bundle, digits, 16004, &err), -1);
    assert_string_equal(err.text, "more than the 12000 bytes that a bundle may have");
    assert_int_equal(bundle.len, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_golden_one),      TEST(files_hold_any_bytes),   TEST(others_are_refused),
        TEST(names_are_bounded),   TEST(base64_comes_in_pieces), TEST(what_is_no_base64_is_refused),
        TEST(its_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
