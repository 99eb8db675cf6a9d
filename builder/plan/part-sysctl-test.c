/* Kernel parameters and modules of cluster.yaml, in whole plans. */
#include "builder/plan/golden-fixture.h"

#define NEEDED  "/etc/sysctl.d/99-zz-nodebake.conf"
#define CLUSTER "/etc/sysctl.d/99-zz-cluster.conf"

static void set(const char *key, const char *value)
{
    struct settings *s = golden_settings();
    *APPEND(s->sysctl, s->sysctl_count, s->sysctl_cap) =
        (struct pair){heap_copy(key), heap_copy(value)};
}

static void they_go_into_files(void **state)
{
    (void)state;
    set("vm.max_map_count", "262144");
    set("net.ipv4.tcp_rmem", "4096 87380 6291456");
    texts_add(&golden_settings()->modules, "nf_conntrack");
    texts_add(&golden_settings()->modules, "ip_vs");
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_string_equal(golden_text(plan, CLUSTER),
                        "vm.max_map_count = 262144\nnet.ipv4.tcp_rmem = 4096 87380 6291456\n");
    assert_string_equal(golden_text(plan, "/etc/modules-load.d/95-cluster.conf"),
                        "nf_conntrack\nip_vs\n");
}

static void without_them_there_are_no_files(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_null(tree_find(plan->tree, CLUSTER));
    assert_null(tree_find(plan->tree, "/etc/modules-load.d/95-cluster.conf"));
}

/* Debian's 99-sysctl.conf is a link to /etc/sysctl.conf; files are read in the order of their
 * names. */
static void what_nodes_need_comes_last(void **state)
{
    (void)state;
    static const char *const order[] = {"99-sysctl.conf", "99-zz-cluster.conf",
                                        "99-zz-nodebake.conf"};
    for (size_t i = 0; i + 1 < ARRAY_LEN(order); i++)
        assert_true(strcmp(order[i], order[i + 1]) < 0);
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_non_null(strstr(golden_text(plan, NEEDED), "\nnet.ipv4.ip_forward = 1\n"));
}

static void what_they_need_may_be_repeated(void **state)
{
    (void)state;
    set("net.ipv4.ip_forward", "1");
    set("net.ipv4.conf.all.forwarding", "1");
    struct plan *plan AUTO_PLAN = golden_plan(NULL);
    assert_non_null(golden_text(plan, CLUSTER));
}

static void what_contradicts_it_is_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"net.ipv4.ip_forward", "net/ipv4/ip_forward",
                                       "net.ipv4.conf.default.forwarding",
                                       "net.bridge.bridge-nf-call-iptables"};
    static const char *const needs[] = {"net.ipv4.ip_forward", "net.ipv4.ip_forward",
                                        "net.ipv4.ip_forward",
                                        "net.bridge.bridge-nf-call-iptables"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        set(keys[i], "0");
        char *message AUTO_FREE =
            heap_printf("plan worker-0: tests/golden/cluster.yaml: sysctl sets %s to '0', and the "
                        "nodes need '1'; leave it out",
                        needs[i]);
        golden_refused(NULL, message);
        struct settings *s = golden_settings();
        s->sysctl_count = 0;
        free(s->sysctl[0].key);
        free(s->sysctl[0].value);
    }
}

static void later_files_are_looked_at(void **state)
{
    (void)state;
    struct base_file file = {.path = (char *)"/usr/lib/sysctl.d/zz-hard.conf",
                             .text = (char *)"net.ipv4.ip_forward=0\n"};
    struct base base = {.resolved = true, .files = &file, .file_count = 1};
    golden_refused(&base, "plan worker-0: /usr/lib/sysctl.d/zz-hard.conf of the base sets "
                          "net.ipv4.ip_forward to '0', and the nodes need '1'; leave it out");
    file.text = (char *)"net.ipv4.ip_forward=1\nkernel.panic=10\n";
    struct plan *plan AUTO_PLAN = golden_plan(&base);
    assert_non_null(plan);
    struct settings *s = golden_settings();
    *APPEND(s->files, s->file_count, s->file_cap) =
        (struct own_file){.path = heap_copy("/etc/sysctl.d/99-zzz.conf"),
                          .content = heap_copy("net.ipv4.ip_forward = 0\n"),
                          .mode = 0644,
                          .line = 40};
    golden_refused(&base, "plan worker-0: tests/golden/cluster.yaml:40 sets net.ipv4.ip_forward "
                          "to '0', and the nodes need '1'; leave it out");
    free(s->files[0].path);
    s->files[0].path = heap_copy("/etc/sysctl.d/50-mine.conf"); /* it does not count */
    struct plan *earlier AUTO_PLAN = golden_plan(&base);
    assert_non_null(earlier);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_go_into_files),
        TEST(without_them_there_are_no_files),
        TEST(what_nodes_need_comes_last),
        TEST(what_they_need_may_be_repeated),
        TEST(what_contradicts_it_is_refused),
        TEST(later_files_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
