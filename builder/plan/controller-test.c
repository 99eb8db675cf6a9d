/* The plan of the golden cluster's controller, by version and layout of the keys. */
#include <stdio.h>

#include "builder/plan/golden-fixture.h"

/* The caller frees it. */
static struct plan *plan_of(const char *role, const struct base *base)
{
    struct plan_input in = golden_input(base);
    struct plan *plan = NULL;
    struct error err = ERROR_INIT;
    in.role = profile_role(golden_profile, role);
    in.node = NULL;
    if (plan_make(&in, &plan, &err) < 0)
        fail_msg("%s", err.text);
    return plan;
}

#define TEMPLATE_UNIT PATH_TEMPLATES "/etc/systemd/system/"

static void controllers_know_each_other(void **state)
{
    (void)state;
    char *other = golden_cluster->nodes[2].role;
    golden_cluster->nodes[2].role = (char *)"controller";
    struct plan *plan AUTO_PLAN = plan_of("controller", NULL);
    const char *etcd = golden_text(plan, TEMPLATE_UNIT "etcd.service");
    const char *api = golden_text(plan, TEMPLATE_UNIT "kube-apiserver.service");
    golden_cluster->nodes[2].role = other;
    assert_non_null(strstr(etcd, "--initial-cluster controller-0=https://10.240.0.10:2380,"
                                 "worker-1=https://10.240.0.21:2380 \\\n"));
    assert_non_null(strstr(etcd, "--name @NODE_NAME@ \\\n"));
    assert_non_null(strstr(etcd, "--cert-file=/etc/etcd/kubernetes.pem \\\n"));
    assert_non_null(
        strstr(api, "--etcd-servers=https://10.240.0.10:2379,https://10.240.0.21:2379 \\\n"));
    assert_non_null(strstr(api, "--apiserver-count=2 \\\n"));
    assert_non_null(strstr(api, "--advertise-address=@INTERNAL_IP@ \\\n"));
    assert_non_null(strstr(api, "--service-account-issuer=https://203.0.113.10:6443 \\\n"));
    assert_non_null(strstr(api, "  --v=2\nRestart=always\n"));
}

static void separate_keys_have_flags_of_their_own(void **state)
{
    (void)state;
    golden_cluster->pki.layout = PKI_SEPARATE;
    golden_choose();
    struct plan *plan AUTO_PLAN = plan_of("controller", NULL);
    const char *etcd = golden_text(plan, TEMPLATE_UNIT "etcd.service");
    const char *api = golden_text(plan, TEMPLATE_UNIT "kube-apiserver.service");
    assert_non_null(strstr(etcd, "--cert-file=/etc/etcd/etcd-server.pem \\\n"));
    assert_non_null(strstr(etcd, "--peer-key-file=/etc/etcd/etcd-peer-key.pem \\\n"));
    assert_non_null(strstr(api, "--tls-cert-file=/var/lib/kubernetes/kube-apiserver.pem \\\n"));
    assert_non_null(
        strstr(api, "--etcd-certfile=/var/lib/kubernetes/kube-apiserver-etcd-client.pem \\\n"));
    assert_non_null(strstr(api, "--kubelet-client-key=/var/lib/kubernetes/"
                                "kube-apiserver-kubelet-client-key.pem \\\n"));
    assert_non_null(strstr(api, "--requestheader-client-ca-file=/var/lib/kubernetes/ca.pem \\\n"));
    assert_non_null(strstr(api, "  --requestheader-username-headers=X-Remote-User\nRestart"));
    assert_string_equal(golden_entry(plan, "/etc/etcd/ca.pem")->host, "pki/ca.pem");
}

static void and_cas_of_their_own(void **state)
{
    (void)state;
    golden_cluster->pki.layout = PKI_SEPARATE;
    golden_cluster->pki.own_cas = true;
    golden_choose();
    struct plan *plan AUTO_PLAN = plan_of("controller", NULL);
    const char *api = golden_text(plan, TEMPLATE_UNIT "kube-apiserver.service");
    assert_non_null(strstr(api, "--etcd-cafile=/var/lib/kubernetes/etcd-ca.pem \\\n"));
    assert_non_null(
        strstr(api, "--requestheader-client-ca-file=/var/lib/kubernetes/front-proxy-ca.pem \\\n"));
    assert_string_equal(golden_entry(plan, "/etc/etcd/ca.pem")->host, "pki/etcd-ca.pem");
}

/* Every flag that nodebake writes is in the table, and none that a version lacks is written. */
static void every_version_is_laid_out(void **state)
{
    (void)state;
    char version[16], *before = golden_cluster->kubernetes;
    golden_cluster->kubernetes = version;
    for (unsigned minor = 20; minor <= 36; minor++) {
        snprintf(version, sizeof version, "1.%u.3", minor);
        struct plan *worker AUTO_PLAN = plan_of("worker", NULL);
        struct plan *controller AUTO_PLAN = plan_of("controller", NULL);
        const char *unit = golden_text(worker, "/etc/systemd/system/kubelet.service");
        const char *config =
            golden_text(worker, PATH_TEMPLATES "/var/lib/kubelet/kubelet-config.yaml");
        assert_int_equal(strstr(unit, "--network-plugin=cni") != NULL, minor < 24);
        assert_int_equal(strstr(unit, "--container-runtime=remote") != NULL, minor < 27);
        assert_int_equal(strstr(unit, "--container-runtime-endpoint=unix:") != NULL, minor < 27);
        assert_int_equal(strstr(config, "\ncontainerRuntimeEndpoint: \"unix:") != NULL,
                         minor >= 27);
        const char *scheduler =
            golden_text(controller, "/etc/kubernetes/config/kube-scheduler.yaml");
        assert_non_null(strstr(scheduler, minor < 23   ? "k8s.io/v1beta1\n"
                                          : minor < 25 ? "k8s.io/v1beta2\n"
                                                       : "k8s.io/v1\n"));
        assert_int_equal(worker->remarks.count, minor < 24 ? 0 : minor < 27 ? 2 : 4);
    }
    golden_cluster->kubernetes = before;
}

static void users_flags_are_looked_at(void **state)
{
    (void)state;
    static struct own_file file;
    file = (struct own_file){.path = (char *)"/etc/systemd/system/kubelet.service.d/site.conf",
                             .content = (char *)"[Service]\nExecStart=\n"
                                                "ExecStart=/usr/local/bin/kubelet --config=/a "
                                                "--network-plugin=cni\n",
                             .mode = 0644,
                             .line = 12};
    char *before = golden_cluster->kubernetes;
    golden_cluster->kubernetes = (char *)"1.24.0";
    golden_settings()->files = &file;
    golden_settings()->file_count = 1;
    golden_refused(NULL, "plan worker-0: tests/golden/cluster.yaml:12:3: kubelet 1.24 has no "
                         "--network-plugin (it went in 1.24, see https://github.com/kubernetes/"
                         "kubernetes/pull/106907); remove it: there is only `cni`");
    golden_settings()->files = NULL;
    golden_settings()->file_count = 0;
    golden_cluster->kubernetes = before;
}

/* nginx is a package's, which switches it on. */
static void units_of_packages_wait_for_firstboot(void **state)
{
    (void)state;
    static struct base_link link = {
        (char *)"/etc/systemd/system/multi-user.target.wants/nginx.service",
        (char *)"/lib/systemd/system/nginx.service"};
    const struct base base = {.links = &link, .link_count = 1};
    struct plan *plan AUTO_PLAN = plan_of("controller", &base);
    assert_int_equal(golden_entry(plan, link.path)->type, ENTRY_GONE);
    assert_non_null(strstr(golden_text(plan, PATH_PRESET_OFF), "disable nginx.service\n"));
    const struct entry *always = tree_find(plan->tree, PATH_PRESET_ALWAYS);
    assert_true(!always || !strstr(always->text, "nginx"));
}

static void the_cluster_is_given_its_dns(void **state)
{
    (void)state;
    struct plan *plan AUTO_PLAN = plan_of("controller", NULL);
    const char *dns = golden_text(plan, PATH_HOME "/cluster/coredns.yaml");
    assert_non_null(strstr(dns, "  clusterIP: 10.32.0.10\n"));
    assert_non_null(strstr(dns, "kubernetes cluster.local in-addr.arpa ip6.arpa {"));
    assert_non_null(strstr(dns, "image: coredns/coredns:1.8.3\n"));
    assert_string_equal(golden_text(plan, PATH_HOME "/cluster/pod-networks"),
                        "worker-0 10.200.0.0/24\nworker-1 10.200.1.0/24\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, golden_setup, golden_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(controllers_know_each_other),  TEST(separate_keys_have_flags_of_their_own),
        TEST(and_cas_of_their_own),         TEST(every_version_is_laid_out),
        TEST(users_flags_are_looked_at),    TEST(units_of_packages_wait_for_firstboot),
        TEST(the_cluster_is_given_its_dns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
