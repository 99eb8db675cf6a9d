#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/identity.h"
#include "builder/pki/names.h"

static struct node nodes[] = {
    {.name = "controller-0", .role = "controller", .address = "10.240.0.10", .line = 20},
    {.name = "worker-0", .role = "worker", .address = "10.240.0.20", .line = 21},
    {.name = "worker-1", .role = "worker", .address = "10.240.0.21", .line = 22},
};
static struct cluster cluster = {.file = "cluster.yaml",
                                 .name = "hard-way",
                                 .public_address = "203.0.113.10",
                                 .services_cidr = "10.32.0.0/24",
                                 .domain = "example.net",
                                 .nodes = nodes,
                                 .node_count = 3};

#define API                                                                                        \
    "10.32.0.1 10.240.0.10 controller-0 203.0.113.10 127.0.0.1 localhost kubernetes "              \
    "kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster "                    \
    "kubernetes.svc.cluster.local kubernetes.default.svc.example.net"
#define ETCD "10.240.0.10 controller-0 127.0.0.1 localhost"

enum { S = USAGE_SERVER, C = USAGE_CLIENT, SC = S | C };

struct expected {
    const char *stem, *cn, *o, *sans;
    unsigned usages;
    const char *issuer;
};

static const struct expected shared[] = {
    {"ca", "Kubernetes", "Kubernetes", "", 0, "ca"},
    {"admin", "admin", "system:masters", "", SC, "ca"},
    {"worker-0", "system:node:worker-0", "system:nodes", "worker-0 10.240.0.20", SC, "ca"},
    {"worker-1", "system:node:worker-1", "system:nodes", "worker-1 10.240.0.21", SC, "ca"},
    {"kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager",
     "", SC, "ca"},
    {"kube-proxy", "system:kube-proxy", "system:node-proxier", "", SC, "ca"},
    {"kube-scheduler", "system:kube-scheduler", "system:kube-scheduler", "", SC, "ca"},
    {"kubernetes", "kubernetes", "Kubernetes", API, SC, "ca"},
    {"service-account", "service-accounts", "Kubernetes", "", SC, "ca"},
};

static const struct expected separate[] = {
    {"ca", "Kubernetes", "Corp", "", 0, "ca"},
    {"etcd-ca", "etcd-ca", "Corp", "", 0, "etcd-ca"},
    {"front-proxy-ca", "front-proxy-ca", "Corp", "", 0, "front-proxy-ca"},
    {"admin", "admin", "system:masters", "", C, "ca"},
    {"worker-0", "system:node:worker-0", "system:nodes", "worker-0 10.240.0.20", SC, "ca"},
    {"worker-1", "system:node:worker-1", "system:nodes", "worker-1 10.240.0.21", SC, "ca"},
    {"kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager",
     "", C, "ca"},
    {"kube-proxy", "system:kube-proxy", "system:node-proxier", "", C, "ca"},
    {"kube-scheduler", "system:kube-scheduler", "system:kube-scheduler", "", C, "ca"},
    {"kube-apiserver", "kube-apiserver", "Corp", API " k8s.example.com 198.51.100.1", S, "ca"},
    {"kube-apiserver-kubelet-client", "kubernetes", "Corp", "", C, "ca"},
    {"etcd-server", "etcd-server", "Corp", ETCD, SC, "etcd-ca"},
    {"etcd-peer", "etcd-peer", "Corp", ETCD, SC, "etcd-ca"},
    {"kube-apiserver-etcd-client", "kube-apiserver-etcd-client", "Corp", "", C, "etcd-ca"},
    {"front-proxy-client", "front-proxy-client", "Corp", "", C, "front-proxy-ca"},
    {"service-account", "service-accounts", "Corp", "", C, "ca"},
};

static void check_one(const struct identity_list *list, size_t i, const struct expected *e)
{
    const struct identity *id = &list->items[i];
    struct buffer sans AUTO_BUFFER = buffer_heap();
    for (size_t k = 0; k < id->subject.san_count; k++) {
        const struct san *san = &id->subject.sans[k];
        buffer_printf(&sans, "%s%s", k ? " " : "", san->value);
        assert_int_equal(san->is_ip, strspn(san->value, "0123456789.") == strlen(san->value));
    }
    assert_string_equal(id->stem, e->stem);
    assert_string_equal(id->subject.cn, e->cn);
    assert_string_equal(id->subject.o, e->o);
    assert_string_equal(sans.len ? sans.data : "", e->sans);
    assert_int_equal(id->subject.usages, e->usages);
    assert_int_equal(id->subject.ca, id->issuer == i);
    assert_int_equal(id->subject.hours, id->subject.ca ? 87600 : 8760);
    assert_string_equal(list->items[id->issuer].stem, e->issuer);
    assert_ptr_equal(identity_find(list, e->stem), id);
}

static void check_table(const struct expected *expected, size_t n)
{
    struct error err = ERROR_INIT;
    struct identity_list list AUTO_IDENTITIES = {0};
    assert_int_equal(identity_list_make(&cluster, &list, &err), 0);
    assert_int_equal(list.count, n);
    for (size_t i = 0; i < n; i++) {
        check_one(&list, i, &expected[i]);
        assert_int_equal(list.items[i].subject.ca, i < list.ca_count);
    }
}

static void the_shared_layout(void **state)
{
    (void)state;
    check_table(shared, ARRAY_LEN(shared));
}

static void the_separate_layout(void **state)
{
    (void)state;
    char *names[] = {(char *)"k8s.example.com", (char *)"kubernetes", (char *)"198.51.100.1"};
    struct error err = ERROR_INIT;
    cluster.pki = (struct pki_settings){.layout = PKI_SEPARATE,
                                        .own_cas = true,
                                        .subject = {.organization = (char *)"Corp"},
                                        .names = {names, 3, 3}};
    check_table(separate, ARRAY_LEN(separate));
    cluster.pki.own_cas = false;
    struct identity_list list AUTO_IDENTITIES = {0};
    assert_int_equal(identity_list_make(&cluster, &list, &err), 0);
    assert_int_equal(list.count, ARRAY_LEN(separate) - 2);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].issuer, 0);
    cluster.pki = (struct pki_settings){0};
}

static void subjects_and_times_of_the_user(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    cluster.pki = (struct pki_settings){.validity = 24,
                                        .ca_validity = 48,
                                        .subject = {.country = (char *)"DE",
                                                    .locality = (char *)"Berlin",
                                                    .unit = (char *)"Platform"}};
    struct identity_list list AUTO_IDENTITIES = {0};
    assert_int_equal(identity_list_make(&cluster, &list, &err), 0);
    const struct subject *ca = &list.items[0].subject, *admin = &list.items[1].subject;
    assert_string_equal(ca->country, "DE");
    assert_string_equal(ca->ou, "CA");
    assert_string_equal(admin->ou, "Platform");
    assert_string_equal(admin->state, "Oregon");
    assert_string_equal(admin->locality, "Berlin");
    assert_int_equal(ca->hours, 48);
    assert_int_equal(admin->hours, 24);
    cluster.pki = (struct pki_settings){0};
}

/* No node can have files of another identity, in whatever layout. */
static void all_stems_are_reserved(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_LEN(separate) + ARRAY_LEN(shared); i++) {
        const struct expected *e =
            i < ARRAY_LEN(shared) ? &shared[i] : &separate[i - ARRAY_LEN(shared)];
        if (strncmp(e->stem, "worker-", 7) != 0)
            assert_int_equal(pki_check_name(e->stem, &err), -1);
    }
}

#define LONG_52 "a123456789b123456789c123456789d123456789e123456789fg"

static const struct {
    char *name, *owner; /* owner NULL: the name is fine */
} names[] = {
    {"ca", "ca"},
    {"ca-key", "ca"},
    {"kube-proxy", "kube-proxy"},
    {"kube-proxy-key", "kube-proxy"},
    {"admin", "admin"},
    {"kubernetes", "kubernetes"},
    {"service-account-key", "service-account"},
    {"kube-scheduler", "kube-scheduler"},
    {"kube-controller-manager", "kube-controller-manager"},
    {"worker-1-key", "worker-1"},
    {"controller-0-key", "controller-0"},
    {"etcd-server", "etcd-server"},
    {"bootstrap", "bootstrap"},
    {"ca-old-key", "ca-old"},
    {"cat", NULL},
    {"ca-keys", NULL},
    {"worker-1-keys", NULL},
    {"key", NULL},
    {LONG_52, NULL},
};

static void names_whose_files_collide(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct error err = ERROR_INIT;
        struct identity_list list AUTO_IDENTITIES = {0};
        nodes[1].name = names[i].name;
        int result = identity_list_make(&cluster, &list, &err);
        nodes[1].name = "worker-0";
        if (!names[i].owner) {
            assert_int_equal(result, 0);
            continue;
        }
        char *message AUTO_FREE = heap_printf(
            "cluster.yaml:21: node %s: %s.pem would be a file of '%s' in the pki folder; give the "
            "node another name",
            names[i].name, names[i].name, names[i].owner);
        assert_int_equal(result, -1);
        assert_string_equal(err.text, message);
    }
}

static void names_that_are_too_long(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct identity_list list AUTO_IDENTITIES = {0};
    nodes[2].name = LONG_52 "h";
    int result = identity_list_make(&cluster, &list, &err);
    nodes[2].name = "worker-1";
    assert_int_equal(result, -1);
    assert_string_equal(err.text,
                        "cluster.yaml:22: node " LONG_52 "h: 53 characters; its certificate's name "
                        "system:node:" LONG_52 "h has room for 52");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shared_layout),
        cmocka_unit_test(the_separate_layout),
        cmocka_unit_test(subjects_and_times_of_the_user),
        cmocka_unit_test(all_stems_are_reserved),
        cmocka_unit_test(names_whose_files_collide),
        cmocka_unit_test(names_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
