/* The golden contract, as people see it. Runs from the top folder. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/inspect/contract-read.h"
#include "common/contract.h"
#include "common/file.h"

static void the_golden_contract_is_read(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    struct contract_report *c = &r.contract;
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct error err = ERROR_INIT;
    assert_int_equal(
        file_read(AT_FDCWD, "tests/golden/contract-worker-0", CONTRACT_BYTES_MAX, &text, &err), 0);
    contract_read(text.data, text.len, c);
    assert_int_equal(c->version, CONTRACT_VERSION);
    assert_string_equal(c->cluster, "kubernetes-the-hard-way");
    assert_string_equal(c->role, "worker");
    assert_string_equal(c->node, "worker-0");
    assert_int_equal(c->deadline, 60);
    assert_int_equal(c->source_count, 1);
    assert_string_equal(c->sources[0].name, "gce");
    assert_string_equal(c->sources[0].identity, "product_uuid");
    assert_int_equal(c->fact_count, 3);
    assert_string_equal(c->facts[2].name, "POD_CIDR");
    assert_string_equal(c->facts[2].type, "cidr");
    assert_string_equal(c->facts[2].from.items[0], "gce instance/attributes/pod-cidr");
    assert_int_equal(c->identity_count, 3);
    assert_string_equal(c->identities[0].file, "@NODE_NAME@.pem");
    assert_string_equal(c->identities[0].dest, "/var/lib/kubelet/@NODE_NAME@.pem");
    assert_true(c->template_count >= 3);
    assert_null(c->templates[0].file);
    assert_int_equal(c->unit_count, 4);
    assert_string_equal(c->units[0].name, "containerd.service");
    assert_string_equal(c->units[0].target, "multi-user.target");
    assert_string_equal(c->units[0].path, "/etc/systemd/system/containerd.service");
}

static void what_is_no_contract_is_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "cluster a\nnodebake-contract 1\n",
                                        "nodebake-contract\n", "nodebake-contract x\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        contract_read(texts[i], strlen(texts[i]), &r.contract);
        assert_int_equal(r.contract.version, 0);
        assert_null(r.contract.cluster);
    }
}

static void odd_lines_are_passed_over(void **state)
{
    (void)state;
    static const char text[] =
        "nodebake-contract 2\n"
        "cluster\ncluster a b\nfrom X gce path\nunit a b\n"
        "user a b\nuser ops\nrole \x1b[1m\nrole worker\nunknown line\nunit a b c";
    struct report r AUTO_REPORT = {.path = NULL};
    contract_read(text, strlen(text), &r.contract);
    assert_int_equal(r.contract.version, 2);
    assert_null(r.contract.cluster);
    assert_string_equal(r.contract.role, "worker");
    assert_string_equal(r.contract.user, "ops");
    assert_int_equal(r.contract.unit_count, 1);
    assert_string_equal(r.contract.units[0].path, "c");
}

static void lists_are_bounded(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, "nodebake-contract 1\n");
    for (int i = 0; i < 1000; i++)
        buffer_puts(&text, "source a b\nfact A label\nfrom A a b\nidentity 0600 0 0 a b\n"
                           "template 0600 0 0 a\nunit a b c\n");
    contract_read(text.data, text.len, &r.contract);
    assert_int_equal(r.contract.source_count, CONTRACT_SOURCES_MAX);
    assert_int_equal(r.contract.fact_count, CONTRACT_FACTS_MAX);
    assert_int_equal(r.contract.facts[0].from.count, CONTRACT_FROMS_MAX);
    assert_int_equal(r.contract.identity_count, CONTRACT_IDENTITIES_MAX);
    assert_int_equal(r.contract.template_count, CONTRACT_TEMPLATES_MAX);
    assert_int_equal(r.contract.unit_count, CONTRACT_UNITS_MAX);
}

#define STAMP "nodebake-stamp 1\nsource gce\nidentity product_uuid:9b3c\nnode worker-0\n"

static void stamps_are_whole_or_none(void **state)
{
    (void)state;
    struct report good AUTO_REPORT = {.path = NULL};
    stamp_read(STAMP, strlen(STAMP), &good.stamp);
    assert_true(good.stamp.there);
    assert_string_equal(good.stamp.source, "gce");
    assert_string_equal(good.stamp.identity, "product_uuid:9b3c");
    assert_string_equal(good.stamp.node, "worker-0");
    for (size_t len = 0; len < strlen(STAMP); len++) {
        struct report cut AUTO_REPORT = {.path = NULL};
        stamp_read(STAMP, len, &cut.stamp);
        assert_false(cut.stamp.there);
    }
    struct report more AUTO_REPORT = {.path = NULL}, other AUTO_REPORT = {.path = NULL};
    stamp_read(STAMP "x", strlen(STAMP "x"), &more.stamp);
    assert_false(more.stamp.there);
    struct report full AUTO_REPORT = {.path = NULL}, unknown AUTO_REPORT = {.path = NULL};
    stamp_read(STAMP "instance 5\nfile /a\nfile /b\n", strlen(STAMP) + 27, &full.stamp);
    assert_true(full.stamp.there);
    stamp_read(STAMP "file /a\ninstance 5\n", strlen(STAMP) + 19, &unknown.stamp);
    assert_false(unknown.stamp.there);
    stamp_read("nodebake-stamp 2\nsource a\nidentity b\nnode c\n", 46, &other.stamp);
    assert_false(other.stamp.there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_contract_is_read),
        cmocka_unit_test(what_is_no_contract_is_left_alone),
        cmocka_unit_test(odd_lines_are_passed_over),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(stamps_are_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
