/* What images of stock bases get in cloud-init's stead, or beside it. Runs from the top folder,
 * whose profiles and overlays it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/plan.h"

#define UNITS "/etc/systemd/system"

static struct cluster *cluster;
static struct profile *profile;
static struct release release = {
    .file = "release.yaml", .kubernetes = "1.21.0", .sandbox_image = "pause"};

static int setup(void **state)
{
    (void)state;
    static const struct cluster_needs none;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    if (cluster_load("tests/golden/cluster.yaml", none, &cluster, &problems, &err) == 0 &&
        profile_load("profiles/hard-way.yaml", &profile, &problems, &err) == 0) {
        profile_choose(profile, cluster);
        return 0;
    }
    print_error("%s\n", err.text);
    return -1;
}

static int teardown(void **state)
{
    (void)state;
    cluster_free(cluster);
    profile_free(profile);
    return 0;
}

static struct plan *make(const struct base *base, enum cloud_init cloud_init)
{
    cluster->settings.cloud_init = cloud_init;
    struct plan_input in = {.cluster = cluster,
                            .profile = profile,
                            .release = &release,
                            .role = profile_role(profile, "worker"),
                            .base = base,
                            .data = ".",
                            .hook = "firstboot/hook",
                            .pki = "pki",
                            .firstboot = "firstboot"};
    struct plan *plan = NULL;
    struct error err = ERROR_INIT;
    if (plan_make(&in, &plan, &err) < 0)
        fail_msg("%s", err.text);
    return plan;
}

static const struct entry *entry_at(const struct plan *plan, const char *path)
{
    const struct entry *entry = tree_find(plan->tree, path);
    if (!entry)
        fail_msg("the plan has nothing at %s", path);
    return entry;
}

/* Of the entries that depend on the base, the paths: a line each, in the tree's order. */
static void list_added(const struct plan *plan, struct buffer *out)
{
    struct base nothing = {.resolved = plan->in.base->resolved};
    struct plan *bare AUTO_PLAN = make(&nothing, CLOUD_INIT_KEEP);
    for (size_t i = 0; i < plan->tree->count; i++) {
        const char *path = plan->tree->entries[i].path;
        if (!tree_find(bare->tree, path) && !strstr(path, "/cloud-"))
            buffer_printf(out, "%s\n", path);
    }
}

#define WAIT UNITS "/systemd-networkd-wait-online.service.d/nodebake.conf\n"

static void each_manager_gets_its_own(void **state)
{
    (void)state;
    static const struct {
        enum base_network network;
        const char *program, *added;
    } cases[] = {
        {NETWORK_NETWORKD, NULL, "/etc/systemd/network/50-nodebake.network\n" WAIT},
        {NETWORK_NETPLAN, NULL, "/etc/netplan/95-nodebake.yaml\n" WAIT},
        {NETWORK_IFUPDOWN, "/usr/sbin/dhclient",
         "/etc/dhcp/dhclient-enter-hooks.d/nodebake-host-name\n"
         "/etc/dhcp/dhclient.conf\n"
         "/etc/network/interfaces\n" UNITS "/networking.service.d/nodebake.conf\n"
         "/usr/lib/systemd/system-preset/05-nodebake-network.preset\n"},
        {NETWORK_IFUPDOWN, "/usr/sbin/dhcpcd",
         "/etc/dhcpcd.conf\n"
         "/etc/dhcpcd.enter-hook\n"
         "/etc/network/interfaces\n" UNITS "/networking.service.d/nodebake.conf\n"
         "/usr/lib/systemd/system-preset/05-nodebake-network.preset\n"},
        {NETWORK_MANAGER, "/usr/sbin/NetworkManager",
         "/etc/NetworkManager/conf.d/90-nodebake-host-name.conf\n"
         "/etc/NetworkManager/conf.d/90-nodebake.conf\n"},
        {NETWORK_UNKNOWN, NULL,
         "/etc/systemd/network/50-nodebake.network\n" UNITS
         "/multi-user.target.wants/systemd-networkd.service\n" WAIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct base base = {.resolved = true, .network = cases[i].network, .cloud_init = true};
        struct buffer added AUTO_BUFFER = buffer_heap();
        if (cases[i].program)
            texts_add(&base.paths, cases[i].program);
        struct plan *plan AUTO_PLAN = make(&base, CLOUD_INIT_DISABLE);
        list_added(plan, &added);
        assert_string_equal(added.data, cases[i].added);
        entry_at(plan, "/etc/cloud/cloud-init.disabled");
        entry_at(plan, UNITS "/nodebake-grow.service");
        texts_free(&base.paths);
    }
}

static void disabled_cloud_init_is_masked_whole(void **state)
{
    (void)state;
    static const char *const units[] = {"cloud-config.service",       "cloud-config.target",
                                        "cloud-final.service",        "cloud-init.service",
                                        "cloud-init.target",          "cloud-init-hotplugd.service",
                                        "cloud-init-hotplugd.socket", "cloud-init-local.service",
                                        "cloud-init-main.service",    "cloud-init-network.service"};
    struct base base = {.resolved = true, .network = NETWORK_NETPLAN, .cloud_init = true};
    texts_add(&base.cloud_network, "/etc/netplan/50-cloud-init.yaml");
    struct plan *plan AUTO_PLAN = make(&base, CLOUD_INIT_DISABLE);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        char *path AUTO_FREE = heap_printf(UNITS "/%s", units[i]);
        assert_string_equal(entry_at(plan, path)->target, "/dev/null");
    }
    assert_int_equal(entry_at(plan, "/etc/netplan/50-cloud-init.yaml")->type, ENTRY_GONE);
    const struct entry *netplan = entry_at(plan, "/etc/netplan/95-nodebake.yaml");
    assert_int_equal(netplan->mode, 0600);
    assert_non_null(strstr(netplan->text, "    all-eth:\n      match:\n        name: \"eth*\"\n"));
    assert_null(tree_find(plan->tree, "/etc/cloud/cloud.cfg.d/99-nodebake.cfg"));
    texts_free(&base.cloud_network);
}

static void kept_cloud_init_only_loses_names(void **state)
{
    (void)state;
    struct base base = {.resolved = true, .network = NETWORK_NETPLAN, .cloud_init = true};
    texts_add(&base.cloud_network, "/etc/netplan/50-cloud-init.yaml");
    struct plan *plan AUTO_PLAN = make(&base, CLOUD_INIT_KEEP);
    assert_string_equal(entry_at(plan, "/etc/cloud/cloud.cfg.d/99-nodebake.cfg")->text,
                        "# Host name and /etc/hosts are those of the node's certificate.\n"
                        "preserve_hostname: true\n"
                        "manage_etc_hosts: false\n");
    static const char *const not [] = {
        "/etc/cloud/cloud-init.disabled", "/etc/netplan/50-cloud-init.yaml",
        "/etc/netplan/95-nodebake.yaml",  UNITS "/cloud-init.service",
        UNITS "/nodebake-grow.service",   UNITS "/sysinit.target.wants/nodebake-grow.service",
        "/usr/lib/nodebake/grow",         UNITS "/nodebake-host-keys.service"};
    for (size_t i = 0; i < ARRAY_LEN(not ); i++)
        assert_null(tree_find(plan->tree, not [i]));
    texts_free(&base.cloud_network);
}

static void a_base_without_keeps_its_network(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        struct base base = {.resolved = true, .network = NETWORK_NETWORKD};
        struct plan *plan AUTO_PLAN = make(&base, keep ? CLOUD_INIT_KEEP : CLOUD_INIT_DISABLE);
        assert_null(tree_find(plan->tree, "/etc/systemd/network/50-nodebake.network"));
        assert_null(tree_find(plan->tree, "/etc/cloud/cloud-init.disabled"));
        assert_null(tree_find(plan->tree, "/etc/cloud/cloud.cfg.d/99-nodebake.cfg"));
        assert_int_equal(entry_at(plan, "/usr/lib/nodebake/grow")->mode, 0755);
    }
}

static void host_keys_are_for_bases_with_sshd(void **state)
{
    (void)state;
    struct base base = {.resolved = true, .network = NETWORK_NETWORKD, .cloud_init = true};
    texts_add(&base.paths, "/usr/sbin/sshd");
    for (int keep = 0; keep < 2; keep++) {
        struct plan *plan AUTO_PLAN = make(&base, keep ? CLOUD_INIT_KEEP : CLOUD_INIT_DISABLE);
        assert_string_equal(
            entry_at(plan, UNITS "/multi-user.target.wants/nodebake-host-keys.service")->target,
            UNITS "/nodebake-host-keys.service");
        assert_non_null(strstr(entry_at(plan, PATH_PRESET_ALWAYS)->text,
                               "enable nodebake-host-keys.service\n"));
    }
    texts_free(&base.paths);
}

static void habits_of_clouds_are_taken_away(void **state)
{
    (void)state;
    static const char *const habits[] = {
        "/etc/dhcp/dhclient-exit-hooks.d/google_set_hostname", "/usr/bin/google_set_hostname",
        "/usr/lib/networkd-dispatcher/routable.d/google_hostname.sh"};
    struct base base = {.resolved = true, .network = NETWORK_NETWORKD};
    for (size_t i = 0; i < ARRAY_LEN(habits); i++)
        texts_add(&base.paths, habits[i]);
    struct plan *plan AUTO_PLAN = make(&base, CLOUD_INIT_DISABLE);
    for (size_t i = 0; i < ARRAY_LEN(habits); i++)
        assert_int_equal(entry_at(plan, habits[i])->type, ENTRY_GONE);
    assert_null(tree_find(plan->tree, "/usr/bin/google_set_metadata_network"));
    assert_non_null(strstr(entry_at(plan, "/etc/dpkg/dpkg.cfg.d/nodebake-host-name")->text,
                           "path-exclude=/usr/bin/google_set_hostname\n"));
    texts_free(&base.paths);
}

static void a_draft_leaves_it_open(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = make(NULL, CLOUD_INIT_DISABLE);
    assert_null(tree_find(plan->tree, "/etc/cloud/cloud-init.disabled"));
    assert_null(tree_find(plan->tree, "/usr/lib/nodebake/grow"));
    assert_string_equal(entry_at(plan, PATH_PRESET_ALWAYS)->text,
                        "enable nodebake-firstboot.service\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_manager_gets_its_own),
        cmocka_unit_test(disabled_cloud_init_is_masked_whole),
        cmocka_unit_test(kept_cloud_init_only_loses_names),
        cmocka_unit_test(a_base_without_keeps_its_network),
        cmocka_unit_test(host_keys_are_for_bases_with_sshd),
        cmocka_unit_test(habits_of_clouds_are_taken_away),
        cmocka_unit_test(a_draft_leaves_it_open),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
