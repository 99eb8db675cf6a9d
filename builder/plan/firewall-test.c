#include "builder/plan/firewall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"

static void ufw_is_on_when_its_file_says_so(void **state)
{
    (void)state;
    assert_true(firewall_ufw_enabled("# x\nENABLED=yes\nLOGLEVEL=low\n"));
    assert_true(firewall_ufw_enabled("ENABLED=\"yes\""));
    assert_false(firewall_ufw_enabled("ENABLED=no\n"));
    assert_false(firewall_ufw_enabled("#ENABLED=yes\n"));
    assert_false(firewall_ufw_enabled(""));
}

static void ufw_is_switched_off(void **state)
{
    (void)state;
    struct buffer out AUTO_BUFFER = buffer_heap();
    firewall_ufw_disable("# x\nENABLED=yes\nLOGLEVEL=low", &out);
    assert_string_equal(out.data, "# x\nENABLED=no\nLOGLEVEL=low");
    assert_false(firewall_ufw_enabled(out.data));
}

static const char RULES[] = "*filter\n:ufw-user-input - [0:0]\n:ufw-user-forward - [0:0]\n"
                            "### RULES ###\n\n"
                            "### tuple ### deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
                            "-A ufw-user-input -p tcp --dport 22 -j DROP\n\n"
                            "### END RULES ###\nCOMMIT\n";

static void ufw_is_opened_before_its_own_rules(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const struct firewall_open open = {.nodes = "10.240.0.0/24", .pods = "10.200.0.0/16"};
    assert_int_equal(firewall_ufw_open(RULES, &open, &out, &err), 0);
    assert_string_equal(
        out.data,
        "*filter\n:ufw-user-input - [0:0]\n:ufw-user-forward - [0:0]\n### RULES ###\n\n"
        "### tuple ### allow any any 0.0.0.0/0 any 10.240.0.0/24 in comment=6e6f646562616b65\n"
        "-A ufw-user-input -s 10.240.0.0/24 -j ACCEPT\n\n"
        "### tuple ### allow any any 0.0.0.0/0 any 10.200.0.0/16 in comment=6e6f646562616b65\n"
        "-A ufw-user-input -s 10.200.0.0/16 -j ACCEPT\n\n"
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=6e6f646562616b65\n"
        "-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n\n"
        "### tuple ### allow tcp 30000:32767 0.0.0.0/0 any 0.0.0.0/0 in "
        "comment=6e6f646562616b65\n"
        "-A ufw-user-input -p tcp -m multiport --dports 30000:32767 -j ACCEPT\n\n"
        "### tuple ### allow udp 30000:32767 0.0.0.0/0 any 0.0.0.0/0 in "
        "comment=6e6f646562616b65\n"
        "-A ufw-user-input -p udp -m multiport --dports 30000:32767 -j ACCEPT\n\n"
        "### tuple ### route:allow any any 0.0.0.0/0 any 10.200.0.0/16 in "
        "comment=6e6f646562616b65\n"
        "-A ufw-user-forward -s 10.200.0.0/16 -j ACCEPT\n\n"
        "### tuple ### route:allow any any 10.200.0.0/16 any 0.0.0.0/0 in "
        "comment=6e6f646562616b65\n"
        "-A ufw-user-forward -d 10.200.0.0/16 -j ACCEPT\n\n"
        "### tuple ### deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
        "-A ufw-user-input -p tcp --dport 22 -j DROP\n\n"
        "### END RULES ###\nCOMMIT\n");
}

static void controllers_have_the_api(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const struct firewall_open open = {"10.240.0.0/24", "10.200.0.0/16", true};
    assert_int_equal(firewall_ufw_open(RULES, &open, &out, &err), 0);
    assert_non_null(strstr(out.data, "\n-A ufw-user-input -p tcp --dport 6443 -j ACCEPT\n"));
    assert_non_null(strstr(out.data, "\n-A ufw-user-input -p tcp --dport 80 -j ACCEPT\n"));
}

static void other_files_are_not_edited(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "*filter\nCOMMIT\n", "*filter\n:ufw-user-input - [0:0]\n### RULES ###\nCOMMIT\n"};
    const struct firewall_open open = {"10.240.0.0/24", "10.200.0.0/16", false};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = ERROR_INIT;
        struct buffer out AUTO_BUFFER = buffer_heap();
        assert_int_equal(firewall_ufw_open(texts[i], &open, &out, &err), -1);
        assert_string_equal(err.text, "it is not a file of ufw's rules (no '### RULES ###')");
    }
}

/* The first is Debian's. */
static void rules_that_drop_are_found(void **state)
{
    (void)state;
    assert_false(firewall_nft_drops("#!/usr/sbin/nft -f\n\nflush ruleset\n\ntable inet filter {\n"
                                    "\tchain input {\n\t\ttype filter hook input priority "
                                    "filter;\n\t}\n}\n"));
    assert_false(firewall_nft_drops("# policy drop\n\ttcp dport 1 accept # reject\n"));
    assert_false(firewall_nft_drops("add chain ip x dropbox\nadd chain x y_drop"));
    assert_true(firewall_nft_drops("type filter hook input priority 0; policy drop;\n"));
    assert_true(firewall_nft_drops("a\nb reject with tcp reset"));
    assert_true(firewall_nft_drops("include \"/etc/nftables.d/*.nft\"\n"));
    assert_false(firewall_iptables_drops("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n"));
    assert_false(firewall_iptables_drops("# DROP\n:DROPS - [0:0]\n"));
    assert_true(firewall_iptables_drops(":INPUT DROP [0:0]\n"));
    assert_true(firewall_iptables_drops("-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ufw_is_on_when_its_file_says_so),
        cmocka_unit_test(ufw_is_switched_off),
        cmocka_unit_test(ufw_is_opened_before_its_own_rules),
        cmocka_unit_test(controllers_have_the_api),
        cmocka_unit_test(other_files_are_not_edited),
        cmocka_unit_test(rules_that_drop_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
