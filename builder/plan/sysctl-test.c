#include "builder/plan/sysctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"

static void keys_are_compared_as_systemd_does(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *key;
        bool match;
    } cases[] = {
        {"net.ipv4.ip_forward", "net.ipv4.ip_forward", true},
        {"net/ipv4/ip_forward", "net.ipv4.ip_forward", true},
        {"-net.ipv4.ip_forward", "net.ipv4.ip_forward", true},
        {"net.ipv4.*", "net.ipv4.ip_forward", true},
        {"net.*", "net.ipv4.ip_forward", false},
        {"net.bridge.bridge-nf-call-*", "net.bridge.bridge-nf-call-iptables", true},
        {"net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward", true},
        {"net.ipv4.conf.default.forwarding", "net.ipv4.ip_forward", true},
        {"net.ipv4.conf.*.forwarding", "net.ipv4.ip_forward", true},
        {"net.ipv4.conf.eth0.forwarding", "net.ipv4.ip_forward", false},
        {"net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward_x", false},
        {"net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter", true},
        {"vm.swappiness", "net.ipv4.ip_forward", false},
        {"single", "single", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (sysctl_key_matches(cases[i].pattern, cases[i].key) != cases[i].match)
            fail_msg("%s and %s", cases[i].pattern, cases[i].key);
}

static void check(const char *text, const char *key, const char *expected)
{
    char *value AUTO_FREE = sysctl_value(text, key);
    if (!expected)
        assert_null(value);
    else if (!value || strcmp(value, expected) != 0)
        fail_msg("'%s' gives '%s'", text, value ? value : "(none)");
}

static void the_last_value_counts(void **state)
{
    (void)state;
    check("", "a.b", NULL);
    check("# a.b = 1\n;a.b=2\n", "a.b", NULL);
    check("a.b=1", "a.b", "1");
    check("  a.b =  1 2\t3  \n", "a.b", "1 2\t3");
    check("a.b = 1\na/b = 0\nx = 3\n", "a.b", "0");
    check("a.b\n=\n-a.b", "a.b", NULL);
    check("a.b = x=y\r\n", "a.b", "x=y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_compared_as_systemd_does),
        cmocka_unit_test(the_last_value_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
