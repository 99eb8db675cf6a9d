#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/cluster/cluster.h"
#include "builder/cluster/forms.h"
#include "builder/heap.h"

#define ED25519                                                                                    \
    "ssh-ed25519 "                                                                                 \
    "AAAAC3NzaC1lZDI1NTE5AAAAIEQt0UIfX4kTi2WO0x27X0ccGP/lfl0feKoUhFl6m9+/ alice@example"
#define ECDSA                                                                                      \
    "ecdsa-sha2-nistp256 "                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJLOJIV4ghdv7Ud4yAQhz2qy5o7YCnZookyJsQfU" \
    "6CtVKJ/h/fx8irKek3S9vAApDpem2SROZrFJIVcgorxmjgA="

static const char NEEDED[] =
    "version: 1\nname: hard\nprofile: hard-way\nkubernetes: 1.21.0\npublicAddress: 203.0.113.10\n"
    "networks: {nodes: 10.240.0.0/24, pods: 10.200.0.0/16, services: 10.32.0.0/24,\n"
    "  dns: 10.32.0.10, domain: cluster.local}\n"
    "image: base.raw\nartifacts: artifacts\nmetadata: [gce]\nidentity: image\n"
    "nodes: [{name: controller-0, role: controller, address: 10.240.0.10}]\n";

static const char ALL[] =
    "cloudInit: keep\n"
    "access: {user: admin, keys: [" ED25519 "], metadata: true, sudo: false,\n"
    "  rescue: true}\n"
    "kernelArgs: [quiet, panic=10]\n"
    "cgroups: v1\n"
    "containerdRuntime: io.containerd.runtime.v1.linux\n"
    "proxy: {http: 'http://u:p@proxy.example:3128', no: [.example, 10.0.0.0/8]}\n"
    "registries:\n"
    "  docker.io: {mirrors: ['https://mirror.example'], ca: ca.pem}\n"
    "  registry.example:5000: {mirrors: ['http://10.0.0.1:5000/x']}\n"
    "ntp: [time.example, 10.0.0.1]\n"
    "sysctl: {vm.max_map_count: 262144, net/core/somaxconn: 1024}\n"
    "modules: [nf_conntrack]\n"
    "trustedCAs: [corp.pem]\n"
    "files:\n"
    "  - {path: /etc/motd, content: \"hello\\n\"}\n"
    "  - {path: /opt/tool, source: tool, mode: 0755, uid: 1, gid: 2}\n"
    "overlays: [site, /srv/site]\n"
    "packages: [htop, libstdc++6]\n"
    "repositories: true\n"
    "units:\n"
    "  - {name: a.service, state: enabled}\n"
    "  - {name: b.timer, state: enabled, wantedBy: timers.target}\n"
    "  - {name: c.service, state: disabled}\n"
    "  - {name: d.socket, state: masked}\n"
    "firewall: open\n"
    "kernelUpdates: allow\n"
    "journalSize: 1GiB\n"
    "onFailure: shell\n";

static struct cluster *parse(const char *settings)
{
    struct problems problems AUTO_PROBLEMS = {0};
    struct error err = ERROR_INIT;
    struct cluster *cluster = NULL;
    char *text AUTO_FREE = heap_printf("%s%s", NEEDED, settings);
    problems_name(&problems, "dir/cluster.yaml");
    if (cluster_parse("dir/cluster.yaml", text, strlen(text), (struct cluster_needs){0}, &cluster,
                      &problems, &err) < 0)
        fail_msg("%s: %s", err.text, problems.count ? problems.items[0].text : "");
    return cluster;
}

static void without_them_there_are_defaults(void **state)
{
    (void)state;
    struct cluster *cluster AUTO_CLUSTER = parse("");
    const struct settings *s = &cluster->settings;
    assert_int_equal(s->cloud_init, CLOUD_INIT_DISABLE);
    assert_int_equal(s->on_failure, ON_FAILURE_CONTINUE);
    assert_int_equal(s->firewall, FIREWALL_REFUSE);
    assert_int_equal(s->cgroups, CGROUPS_DEFAULT);
    assert_string_equal(s->containerd_runtime, "io.containerd.runc.v2");
    assert_null(s->access.user);
    assert_false(s->kernel_updates);
}

static void access_is_read(void **state)
{
    (void)state;
    struct cluster *cluster AUTO_CLUSTER = parse(ALL);
    const struct access *a = &cluster->settings.access;
    assert_string_equal(a->user, "admin");
    assert_int_equal(a->keys.count, 1);
    assert_string_equal(a->keys.items[0], ED25519);
    assert_true(a->metadata && !a->sudo && a->rescue);
    struct cluster *other AUTO_CLUSTER = parse("access: {user: admin, metadata: true}\n");
    assert_true(other->settings.access.sudo);
    assert_false(other->settings.access.rescue);
}

static void the_system_is_read(void **state)
{
    (void)state;
    struct cluster *cluster AUTO_CLUSTER = parse(ALL);
    const struct settings *s = &cluster->settings;
    assert_int_equal(s->cloud_init, CLOUD_INIT_KEEP);
    assert_int_equal(s->on_failure, ON_FAILURE_SHELL);
    assert_string_equal(s->kernel_args.items[1], "panic=10");
    assert_int_equal(s->cgroups, CGROUPS_V1);
    assert_string_equal(s->containerd_runtime, "io.containerd.runtime.v1.linux");
    assert_int_equal(s->sysctl_count, 2);
    assert_string_equal(s->sysctl[0].key, "vm.max_map_count");
    assert_string_equal(s->sysctl[0].value, "262144");
    assert_string_equal(s->modules.items[0], "nf_conntrack");
    assert_string_equal(s->packages.items[1], "libstdc++6");
    assert_true(s->repositories);
    assert_int_equal(s->firewall, FIREWALL_OPEN);
    assert_true(s->kernel_updates);
    assert_int_equal(s->journal_size, 1 << 30);
}

static void the_network_is_read(void **state)
{
    (void)state;
    struct cluster *cluster AUTO_CLUSTER = parse(ALL);
    const struct settings *s = &cluster->settings;
    assert_string_equal(s->proxy.http, "http://u:p@proxy.example:3128");
    assert_null(s->proxy.https);
    assert_int_equal(s->proxy.no.count, 2);
    assert_int_equal(s->registry_count, 2);
    assert_string_equal(s->registries[0].host, "docker.io");
    assert_string_equal(s->registries[0].ca, "dir/ca.pem");
    assert_string_equal(s->registries[1].mirrors.items[0], "http://10.0.0.1:5000/x");
    assert_null(s->registries[1].ca);
    assert_string_equal(s->ntp.items[1], "10.0.0.1");
    assert_string_equal(s->trusted_cas.items[0], "dir/corp.pem");
}

static void files_and_units_are_read(void **state)
{
    (void)state;
    struct cluster *cluster AUTO_CLUSTER = parse(ALL);
    const struct settings *s = &cluster->settings;
    assert_int_equal(s->file_count, 2);
    assert_string_equal(s->files[0].content, "hello\n");
    assert_int_equal(s->files[0].mode, 0644);
    assert_string_equal(s->files[1].host, "dir/tool");
    assert_int_equal(s->files[1].mode, 0755);
    assert_int_equal(s->files[1].uid, 1);
    assert_int_equal(s->files[1].gid, 2);
    assert_string_equal(s->overlays.items[0], "dir/site");
    assert_string_equal(s->overlays.items[1], "/srv/site");
    assert_int_equal(s->unit_count, 4);
    assert_string_equal(s->units[0].wanted_by, "multi-user.target");
    assert_string_equal(s->units[1].wanted_by, "timers.target");
    assert_int_equal(s->units[2].state, OWN_UNIT_DISABLED);
    assert_null(s->units[2].wanted_by);
    assert_int_equal(s->units[3].state, OWN_UNIT_MASKED);
}

static const struct {
    form_check *check;
    const char *text;
    bool good;
} checked[] = {
    {form_user, "admin", true},
    {form_user, "_a-1", true},
    {form_user, "root", false},
    {form_user, "1a", false},
    {form_user, "Admin", false},
    {form_user, "", false},
    {form_user, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {form_ssh_key, ED25519, true},
    {form_ssh_key, ECDSA, true},
    {form_ssh_key, "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEQt0UIfX4kTi2WO0x27X0ccGP/lfl0f", false},
    {form_ssh_key, "ssh-ed25519 AAAA", false},
    {form_ssh_key, "ssh-ed25519 !", false},
    {form_ssh_key, "no-pty " ECDSA, false},
    {form_ssh_key, "", false},
    {form_kernel_argument, "console=ttyS0,115200n8", true},
    {form_kernel_argument, "root=/dev/sda", false},
    {form_kernel_argument, "a b", false},
    {form_kernel_argument, "$x", false},
    {form_kernel_argument, "a;b", false},
    {form_kernel_argument, "systemd.unified_cgroup_hierarchy=0", false},
    {form_kernel_argument, "crashkernel=1G-4G:192M,4G-:256M", true},
    {form_url, "http://proxy:3128", true},
    {form_url, "https://u:p@10.0.0.1/x", true},
    {form_url, "http://", false},
    {form_url, "proxy:3128", false},
    {form_url, "ftp://x", false},
    {form_url, "http://x:0", false},
    {form_url, "http://x:65536", false},
    {form_url, "http://x/?y", false},
    {form_url, "http://x\"", false},
    {form_no_proxy, ".example.com", true},
    {form_no_proxy, "10.0.0.0/8", true},
    {form_no_proxy, "10.0.0.1", true},
    {form_no_proxy, "10.0.0.1/8", false},
    {form_no_proxy, "*", false},
    {form_registry, "docker.io", true},
    {form_registry, "localhost:5000", true},
    {form_registry, "10.0.0.1:5000", true},
    {form_registry, "docker.io/library", false},
    {form_registry, "docker.io:", false},
    {form_host, "time.example", true},
    {form_host, "1.2.3", false},
    {form_sysctl, "net.ipv4.conf.eth0/100.forwarding", true},
    {form_sysctl, "a..b", false},
    {form_sysctl, "-a", false},
    {form_sysctl, "a=b", false},
    {form_module, "br_netfilter", true},
    {form_module, "a b", false},
    {form_package, "libstdc++6", true},
    {form_package, "x", false},
    {form_package, "Htop", false},
    {form_package, "-f", false},
    {form_unit, "foo@1.service", true},
    {form_unit, "foo", false},
    {form_unit, ".service", false},
    {form_unit, "a/b.service", false},
    {form_unit, "foo.exe", false},
    {form_path, "/etc/motd", true},
    {form_path, "etc/motd", false},
    {form_path, "/", false},
    {form_path, "/a/../b", false},
    {form_path, "/a b", false},
};

static void forms_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checked); i++) {
        struct error err = ERROR_INIT;
        if ((checked[i].check(checked[i].text, &err) == 0) != checked[i].good)
            fail_msg("%s: %s", checked[i].text, err.text);
    }
}

static void their_text_tells_each_from_each(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "",
        "cloudInit: keep\n",
        "access: {user: admin, metadata: true}\n",
        "access: {user: admin, metadata: true, sudo: false}\n",
        "access: {user: admin, metadata: true, rescue: true}\n",
        "access: {user: admin, keys: [" ED25519 "]}\n",
        "access: {user: admin, keys: [" ECDSA "]}\n",
        "kernelArgs: [quiet]\n",
        "kernelArgs: [quiet, panic=10]\n",
        "cgroups: v1\n",
        "cgroups: v2\n",
        "cgroups: v1\ncontainerdRuntime: io.containerd.runtime.v1.linux\n",
        "proxy: {http: 'http://p.example:3128'}\n",
        "proxy: {https: 'http://p.example:3128'}\n",
        "proxy: {http: 'http://p.example:3128', no: [.example]}\n",
        "registries:\n  docker.io: {mirrors: ['https://m.example']}\n",
        "registries:\n  docker.io: {mirrors: ['https://m.example'], ca: ca.pem}\n",
        "ntp: [time.example]\n",
        "sysctl: {vm.max_map_count: 262144}\n",
        "modules: [nf_conntrack]\n",
        "trustedCAs: [corp.pem]\n",
        "files:\n  - {path: /etc/motd, content: hello}\n",
        "files:\n  - {path: /etc/motd, content: hello, mode: 0600}\n",
        "files:\n  - {path: /etc/motd, source: hello}\n",
        "overlays: [site]\n",
        "packages: [htop]\n",
        "packages: [htop]\nrepositories: true\n",
        "units:\n  - {name: a.service, state: disabled}\n",
        "units:\n  - {name: a.service, state: masked}\n",
        "firewall: open\n",
        "kernelUpdates: allow\n",
        "flags: {kubelet: {v: 4}}\n",
        "flags: {kubelet: {v: 5}}\n",
        "flags: {kube-proxy: {v: 4}}\n",
        "journalSize: 1GiB\n",
        "onFailure: poweroff\n",
        "onFailure: shell\n",
    };
    struct buffer texts[ARRAY_LEN(forms)];
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct cluster *cluster AUTO_CLUSTER = parse(forms[i]);
        texts[i] = buffer_heap();
        settings_text(&cluster->settings, &texts[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(texts[i].data, texts[j].data) == 0)
                fail_msg("'%s' is told as '%s'", forms[i], forms[j]);
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        buffer_free(&texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_them_there_are_defaults),
        cmocka_unit_test(access_is_read),
        cmocka_unit_test(the_system_is_read),
        cmocka_unit_test(the_network_is_read),
        cmocka_unit_test(files_and_units_are_read),
        cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(their_text_tells_each_from_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
