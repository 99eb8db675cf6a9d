/* Firewalls that a base has, in whole plans. */
#include "builder/plan/golden-fixture.h"

#define WANTS "/etc/systemd/system/multi-user.target.wants/"
#define WHERE "say `firewall: open` or `firewall: disable` in cluster.yaml"

static const char RULES[] = "*filter\n:ufw-user-input - [0:0]\n:ufw-user-forward - [0:0]\n"
                            "### RULES ###\n\n### END RULES ###\nCOMMIT\n";

/* A base with one unit switched on; tests give it files. */
struct with {
    struct base base;
    struct base_link links[2];
    struct base_file files[3];
};

static struct with base_with(const char *unit)
{
    char *link = heap_printf(WANTS "%s", unit);
    struct with with = {.base = {.resolved = true, .link_count = 1},
                        .links = {{link, (char *)"/usr/lib/systemd/system/x"}}};
    return with;
}

static struct base *known(struct with *with)
{
    with->base.links = with->links;
    with->base.files = with->files;
    return &with->base;
}

static void has_file(struct with *with, const char *path, const char *text)
{
    with->files[with->base.file_count++] =
        (struct base_file){(char *)path, (char *)text, strlen(text), 0640, 0, 0};
}

static void with_free_at(struct with *with)
{
    free(with->links[0].path);
    texts_free(&with->base.paths);
}
#define AUTO_WITH __attribute__((cleanup(with_free_at)))

static void an_active_one_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *path, *text, *name;
    } cases[] = {
        {"ufw.service", "/etc/ufw/ufw.conf", "ENABLED=yes\n", "ufw"},
        {"firewalld.service", "/x", "", "firewalld"},
        {"nftables.service", "/etc/nftables.conf", "policy drop;\n",
         "nftables with /etc/nftables.conf"},
        {"netfilter-persistent.service", "/etc/iptables/rules.v6", ":INPUT DROP [0:0]\n",
         "netfilter-persistent with /etc/iptables/rules.v4 or rules.v6"},
        {"shorewall.service", "/x", "", "shorewall"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct with with AUTO_WITH = base_with(cases[i].unit);
        char *message AUTO_FREE =
            heap_printf("plan worker-0: the base has an active firewall, %s, which would cut the "
                        "nodes off from each other: " WHERE,
                        cases[i].name);
        has_file(&with, cases[i].path, cases[i].text);
        golden_refused(known(&with), message);
    }
}

static void a_sleeping_one_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *path, *text;
    } cases[] = {
        {"ufw.service", "/etc/ufw/ufw.conf", "ENABLED=no\n"},
        {"nftables.service", "/etc/nftables.conf", "flush ruleset\n"},
        {"netfilter-persistent.service", "/etc/iptables/rules.v4", ":INPUT ACCEPT [0:0]\n"},
        {"other.service", "/etc/ufw/ufw.conf", "ENABLED=yes\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct with with AUTO_WITH = base_with(cases[i].unit);
        has_file(&with, cases[i].path, cases[i].text);
        struct plan *plan AUTO_PLAN = golden_plan(known(&with));
        assert_null(tree_find(plan->tree, "/etc/ufw/ufw.conf"));
    }
    struct with masked AUTO_WITH = base_with("firewalld.service");
    masked.links[1] =
        (struct base_link){(char *)"/etc/systemd/system/firewalld.service", (char *)"/dev/null"};
    masked.base.link_count = 2;
    struct plan *plan AUTO_PLAN = golden_plan(known(&masked));
    assert_non_null(plan);
}

static void one_that_the_user_switches_off_is_none(void **state)
{
    (void)state;
    struct settings *s = golden_settings();
    struct with with AUTO_WITH = base_with("firewalld.service");
    *APPEND(s->units, s->unit_count, s->unit_cap) =
        (struct own_unit){heap_copy("firewalld.service"), OWN_UNIT_MASKED, NULL, 5};
    struct plan *plan AUTO_PLAN = golden_plan(known(&with));
    assert_non_null(tree_find(plan->tree, "/etc/systemd/system/firewalld.service"));
}

static void rules_of_the_user_are_trusted(void **state)
{
    (void)state;
    struct settings *s = golden_settings();
    struct with with AUTO_WITH = base_with("nftables.service");
    has_file(&with, "/etc/nftables.conf", "policy drop;\n");
    *APPEND(s->files, s->file_count, s->file_cap) =
        (struct own_file){.path = heap_copy("/etc/nftables.conf"),
                          .content = heap_copy("ip saddr @NODE_NETWORK@ accept\npolicy drop\n"),
                          .mode = 0644};
    struct plan *plan AUTO_PLAN = golden_plan(known(&with));
    assert_string_equal(golden_text(plan, "/etc/nftables.conf"),
                        "ip saddr 10.240.0.0/24 accept\npolicy drop\n");
}

static void ufw_is_opened(void **state)
{
    (void)state;
    golden_settings()->firewall = FIREWALL_OPEN;
    struct with with AUTO_WITH = base_with("ufw.service");
    has_file(&with, "/etc/ufw/sysctl.conf", "#net/ipv4/ip_forward=0\n");
    has_file(&with, "/etc/ufw/ufw.conf", "ENABLED=yes\n");
    has_file(&with, "/etc/ufw/user.rules", RULES);
    struct plan *plan AUTO_PLAN = golden_plan(known(&with));
    const char *text = golden_text(plan, "/etc/ufw/user.rules");
    assert_non_null(strstr(text, "\n-A ufw-user-input -s 10.240.0.0/24 -j ACCEPT\n"));
    assert_non_null(strstr(text, "\n-A ufw-user-forward -d 10.200.0.0/16 -j ACCEPT\n"));
    assert_null(strstr(text, "6443"));
    assert_int_equal(golden_entry(plan, "/etc/ufw/user.rules")->mode, 0640);
    assert_null(tree_find(plan->tree, "/etc/ufw/ufw.conf"));
    with.files[0].text = (char *)"net/ipv4/ip_forward=0\n";
    golden_refused(&with.base, "plan worker-0: firewall: /etc/ufw/sysctl.conf of the base: it sets "
                               "net.ipv4.ip_forward to '0', and the nodes need '1'");
    with.files[0].text = (char *)"";
    with.files[2].text = (char *)"x\n";
    golden_refused(&with.base, "plan worker-0: firewall: /etc/ufw/user.rules of the base: it is "
                               "not a file of ufw's rules (no '### RULES ###')");
}

static void firewalld_is_opened_by_an_overlay(void **state)
{
    (void)state;
    golden_settings()->firewall = FIREWALL_OPEN;
    struct with with AUTO_WITH = base_with("firewalld.service");
    golden_refused(known(&with),
                   "plan worker-0: firewall: the base's firewalld is older than 0.9 and cannot be "
                   "opened: say `firewall: disable` in cluster.yaml");
    texts_add(&with.base.paths, "/usr/lib/firewalld/policies");
    struct plan *plan AUTO_PLAN = golden_plan(&with.base);
    const char *zone = golden_text(plan, "/etc/firewalld/zones/nodebake.xml");
    assert_non_null(strstr(zone, "<source address=\"10.240.0.0/24\"/>"));
    assert_non_null(strstr(zone, "<source address=\"10.200.0.0/16\"/>"));
    assert_null(tree_find(plan->tree, "/etc/firewalld/policies/nodebake-api.xml"));
}

static void others_cannot_be_opened(void **state)
{
    (void)state;
    golden_settings()->firewall = FIREWALL_OPEN;
    struct with with AUTO_WITH = base_with("ferm.service");
    golden_refused(known(&with),
                   "plan worker-0: firewall: the base has an active firewall, ferm, and nodebake "
                   "can open only ufw and firewalld: say `firewall: disable` in cluster.yaml, or "
                   "bring rules that let the cluster through with `files`");
}

static void they_are_switched_off(void **state)
{
    (void)state;
    golden_settings()->firewall = FIREWALL_DISABLE;
    struct with with AUTO_WITH = base_with("ufw.service");
    has_file(&with, "/etc/ufw/ufw.conf", "ENABLED=yes\nX=1\n");
    struct plan *plan AUTO_PLAN = golden_plan(known(&with));
    assert_string_equal(golden_text(plan, "/etc/ufw/ufw.conf"), "ENABLED=no\nX=1\n");
    assert_string_equal(golden_entry(plan, "/etc/systemd/system/ufw.service")->target, "/dev/null");
    assert_int_equal(golden_entry(plan, WANTS "ufw.service")->type, ENTRY_GONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_active_one_is_refused),
        TEST(a_sleeping_one_is_none),
        TEST(one_that_the_user_switches_off_is_none),
        TEST(rules_of_the_user_are_trusted),
        TEST(ufw_is_opened),
        TEST(firewalld_is_opened_by_an_overlay),
        TEST(others_cannot_be_opened),
        TEST(they_are_switched_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
