#include "builder/pki/authority-fixture.h"
#include "builder/plan/network-fixture.h"
#include "builder/plan/registry-config.h"

#define CRI  "  [plugins.\"io.containerd.grpc.v1.cri\".registry"
#define ROOT "/etc/containerd/certs.d/"

static struct registry *add_registry(struct network *n, const char *host, const char *ca)
{
    struct settings *s = &n->cluster.settings;
    struct registry *registry = APPEND(s->registries, s->registry_count, s->registry_cap);
    *registry = (struct registry){.host = heap_copy(host), .ca = heap_copy(ca), .line = 7};
    return registry;
}

static void add(struct network *n)
{
    struct error err = ERROR_INIT;
    expect(part_registries(&n->plan, &err), &err);
}

static void refuse(struct network *n, const char *message)
{
    struct error err = ERROR_INIT;
    expect_error(part_registries(&n->plan, &err), &err, message);
}

static char *config(const struct network *n)
{
    struct buffer out = buffer_heap();
    registry_config(&n->cluster.settings, registry_has_hosts_files(&n->release), &out);
    return out.data;
}

static void make_ca(const char *path)
{
    struct buffer pem AUTO_BUFFER = buffer_heap();
    make_authority("Registry", time(NULL), &pem, NULL);
    put_text(path, pem.data);
}

static void nothing_is_said_without_any(void **state)
{
    (void)state;
    static const char *const versions[] = {"1.4.4", "1.6.20"};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct network *n AUTO_NETWORK = network_create();
        n->artifact.version = (char *)versions[i];
        add(n);
        char *text AUTO_FREE = config(n);
        assert_string_equal(text, "");
        assert_int_equal(n->plan.tree->count, 0);
    }
}

static void versions_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        bool hosts_files;
    } cases[] = {{"1.4.4", false}, {"1.5.0-rc.1", true}, {"1.6.20~ds1", true}, {"1.10.0", true},
                 {"2.0.1", true},  {"0.9", false},       {"git", true}};
    struct network *n AUTO_NETWORK = network_create();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        n->artifact.version = (char *)cases[i].version;
        assert_int_equal(registry_has_hosts_files(&n->release), cases[i].hosts_files);
    }
    n->release.artifact_count = 0;
    assert_true(registry_has_hosts_files(&n->release));
}

static void each_gets_a_hosts_file(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    make_ca("ca.pem");
    struct registry *docker = add_registry(n, "docker.io", "ca.pem");
    texts_add(&docker->mirrors, "https://mirror.example:5000/");
    texts_add(&docker->mirrors, "http://harbor.example/v2/hub");
    add_registry(n, "registry.example:5000", "ca.pem");
    n->plan.in.base = NULL;
    add(n);
    assert_string_equal(text_at(n, ROOT "docker.io/hosts.toml"),
                        "server = \"https://registry-1.docker.io\"\n"
                        "\n[host.\"https://mirror.example:5000\"]\n"
                        "  capabilities = [\"pull\", \"resolve\"]\n"
                        "  ca = \"/etc/containerd/certs.d/docker.io/ca.crt\"\n"
                        "\n[host.\"http://harbor.example/v2/hub\"]\n"
                        "  capabilities = [\"pull\", \"resolve\"]\n"
                        "  override_path = true\n");
    assert_null(tree_find(n->plan.tree, ROOT "registry.example:5000/hosts.toml"));
    assert_non_null(tree_find(n->plan.tree, ROOT "registry.example:5000/ca.crt"));
    struct buffer ca AUTO_BUFFER = buffer_heap();
    struct error err = ERROR_INIT;
    expect(file_read(AT_FDCWD, "ca.pem", 1 << 16, &ca, &err), &err);
    assert_string_equal(text_at(n, ROOT "docker.io/ca.crt"), ca.data);
    char *text AUTO_FREE = config(n);
    assert_string_equal(text, "\n" CRI "]\n    config_path = \"/etc/containerd/certs.d\"\n");
}

static void old_versions_have_it_in_their_config(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    n->artifact.version = (char *)"1.4.4";
    make_ca("ca.pem");
    struct registry *docker = add_registry(n, "docker.io", "ca.pem");
    texts_add(&docker->mirrors, "https://mirror.example:5000");
    texts_add(&docker->mirrors, "https://mirror.example:5000/hub/");
    texts_add(&docker->mirrors, "http://harbor.example/v2/hub");
    texts_add(&docker->mirrors, "http://harbor.example/v2");
    struct registry *k8s = add_registry(n, "k8s.gcr.io", "ca.pem");
    texts_add(&k8s->mirrors, "https://mirror.example:5000");
    add_registry(n, "registry.example:5000", "ca.pem");
    add(n);
    assert_null(tree_find(n->plan.tree, ROOT "docker.io/hosts.toml"));
    assert_non_null(tree_find(n->plan.tree, ROOT "docker.io/ca.crt"));
    char *text AUTO_FREE = config(n);
    assert_string_equal(
        text,
        "\n" CRI ".mirrors.\"docker.io\"]\n    endpoint = [\"https://mirror.example:5000\", "
        "\"https://mirror.example:5000/hub/v2\", \"http://harbor.example/v2/hub\", "
        "\"http://harbor.example/v2\"]\n"
        "\n" CRI ".configs.\"mirror.example:5000\".tls]\n"
        "    ca_file = \"/etc/containerd/certs.d/docker.io/ca.crt\"\n"
        "\n" CRI ".mirrors.\"k8s.gcr.io\"]\n    endpoint = [\"https://mirror.example:5000\"]\n"
        "\n" CRI ".configs.\"registry.example:5000\".tls]\n"
        "    ca_file = \"/etc/containerd/certs.d/registry.example:5000/ca.crt\"\n");
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    make_ca("a.pem");
    make_ca("b.pem");
    struct network *user AUTO_NETWORK = network_create();
    texts_add(&add_registry(user, "docker.io", NULL)->mirrors, "https://u:secret@m.example");
    refuse(user, "cluster.yaml:7: registries: docker.io: a mirror's URL holds a user");
    struct network *key AUTO_NETWORK = network_create();
    put_text("key.pem", "-----BEGIN RSA PRIVATE KEY-----\n");
    add_registry(key, "m.example", "key.pem");
    refuse(key, "registries: m.example: key.pem: holds a block 'RSA PRIVATE KEY'");
    struct network *two AUTO_NETWORK = network_create();
    texts_add(&add_registry(two, "docker.io", "a.pem")->mirrors, "https://m.example/x");
    texts_add(&add_registry(two, "quay.io", "b.pem")->mirrors, "https://m.example/y");
    add(two); /* hosts.toml can say it */
    two->artifact.version = (char *)"1.4.4";
    refuse(two, "cluster.yaml: registries: quay.io: containerd before 1.5 takes one CA for m.exam");
}

static void other_roles_get_none(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    n->role.binary_count = 0;
    texts_add(&add_registry(n, "docker.io", NULL)->mirrors, "https://m.example");
    add(n);
    assert_int_equal(n->plan.tree->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_said_without_any),
                                       cmocka_unit_test(versions_are_told_apart),
                                       IN_FOLDER(each_gets_a_hosts_file),
                                       IN_FOLDER(old_versions_have_it_in_their_config),
                                       IN_FOLDER(wrong_ones_are_refused),
                                       cmocka_unit_test(other_roles_get_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
