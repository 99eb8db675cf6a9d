#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/address.h"

static void ipv4_reads_dotted_quads(void **state)
{
    (void)state;
    uint32_t a;
    assert_true(ipv4_parse("10.240.0.20", &a));
    assert_int_equal(a, 0x0af00014);
    assert_true(ipv4_parse("255.255.255.255", &a));
    static const char *const bad[] = {
        "",          "10",         "10.0.0",    "10.0.0.256",      "10.0.0.01",
        "10.0.0.1 ", " 10.0.0.1",  "1.2.3.4.5", "a.b.c.d",         "10..0.1",
        "+1.2.3.4",  "1.2.3.4/24", "1.2.3.",    "4294967296.0.0.1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (ipv4_parse(bad[i], &a))
            fail_msg("'%s' was taken for an address", bad[i]);
}

static void cidr_wants_zero_host_bits(void **state)
{
    (void)state;
    struct cidr c;
    assert_true(cidr_parse("10.200.1.0/24", &c));
    assert_int_equal(c.prefix, 24);
    assert_true(cidr_parse("0.0.0.0/0", &c));
    assert_true(cidr_parse("10.0.0.1/32", &c));
    static const char *const bad[] = {
        "10.200.1.1/24",  "10.200.1.0/33",  "10.200.1.0", "10.200.1.0/",
        "10.200.1.0/024", "10.200.1.0/24x", "/24"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (cidr_parse(bad[i], &c))
            fail_msg("'%s' was taken for a network", bad[i]);
}

static struct cidr net(const char *text)
{
    struct cidr c;
    assert_true(cidr_parse(text, &c));
    return c;
}

static void cidr_relations(void **state)
{
    (void)state;
    assert_true(cidr_contains(net("10.200.0.0/16"), net("10.200.5.0/24")));
    assert_false(cidr_contains(net("10.200.5.0/24"), net("10.200.0.0/16")));
    assert_true(cidr_contains(net("0.0.0.0/0"), net("1.2.3.4/32")));
    assert_true(cidr_overlaps(net("10.200.5.0/24"), net("10.200.0.0/16")));
    assert_false(cidr_overlaps(net("10.200.0.0/24"), net("10.200.1.0/24")));
}

static void names_follow_rfc1123(void **state)
{
    (void)state;
    char label[65];
    memset(label, 'a', 64);
    label[64] = '\0';
    assert_false(dns_label_valid(label));
    label[63] = '\0';
    assert_true(dns_label_valid(label));
    assert_true(dns_label_valid("worker-0"));
    static const char *const bad[] = {"", "-a", "a-", "A", "a_b", "a.b", "a b", "a\n", "é"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (dns_label_valid(bad[i]))
            fail_msg("'%s' was taken for a label", bad[i]);
    assert_true(dns_name_valid("cluster.local"));
    assert_false(dns_name_valid("cluster..local"));
    assert_false(dns_name_valid(".cluster"));
    assert_false(dns_name_valid("cluster."));
}

static void values_are_typed(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        const char *text;
        const char *error; /* NULL: valid */
    } table[] = {
        {VALUE_LABEL, "worker-0", NULL},
        {VALUE_LABEL, "worker-0\n", "'worker-0?' is not a DNS label"},
        {VALUE_IPV4, "10.240.0.20", NULL},
        {VALUE_IPV4, "10.240.0", "is not an IPv4 address"},
        {VALUE_CIDR, "10.200.0.0/24", NULL},
        {VALUE_CIDR, "10.200.0.0/24\"}", "is not an IPv4 network"},
        {VALUE_TOKEN, "abc.def:ghi/jkl", NULL},
        {VALUE_TOKEN, "a b", "printable characters"},
        {VALUE_TOKEN, "a\"b", "printable characters"},
        {VALUE_TOKEN, "$(reboot)", "printable characters"},
        {VALUE_TOKEN, "", "printable characters"},
        {VALUE_TOKEN, "a\x1b[2J", "'a?[2J' is not"},
        {VALUE_SSHKEYS, "", NULL},
        {VALUE_SSHKEYS, "a key\n", "'a key?' is not up to 64 public keys"},
        {VALUE_BUNDLE, "bm9kZWJha2U=", NULL},
        {VALUE_BUNDLE, "", "a value that is not a line of base64"},
        {VALUE_BUNDLE, "S3CR3T", "a value that is not a line of base64 of at most 12000 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct error err = ERROR_INIT;
        int result = value_check(table[i].type, table[i].text, &err);
        assert_int_equal(result, table[i].error ? -1 : 0);
        if (table[i].error && !strstr(err.text, table[i].error))
            fail_msg("'%s' lacks '%s'", err.text, table[i].error);
    }
}

static void what_may_be_a_password_is_not_shown(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(value_check_fact(VALUE_TOKEN, "S3CR3T", &err), 0);
    assert_int_equal(value_check_fact(VALUE_TOKEN, "S3CR3T S3CR3T", &err), -1);
    assert_null(strstr(err.text, "S3CR3T"));
    assert_ptr_equal(strstr(err.text, "a value that is not 1 to 255 printable"), err.text);
    assert_int_equal(value_check_fact(VALUE_BUNDLE, "S3CR3T", &err), -1);
    assert_null(strstr(err.text, "S3CR3T"));
    assert_int_equal(value_check_fact(VALUE_IPV4, "10.0.0", &err), -1);
    assert_non_null(strstr(err.text, "'10.0.0' is not"));
}

static void type_names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VALUE_TYPES; i++) {
        enum value_type type;
        assert_true(value_type_parse(value_type_name((enum value_type)i), &type));
        assert_int_equal(type, i);
    }
    enum value_type type;
    assert_false(value_type_parse("string", &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_reads_dotted_quads),
        cmocka_unit_test(cidr_wants_zero_host_bits),
        cmocka_unit_test(cidr_relations),
        cmocka_unit_test(names_follow_rfc1123),
        cmocka_unit_test(values_are_typed),
        cmocka_unit_test(what_may_be_a_password_is_not_shown),
        cmocka_unit_test(type_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
