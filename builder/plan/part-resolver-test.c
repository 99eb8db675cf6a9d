/* What pods learn of DNS, in whole plans. */
#include "builder/plan/resolver.h"

#include "builder/plan/golden-fixture.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define KUBELET     PATH_TEMPLATES "/var/lib/kubelet/kubelet-config.yaml"
#define HINT                                                                                       \
    "add systemd-resolved to `packages` of cluster.yaml, or bring an /etc/resolv.conf with "       \
    "`files`"
#define NOBODY                                                                                     \
    "plan worker-0: nothing on the base would tell pods of a DNS server: systemd-resolved is not " \
    "there or switched off, and nobody else writes /etc/resolv.conf; " HINT
#define LOCAL                                                                                      \
    "plan worker-0: the base's /etc/resolv.conf names a DNS server on the node itself, which no "  \
    "pod reaches; " HINT

/* A base of a case: what is at /etc/resolv.conf, and whether resolved is installed. */
struct test_base {
    struct base base;
    struct base_file files[2];
    struct base_link links[2];
    char *units[1];
};

static struct base *make(struct test_base *t, enum base_network network, const char *link,
                         const char *text, bool installed)
{
    *t = (struct test_base){.base = {.network = network}};
    t->base.files = t->files;
    t->base.links = t->links;
    t->units[0] = (char *)"/usr/lib/systemd/system/systemd-resolved.service";
    t->base.units = (struct texts){t->units, installed, 0};
    if (link)
        t->links[t->base.link_count++] = (struct base_link){(char *)RESOLV_CONF, (char *)link};
    if (text)
        t->files[t->base.file_count++] =
            (struct base_file){.path = (char *)RESOLV_CONF, .text = (char *)text};
    return &t->base;
}

static void check(const struct base *base, const char *file)
{
    char *line AUTO_FREE = heap_printf("\nresolvConf: \"%s\"\n", file);
    struct plan *plan AUTO_PLAN = golden_plan(base);
    if (!strstr(golden_text(plan, KUBELET), line))
        fail_msg("not %s", file);
}

#define OF_RESOLVED "/run/systemd/resolve/resolv.conf"
#define STUB_LINK   "../run/systemd/resolve/stub-resolv.conf"
#define STUB_TEXT   "nameserver 127.0.0.53\noptions edns0\n"

static void resolved_that_runs_has_its_own_file(void **state)
{
    (void)state;
    struct test_base t;
    make(&t, NETWORK_NETWORKD, NULL, "nameserver 127.0.0.1\n", true);
    t.base.resolved = true;
    check(&t.base, OF_RESOLVED);
    struct plan *plan AUTO_PLAN = golden_plan(&t.base);
    assert_null(tree_find(plan->tree, RESOLV_CONF));
}

static void servers_of_the_network_stay(void **state)
{
    (void)state;
    struct test_base t;
    check(make(&t, NETWORK_NETWORKD, NULL, "nameserver 169.254.169.254\n", false), RESOLV_CONF);
    check(make(&t, NETWORK_NETPLAN, NULL, "# nameserver 127.0.0.53\nnameserver\t9.9.9.9\n", true),
          RESOLV_CONF);
    check(make(&t, NETWORK_IFUPDOWN, "/run/resolvconf/resolv.conf", NULL, false), RESOLV_CONF);
    check(make(&t, NETWORK_IFUPDOWN, NULL, NULL, true), RESOLV_CONF);
    check(make(&t, NETWORK_MANAGER, NULL, "", false), RESOLV_CONF);
    check(make(&t, NETWORK_UNKNOWN, NULL, NULL, false), RESOLV_CONF);
}

static void a_dead_stub_starts_resolved(void **state)
{
    (void)state;
    static const struct {
        enum base_network network;
        const char *link, *text;
    } cases[] = {
        {NETWORK_NETWORKD, STUB_LINK, NULL},
        {NETWORK_NETWORKD, NULL, STUB_TEXT},
        {NETWORK_NETWORKD, "/usr/lib/systemd/resolv.conf", NULL},
        {NETWORK_NETPLAN, NULL, NULL},
        {NETWORK_NETPLAN, NULL, "options x\n"},
        {NETWORK_UNKNOWN, "/run/systemd/resolve/resolv.conf", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_base t;
        make(&t, cases[i].network, cases[i].link, cases[i].text, true);
        check(&t.base, OF_RESOLVED);
        struct plan *plan AUTO_PLAN = golden_plan(&t.base);
        assert_string_equal(
            golden_entry(plan, "/etc/systemd/system/sysinit.target.wants/systemd-resolved.service")
                ->target,
            "/usr/lib/systemd/system/systemd-resolved.service");
        bool linked = cases[i].link && strstr(cases[i].link, "/resolve/");
        if (linked)
            assert_null(tree_find(plan->tree, RESOLV_CONF));
        else
            assert_string_equal(golden_entry(plan, RESOLV_CONF)->target, STUB_LINK);
    }
}

static void without_resolved_they_are_refused(void **state)
{
    (void)state;
    struct test_base t;
    golden_refused(make(&t, NETWORK_NETWORKD, STUB_LINK, NULL, false), NOBODY);
    golden_refused(make(&t, NETWORK_NETPLAN, NULL, NULL, false), NOBODY);
    golden_refused(make(&t, NETWORK_UNKNOWN, NULL, STUB_TEXT, false), NOBODY);
    make(&t, NETWORK_NETWORKD, STUB_LINK, NULL, true);
    t.links[t.base.link_count++] = (struct base_link){
        (char *)"/etc/systemd/system/systemd-resolved.service", (char *)"/dev/null"};
    golden_refused(&t.base, NOBODY);
}

/* dhclient writes where the link leads, and there is no such folder. */
static void a_dead_stub_makes_room_for_the_dhcp_client(void **state)
{
    (void)state;
    struct test_base t;
    make(&t, NETWORK_IFUPDOWN, STUB_LINK, NULL, true);
    check(&t.base, RESOLV_CONF);
    struct plan *plan AUTO_PLAN = golden_plan(&t.base);
    assert_int_equal(golden_entry(plan, RESOLV_CONF)->type, ENTRY_GONE);
    struct plan *other AUTO_PLAN = golden_plan(make(&t, NETWORK_MANAGER, NULL, STUB_TEXT, false));
    assert_int_equal(golden_entry(other, RESOLV_CONF)->type, ENTRY_GONE);
}

static void servers_on_the_node_are_refused(void **state)
{
    (void)state;
    struct test_base t;
    golden_refused(make(&t, NETWORK_NETWORKD, NULL, "nameserver 127.0.0.1\n", true), LOCAL);
    golden_refused(make(&t, NETWORK_IFUPDOWN, NULL, "nameserver 9.9.9.9\nnameserver ::1\n", true),
                   LOCAL);
    make(&t, NETWORK_IFUPDOWN, "../run/resolvconf/resolv.conf", NULL, false);
    t.links[t.base.link_count++] =
        (struct base_link){(char *)"/etc/systemd/system/multi-user.target.wants/dnsmasq.service",
                           (char *)"/usr/lib/systemd/system/dnsmasq.service"};
    golden_refused(&t.base, LOCAL);
}

static void settings_that_name_the_node_are_refused(void **state)
{
    (void)state;
    struct test_base t;
    make(&t, NETWORK_NETWORKD, NULL, NULL, true);
    t.base.resolved = true;
    t.files[t.base.file_count++] =
        (struct base_file){.path = (char *)"/etc/systemd/resolved.conf",
                           .text = (char *)"[Resolve]\nDNS = 127.0.0.1\n"};
    golden_refused(&t.base, "plan worker-0: /etc/systemd/resolved.conf of the base says DNS=127.: "
                            "pods cannot reach a DNS server on the node itself; bring another "
                            "file with `files` of cluster.yaml");
    t.files[0].text = (char *)"[Resolve]\n#DNS=127.0.0.1\nDNS=9.9.9.9\nFallbackDNS=127.0.0.1\n";
    check(&t.base, OF_RESOLVED);
    make(&t, NETWORK_MANAGER, NULL, NULL, false);
    t.files[t.base.file_count++] =
        (struct base_file){.path = (char *)"/etc/NetworkManager/NetworkManager.conf",
                           .text = (char *)"[main]\ndns=dnsmasq\n"};
    golden_refused(&t.base, "plan worker-0: /etc/NetworkManager/NetworkManager.conf of the base "
                            "says dns=dnsmasq: pods cannot reach a DNS server on the node itself; "
                            "bring another file with `files` of cluster.yaml");
}

static void the_users_units_count(void **state)
{
    (void)state;
    struct settings *s = golden_settings();
    struct test_base t;
    make(&t, NETWORK_IFUPDOWN, NULL, NULL, true);
    t.base.resolved = true;
    struct own_unit *unit = APPEND(s->units, s->unit_count, s->unit_cap);
    *unit = (struct own_unit){heap_copy("systemd-resolved.service"), OWN_UNIT_MASKED, NULL, 5};
    check(&t.base, RESOLV_CONF);
    t.base.network = NETWORK_NETWORKD;
    golden_refused(&t.base, NOBODY);
    unit->state = OWN_UNIT_ENABLED;
    unit->wanted_by = heap_copy("sysinit.target");
    t.base.resolved = false;
    check(&t.base, OF_RESOLVED);
}

static void the_users_file_counts(void **state)
{
    (void)state;
    struct settings *s = golden_settings();
    struct test_base t;
    struct own_file *file = APPEND(s->files, s->file_count, s->file_cap);
    *file = (struct own_file){.path = heap_copy(RESOLV_CONF),
                              .content = heap_copy("nameserver 10.0.0.2\n"),
                              .mode = 0644,
                              .line = 40};
    check(make(&t, NETWORK_NETWORKD, STUB_LINK, NULL, false), RESOLV_CONF);
    free(file->content);
    file->content = heap_copy("# @NODE_NAME@\nnameserver 127.0.0.1\n");
    golden_refused(make(&t, NETWORK_NETWORKD, STUB_LINK, NULL, false),
                   "plan worker-0: tests/golden/cluster.yaml:40: /etc/resolv.conf names a DNS "
                   "server at a loopback address, which no pod reaches: name one of the network");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(resolved_that_runs_has_its_own_file),
        TEST(servers_of_the_network_stay),
        TEST(a_dead_stub_starts_resolved),
        TEST(without_resolved_they_are_refused),
        TEST(a_dead_stub_makes_room_for_the_dhcp_client),
        TEST(servers_on_the_node_are_refused),
        TEST(settings_that_name_the_node_are_refused),
        TEST(the_users_units_count),
        TEST(the_users_file_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
