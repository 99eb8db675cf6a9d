#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/inspect/certificates.h"
#include "builder/pki/kubeconfig.h"
#include "builder/pki/x509.h"

enum { T = 1600000000, DAY = 24 * 60 * 60 };

static struct buffer ca, cert, key, both;

/* A CA from T on, for ten years, and a certificate for one. */
static int issue_both(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *pkey AUTO_KEY = NULL;
    X509 *root AUTO_CERT = NULL, *leaf AUTO_CERT = NULL;
    char cn[] = "Kubernetes", node[] = "system:node:worker-0", group[] = "system:nodes";
    struct subject top = {.cn = cn, .o = cn, .ou = cn, .ca = true, .hours = 87600};
    struct subject bottom = {.cn = node, .o = group, .ou = cn, .hours = 8760};
    ca = buffer_heap();
    cert = buffer_heap();
    key = buffer_heap();
    both = buffer_heap();
    if (x509_key_new(KEY_RSA_2048, &pkey, &err) < 0 ||
        x509_issue(&top, pkey, NULL, T, &root, &err) < 0)
        return -1;
    struct issuer issuer = {root, pkey};
    if (x509_issue(&bottom, pkey, &issuer, T, &leaf, &err) < 0 ||
        x509_cert_print(root, &ca, &err) < 0 || x509_cert_print(leaf, &cert, &err) < 0 ||
        x509_key_print(pkey, &key, &err) < 0)
        return -1;
    buffer_printf(&both, "text\n%s%s%s", ca.data, key.data, cert.data);
    return 0;
}

static int free_both(void **state)
{
    (void)state;
    buffer_free(&ca);
    buffer_free(&cert);
    buffer_free(&key);
    buffer_free(&both);
    return 0;
}

static void read(const struct buffer *text, time_t now, struct report *report)
{
    certificates_read("/etc/x.pem", text->data, text->len, now, report);
}

static void valid_ones_are_listed(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    read(&cert, T, &r);
    assert_int_equal(r.certificate_count, 1);
    assert_int_equal(r.problem_count, 0);
    assert_int_equal(r.remarks.count, 0);
    const struct certificate *c = &r.certificates[0];
    assert_string_equal(c->path, "/etc/x.pem");
    assert_null(c->what);
    assert_string_equal(c->holder, "system:node:worker-0, system:nodes");
    assert_non_null(strstr(c->subject, "CN=system:node:worker-0"));
    assert_non_null(strstr(c->issuer, "CN=Kubernetes"));
    assert_false(c->ca);
    assert_true(c->begins <= T && c->begins > T - DAY);
    assert_int_equal(c->days_left, (c->ends - T) / DAY);
    assert_true(c->days_left >= 364 && c->days_left <= 366);
}

static void times_are_judged(void **state)
{
    (void)state;
    static const struct {
        long days;
        const char *kind, *text;
        size_t remarks;
    } cases[] = {
        {300, NULL, "", 0},
        {340, NULL, "expires on ", 1},
        {400, "expired",
         "holds the certificate of system:node:worker-0, system:nodes, which expired on 2021-", 0},
        {-2, "not-yet-valid",
         "holds the certificate of system:node:worker-0, system:nodes, which is not valid before "
         "2020-",
         0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        read(&cert, T + cases[i].days * DAY, &r);
        assert_int_equal(r.problem_count, cases[i].kind != NULL);
        assert_int_equal(r.remarks.count, cases[i].remarks);
        if (cases[i].kind)
            assert_string_equal(r.problems[0].kind, cases[i].kind);
        if (cases[i].kind || cases[i].remarks)
            assert_non_null(
                strstr(cases[i].kind ? r.problems[0].text : r.remarks.items[0], cases[i].text));
    }
    struct report late AUTO_REPORT = {.path = NULL}, again AUTO_REPORT = {.path = NULL};
    read(&cert, T, &again);
    read(&cert, again.certificates[0].ends, &late);
    assert_int_equal(late.certificates[0].days_left, 0);
    assert_int_equal(late.problem_count, 1);
}

static void all_of_a_file_are_found(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    read(&both, T, &r);
    assert_int_equal(r.certificate_count, 2);
    assert_true(r.certificates[0].ca);
    assert_string_equal(r.certificates[0].holder, "Kubernetes, Kubernetes");
    assert_false(r.certificates[1].ca);
}

static void those_of_kubeconfigs_are_found(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct kubeconfig config = {.cluster = "c", .server = "https://1.2.3.4", .user = "u"};
    config.ca = &ca;
    config.cert = &cert;
    config.key = &key;
    kubeconfig_print(&config, &text);
    read(&text, T, &r);
    assert_int_equal(r.certificate_count, 2);
    assert_int_equal(r.problem_count, 0);
    assert_string_equal(r.certificates[0].what, "certificate-authority-data");
    assert_string_equal(r.certificates[1].what, "client-certificate-data");
    assert_string_equal(r.certificates[1].holder, "system:node:worker-0, system:nodes");
}

static void damage_is_a_problem(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "  client-certificate-data: abc\n", "  client-certificate-data: \"!!!!\"\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        certificates_read("/x", texts[i], strlen(texts[i]), T, &r);
        assert_int_equal(r.certificate_count, 0);
        assert_int_equal(r.problem_count, 1);
        assert_string_equal(r.problems[0].kind, "certificate");
    }
}

static void other_files_are_left_alone(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    struct buffer binary AUTO_BUFFER = buffer_heap();
    read(&key, T, &r);
    certificates_read("/x", "", 0, T, &r);
    certificates_read("/x", "client-key-data: !!!\nclient-certificate-dataX: !\n", 49, T, &r);
    buffer_add(&binary, "\0", 1);
    buffer_add(&binary, cert.data, cert.len);
    read(&binary, T, &r);
    assert_int_equal(r.certificate_count, 0);
    assert_int_equal(r.problem_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_ones_are_listed),   cmocka_unit_test(times_are_judged),
        cmocka_unit_test(all_of_a_file_are_found), cmocka_unit_test(those_of_kubeconfigs_are_found),
        cmocka_unit_test(damage_is_a_problem),     cmocka_unit_test(other_files_are_left_alone),
    };
    return cmocka_run_group_tests(tests, issue_both, free_both);
}
