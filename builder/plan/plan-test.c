/* The plan of the golden cluster's worker-0: contract, templates, finished files. Runs from the
 * top folder, whose profiles and overlays it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/plan.h"
#include "builder/plan/target.h"
#include "common/file.h"

#include <fcntl.h>

static struct cluster *cluster;
static struct profile *profile;
static struct release release = {
    .file = "release.yaml", .kubernetes = "1.21.0", .sandbox_image = "k8s.gcr.io/pause:3.4.1"};

static int setup(void **state)
{
    (void)state;
    static const struct cluster_needs none;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    if (cluster_load("tests/golden/cluster.yaml", none, &cluster, &problems, &err) < 0 ||
        profile_load("profiles/hard-way.yaml", &profile, &problems, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    profile_choose(profile, cluster);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_free(cluster);
    profile_free(profile);
    return 0;
}

static struct plan_input input(const char *node, const struct base *base)
{
    return (struct plan_input){.cluster = cluster,
                               .profile = profile,
                               .release = &release,
                               .role = profile_role(profile, "worker"),
                               .node = node ? cluster_node(cluster, node) : NULL,
                               .base = base,
                               .data = ".",
                               .hook = "firstboot/hook",
                               .pki = "pki",
                               .firstboot = "firstboot"};
}

static struct plan *make(const char *node, const struct base *base)
{
    struct plan_input in = input(node, base);
    struct plan *plan = NULL;
    struct error err = ERROR_INIT;
    if (plan_make(&in, &plan, &err) < 0)
        fail_msg("%s", err.text);
    return plan;
}

static const char *text_at(const struct plan *plan, const char *path)
{
    const struct entry *e = tree_find(plan->tree, path);
    if (!e || !e->text)
        fail_msg("the plan has no text at %s", path);
    return e->text;
}

static void the_contract_is_the_golden_one(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = make("worker-0", NULL);
    struct buffer golden AUTO_BUFFER = buffer_heap();
    struct error err = ERROR_INIT;
    assert_int_equal(file_read(AT_FDCWD, "tests/golden/contract-worker-0", 65536, &golden, &err),
                     0);
    assert_string_equal(text_at(plan, PATH_CONTRACT), golden.data);
}

/* A whole plan with keys of metadata: its contract is one that firstboot reads, see
 * tests/firstboot-keys.t. */
static void keys_of_metadata_are_in_the_contract(void **state)
{
    (void)state;
    const struct access before = cluster->settings.access;
    cluster->settings.access = (struct access){.user = (char *)"ops", .metadata = true};
    struct plan *plan AUTO_PLAN = make("worker-0", NULL);
    cluster->settings.access = before;
    struct buffer golden AUTO_BUFFER = buffer_heap();
    struct error err = ERROR_INIT;
    assert_int_equal(
        file_read(AT_FDCWD, "tests/golden/contract-worker-0-keys", 65536, &golden, &err), 0);
    assert_string_equal(text_at(plan, PATH_CONTRACT), golden.data);
    assert_string_equal(text_at(plan, PATH_TEMPLATES "/home/ops/.ssh/authorized_keys"),
                        "@SSH_KEYS@");
}

static void a_role_has_no_identity(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = make(NULL, NULL);
    assert_string_equal(plan->name, "worker");
    assert_null(strstr(text_at(plan, PATH_CONTRACT), "\nnode "));
    for (size_t i = 0; i < plan->tree->count; i++)
        assert_null(strstr(plan->tree->entries[i].path, PATH_IDENTITY "/"));
}

static void facts_go_where_they_belong(void **state)
{
    (void)state;
    struct base base = {.resolved = true};
    struct plan *plan AUTO_PLAN = make("worker-0", &base);
    const char *kubelet = text_at(plan, PATH_TEMPLATES "/var/lib/kubelet/kubelet-config.yaml");
    assert_non_null(strstr(kubelet, "\nclusterDomain: \"cluster.local\"\n"));
    assert_non_null(strstr(kubelet, "\n  - \"10.32.0.10\"\n"));
    assert_non_null(strstr(kubelet, "\npodCIDR: \"@POD_CIDR@\"\n"));
    assert_non_null(strstr(kubelet, "\nresolvConf: \"/run/systemd/resolve/resolv.conf\"\n"));
    assert_non_null(strstr(kubelet, "\ncgroupDriver: \"systemd\"\n"));
    const char *containerd = text_at(plan, "/etc/containerd/config.toml");
    assert_non_null(strstr(containerd, "sandbox_image = \"k8s.gcr.io/pause:3.4.1\""));
    assert_non_null(strstr(containerd, "SystemdCgroup = true"));
    const char *unit = text_at(plan, "/etc/systemd/system/kubelet.service");
    assert_non_null(strstr(unit, "--v=2 \\\n  --node-labels=zone=a,rack=r1\n"));
    assert_non_null(strstr(text_at(plan, "/var/lib/kube-proxy/kube-proxy-config.yaml"),
                           "clusterCIDR: \"10.200.0.0/16\""));
}

static void the_base_decides_the_resolver(void **state)
{
    (void)state;
    struct base base = {.resolved = false};
    struct plan *plan AUTO_PLAN = make("worker-0", &base);
    assert_non_null(strstr(text_at(plan, PATH_TEMPLATES "/var/lib/kubelet/kubelet-config.yaml"),
                           "\nresolvConf: \"/etc/resolv.conf\"\n"));
}

static void presets_keep_the_units_down_until_firstboot(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = make("worker-0", NULL);
    assert_string_equal(text_at(plan, PATH_PRESET_OFF), "disable containerd.service\n"
                                                        "disable nodebake-images.service\n"
                                                        "disable kubelet.service\n"
                                                        "disable kube-proxy.service\n");
    assert_string_equal(text_at(plan, PATH_TEMPLATES PATH_PRESET_ON),
                        "enable containerd.service\nenable nodebake-images.service\n"
                        "enable kubelet.service\n"
                        "enable kube-proxy.service\n");
    assert_null(tree_find(plan->tree, PATH_PRESET_ON));
    assert_null(tree_find(plan->tree, "/etc/hostname"));
}

/* Does the unit, if it is one of the image and can be enabled, say the same as its link? */
static void check_install(const struct plan *plan, const char *unit, const char *target)
{
    char *path AUTO_FREE = heap_printf("/etc/systemd/system/%s", unit);
    char *wanted AUTO_FREE = heap_printf("\nWantedBy=%s\n", target);
    const struct entry *e = tree_find(plan->tree, path);
    if (e && e->text && strstr(e->text, "\n[Install]\n") && !strstr(e->text, wanted))
        fail_msg("%s is not wanted by %s", unit, target);
}

/* systemd may apply presets, or only follow links: both come to the same. */
static void links_presets_and_units_agree(void **state)
{
    (void)state;
    struct base base = {.resolved = true};
    struct plan *plan AUTO_PLAN = make("worker-0", &base);
    const struct role *role = plan->in.role;
    const struct entry *always = tree_find(plan->tree, PATH_PRESET_ALWAYS);
    for (size_t i = 0; i < role->unit_count; i++) {
        char *row AUTO_FREE = heap_printf("able %s\n", role->units[i].name);
        assert_non_null(strstr(text_at(plan, PATH_PRESET_OFF), row));
        assert_non_null(strstr(text_at(plan, PATH_TEMPLATES PATH_PRESET_ON), row));
        assert_true(!always || !strstr(always->text, row));
        check_install(plan, role->units[i].name, role->units[i].wanted_by);
    }
    for (size_t i = 0; i < plan->always_count; i++) {
        assert_non_null(always);
        check_install(plan, plan->always[i].name, plan->always[i].target);
    }
}

static void required_files_that_are_absent_are_all_named(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = make("worker-0", NULL);
    struct error err = ERROR_INIT;
    assert_int_equal(plan_require(plan, &err), -1);
    assert_non_null(strstr(err.text, "worker-0 needs files that are absent: kubectl, kubelet, "));
    assert_non_null(strstr(err.text, "cni-portmap (release.yaml lists no artifact for it)"));
    assert_null(strstr(err.text, "crictl"));
}

static void overlays_fail_with_file_and_line(void **state)
{
    (void)state;
    char folder[] = "/tmp/nodebake-plan-test-XXXXXX";
    struct error err = ERROR_INIT;
    struct plan_input in = input("worker-0", NULL);
    struct plan *plan = NULL;
    assert_non_null(mkdtemp(folder));
    char *overlays AUTO_FREE = heap_printf("%s/overlays", folder);
    char *common AUTO_FREE = heap_printf("%s/common", overlays);
    char *file AUTO_FREE = heap_printf("%s/motd", common);
    assert_int_equal(mkdir(overlays, 0700) | mkdir(common, 0700), 0);
    assert_int_equal(file_publish(AT_FDCWD, file, "ok\n@NOBODY@\n", 12, 0644, &err), 0);
    struct role role = *in.role;
    role.overlays.count = 1; /* common alone, */
    cluster->settings.kernel_updates = cluster->settings.metadata_for_pods =
        true; /* without kernel-held */
    in.role = &role;
    in.data = folder;
    char *expected AUTO_FREE =
        heap_printf("plan worker-0: %s: line 2: nothing supplies @NOBODY@", file);
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_string_equal(err.text, expected);
    cluster->settings.kernel_updates = cluster->settings.metadata_for_pods = false;
    assert_int_equal(unlink(file) | rmdir(common) | rmdir(overlays) | rmdir(folder), 0);
}

static void a_profile_may_not_take_a_fact_of_the_builder(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct plan_input in = input("worker-0", NULL);
    struct plan *plan = NULL;
    struct node_fact facts[] = {profile->facts[0], profile->facts[1]};
    char name[] = "CLUSTER_DNS", keys[] = "SSH_KEYS", identity[] = "NODE_IDENTITY",
         cloud[] = "CLOUD_NODE_NAME", choice[] = "API_NODE_NAME";
    facts[1].name = name;
    struct profile shadowing = *profile;
    shadowing.facts = facts;
    shadowing.fact_count = 2;
    in.profile = &shadowing;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_string_equal(err.text, "profiles/hard-way.yaml:19: the fact CLUSTER_DNS is one that "
                                  "nodebake itself supplies; name it otherwise");
    facts[1].name = keys;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_string_equal(err.text, "profiles/hard-way.yaml:19: the fact SSH_KEYS is one that "
                                  "nodebake itself supplies; name it otherwise");
    facts[1].name = identity;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_non_null(strstr(err.text, "the fact NODE_IDENTITY is one that nodebake itself"));
    facts[1].name = cloud;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_non_null(strstr(err.text, "the fact CLOUD_NODE_NAME is one that nodebake itself"));
    facts[1].name = choice;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_non_null(strstr(err.text, "the fact API_NODE_NAME is one that nodebake itself"));
}

static void targets_are_roles_and_nodes(void **state)
{
    (void)state;
    struct target *targets AUTO_FREE = NULL;
    size_t n = 0;
    struct error err = ERROR_INIT;
    char *names[] = {"worker-1", "worker", "worker-1"};
    assert_int_equal(target_select(cluster, profile, names, 3, &targets, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(targets[0].node->name, "worker-1");
    assert_null(targets[1].node);
    free(steal(targets));
    assert_int_equal(target_select(cluster, profile, NULL, 0, &targets, &n, &err), 0);
    assert_int_equal(n, 3); /* all nodes */
}

/* Their keys are in no image. */
static void workers_may_share_an_image(void **state)
{
    (void)state;
    struct target *targets AUTO_FREE = NULL;
    size_t n = 0;
    struct error err = ERROR_INIT;
    char *names[] = {"worker-1"};
    cluster->identity = IDENTITY_METADATA;
    assert_int_equal(target_select(cluster, profile, NULL, 0, &targets, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(targets[0].node->name, "controller-0");
    assert_string_equal(targets[1].role->name, "worker");
    assert_null(targets[1].node);
    free(steal(targets));
    assert_int_equal(target_select(cluster, profile, names, 1, &targets, &n, &err), 0);
    assert_string_equal(targets[0].node->name, "worker-1");
    free(steal(targets));
    cluster->identity = IDENTITY_BOOTSTRAP;
    assert_int_equal(target_select(cluster, profile, NULL, 0, &targets, &n, &err), 0);
    cluster->identity = IDENTITY_IMAGE;
    assert_int_equal(n, 2);
    assert_string_equal(targets[0].node->name, "controller-0");
    assert_string_equal(targets[1].role->name, "worker");
    assert_null(targets[1].node);
    assert_int_equal(target_check(profile, targets, n, &err), 0);
}

static void machines_may_be_named_at_launch(void **state)
{
    (void)state;
    struct target *targets AUTO_FREE = NULL;
    size_t n = 0;
    struct error err = ERROR_INIT;
    char *names[] = {"worker", "worker-1"};
    struct profile launch = *profile;
    launch.names_at_launch = true;
    assert_int_equal(target_select(cluster, &launch, NULL, 0, &targets, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(targets[0].role->name, "controller");
    assert_null(targets[0].node);
    assert_null(targets[1].node);
    assert_int_equal(target_check(&launch, targets, n, &err), 0);
    free(steal(targets));
    /* The lab's machines have names all the same. */
    assert_int_equal(target_select(cluster, &launch, names, 2, &targets, &n, &err), 0);
    assert_int_equal(target_check(&launch, targets, n, &err), -1);
    assert_string_equal(err.text, "worker-1: with profile hard-way a machine gets its name when it "
                                  "is launched, so no image can be that of one node; name the "
                                  "role, `worker`, whose image serves all of them");
}

static void a_role_may_be_laid_out_by_no_profile(void **state)
{
    (void)state;
    struct target *targets AUTO_FREE = NULL;
    size_t n = 0;
    struct error err = ERROR_INIT;
    struct role *worker = (struct role *)profile_role(profile, "worker");
    struct profile workers = *profile;
    char *names[] = {"controller-0"};
    workers.roles = worker;
    workers.role_count = 1;
    assert_int_equal(target_select(cluster, &workers, names, 1, &targets, &n, &err), -1);
    assert_string_equal(err.text, "controller-0: profile hard-way lays out no role 'controller'; "
                                  "it has: worker");
    assert_int_equal(target_select(cluster, &workers, NULL, 0, &targets, &n, &err), 0);
    assert_int_equal(n, 2); /* the workers */
    char *role = cluster->nodes[0].role;
    char *controller[] = {"controller"};
    cluster->nodes[0].role = (char *)"worker";
    free(steal(targets));
    assert_int_equal(target_select(cluster, profile, controller, 1, &targets, &n, &err), -1);
    cluster->nodes[0].role = role;
    assert_string_equal(err.text, "controller: tests/golden/cluster.yaml has no node of that role, "
                                  "and their addresses go into the image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_is_the_golden_one),
        cmocka_unit_test(keys_of_metadata_are_in_the_contract),
        cmocka_unit_test(a_role_has_no_identity),
        cmocka_unit_test(facts_go_where_they_belong),
        cmocka_unit_test(the_base_decides_the_resolver),
        cmocka_unit_test(presets_keep_the_units_down_until_firstboot),
        cmocka_unit_test(links_presets_and_units_agree),
        cmocka_unit_test(required_files_that_are_absent_are_all_named),
        cmocka_unit_test(overlays_fail_with_file_and_line),
        cmocka_unit_test(a_profile_may_not_take_a_fact_of_the_builder),
        cmocka_unit_test(targets_are_roles_and_nodes),
        cmocka_unit_test(workers_may_share_an_image),
        cmocka_unit_test(machines_may_be_named_at_launch),
        cmocka_unit_test(a_role_may_be_laid_out_by_no_profile),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
