#include "builder/plan/network-fixture.h"

static void add(struct network *n)
{
    struct error err = ERROR_INIT;
    expect(part_proxy(&n->plan, &err), &err);
}

static struct network *with_proxy(const char *http, const char *https)
{
    struct network *n = network_create();
    n->cluster.settings.proxy.http = heap_copy(http);
    n->cluster.settings.proxy.https = heap_copy(https);
    return n;
}

static void nothing_is_added_without_one(void **state)
{
    (void)state;
    struct network *n AUTO_NETWORK = network_create();
    add(n);
    assert_int_equal(n->plan.tree->count, 0);
}

static void services_and_shells_get_it(void **state)
{
    (void)state;
    static const char no[] = "localhost,127.0.0.0/8,::1,10.240.0.0/24,10.200.0.0/16,10.32.0.0/24,"
                             ".svc,.cluster.local,169.254.169.254,metadata.google.internal,"
                             "203.0.113.10,.corp.example,10.9.0.0/16";
    struct network *n AUTO_NETWORK = with_proxy("http://p.example:3128", "http://s.example:3129");
    struct texts *own = &n->cluster.settings.proxy.no;
    texts_add(own, ".corp.example");
    texts_add(own, "203.0.113.10"); /* already there */
    texts_add(own, "10.9.0.0/16");
    n->plan.in.base = NULL;
    add(n);
    char *expected AUTO_FREE =
        heap_printf("HTTP_PROXY='http://p.example:3128'\nhttp_proxy='http://p.example:3128'\n"
                    "HTTPS_PROXY='http://s.example:3129'\nhttps_proxy='http://s.example:3129'\n"
                    "NO_PROXY='%s'\nno_proxy='%s'\n",
                    no, no);
    assert_string_equal(text_at(n, "/etc/nodebake/proxy.env"), expected);
    static const char *const drop_ins[] = {
        "/etc/systemd/system/containerd.service.d/50-nodebake-proxy.conf",
        "/etc/systemd/system/docker.service.d/50-nodebake-proxy.conf"};
    for (size_t i = 0; i < ARRAY_LEN(drop_ins); i++)
        assert_string_equal(text_at(n, drop_ins[i]),
                            "[Service]\nEnvironmentFile=/etc/nodebake/proxy.env\n");
    assert_int_equal(entry_at(n, "/etc/profile.d/nodebake-proxy.sh")->mode, 0644);
    assert_false(entry_at(n, "/etc/profile.d/nodebake-proxy.sh")->secret);
    assert_int_equal(entry_at(n, "/etc/apt/apt.conf.d/50nodebake-proxy")->mode, 0644);
}

static void passwords_are_roots_alone(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etc/nodebake/proxy.env",
                                        "/etc/profile.d/nodebake-proxy.sh",
                                        "/etc/apt/apt.conf.d/50nodebake-proxy"};
    static const char *const urls[][2] = {{"http://u:p@p.example:3128", NULL},
                                          {NULL, "http://u@p.example:3128"}};
    for (size_t k = 0; k < ARRAY_LEN(urls); k++) {
        struct network *n AUTO_NETWORK = with_proxy(urls[k][0], urls[k][1]);
        add(n);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            assert_int_equal(entry_at(n, paths[i])->mode, 0600);
            assert_true(entry_at(n, paths[i])->secret);
        }
        for (size_t i = 0; i < n->plan.tree->count; i++) {
            const struct entry *entry = &n->plan.tree->entries[i];
            assert_true(entry->secret || !strstr(entry->text, "p.example"));
        }
    }
}

/* A real shell takes the values as they are. */
static void shells_read_it(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct network *n AUTO_NETWORK = with_proxy("http://u:a$HOME%20*;#!@p.example:3128", NULL);
    add(n);
    put_text("proxy.sh", text_at(n, "/etc/profile.d/nodebake-proxy.sh"));
    const char *const argv[] = {
        "sh", "-c", ". ./proxy.sh; sh -c 'printf %s:%s: \"$HTTP_PROXY\" \"$https_proxy\"'", NULL};
    struct process sh = {.argv = argv, .out = &out};
    expect(process_run(&sh, NULL, &err), &err);
    assert_string_equal(out.data, "http://u:a$HOME%20*;#!@p.example:3128::");
}

static char *apt_value(const char *name)
{
    struct error err = ERROR_INIT;
    struct buffer out = buffer_heap();
    const char *const argv[] = {"apt-config", "shell", "v", name, NULL};
    /* Whatever the host's own settings are, these are read last. */
    static const char *const env[] = {"APT_CONFIG=apt.conf", NULL};
    struct process apt = {.argv = argv, .env = env, .out = &out};
    expect(process_run(&apt, NULL, &err), &err);
    return out.data;
}

/* apt's own reader of its files. */
static void apt_reads_it(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } values[] = {
        {"Acquire::http::Proxy", "v='http://u:a$b%20;{@p.example:3128'\n"},
        {"Acquire::https::Proxy", "v='DIRECT'\n"},
        {"Acquire::http::Proxy::deb.corp.example", "v='DIRECT'\n"},
        {"Acquire::https::Proxy::10.0.0.7", "v='DIRECT'\n"},
        {"Acquire::http::Proxy::.corp.example", ""},
    };
    struct network *n AUTO_NETWORK = with_proxy("http://u:a$b%20;{@p.example:3128", NULL);
    struct texts *own = &n->cluster.settings.proxy.no;
    texts_add(own, "deb.corp.example");
    texts_add(own, ".corp.example");
    texts_add(own, "10.0.0.7");
    texts_add(own, "10.9.0.0/16");
    add(n);
    const char *text = text_at(n, "/etc/apt/apt.conf.d/50nodebake-proxy");
    assert_null(strstr(text, "/16"));
    put_text("apt.conf", text);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char *value AUTO_FREE = apt_value(values[i].name);
        assert_string_equal(value, values[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_added_without_one),
                                       cmocka_unit_test(services_and_shells_get_it),
                                       cmocka_unit_test(passwords_are_roots_alone),
                                       IN_FOLDER(shells_read_it), IN_FOLDER(apt_reads_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
