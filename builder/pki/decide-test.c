#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "builder/heap.h"
#include "builder/pki/decide.h"

static const time_t now = 1800000000, day = 86400;

static struct pki_subject asked;
static struct identity items[] = {
    {.stem = (char *)"ca",
     .asked = &asked,
     .subject = {.cn = (char *)"Kubernetes", .ca = true, .hours = 87600}},
    {.stem = (char *)"etcd-ca",
     .asked = &asked,
     .subject = {.cn = (char *)"etcd-ca", .ca = true, .hours = 87600},
     .issuer = 1},
    {.stem = (char *)"admin",
     .asked = &asked,
     .subject = {.cn = (char *)"admin",
                 .o = (char *)"system:masters",
                 .usages = USAGE_CLIENT,
                 .hours = 8760}},
};
static const struct identity_list ids = {.items = items, .count = 3, .cap = 3, .ca_count = 2};
static const struct identity *const admin = &items[2];

enum { CA, ETCD, BEFORE, OWN, OTHER, KEYS };
static EVP_PKEY *keys[KEYS];
static X509 *certs[3]; /* of CA, ETCD, BEFORE */
static struct holding holdings[3];
static struct ca cas[2];

static X509 *issue(const struct subject *s, EVP_PKEY *key, size_t by, time_t at)
{
    struct error err = ERROR_INIT;
    X509 *cert = NULL;
    const struct issuer issuer = {certs[by], keys[by]};
    if (x509_issue(s, key, certs[by] ? &issuer : NULL, at, &cert, &err) < 0)
        fail_msg("%s", err.text);
    return cert;
}

static int group_setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    for (size_t i = 0; i < ARRAY_LEN(certs); i++)
        certs[i] = issue(&items[i == ETCD].subject, keys[i], i, now - 100 * day);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        EVP_PKEY_free(keys[i]);
    for (size_t i = 0; i < ARRAY_LEN(certs); i++)
        X509_free(certs[i]);
    return 0;
}

/* All is there and fits. */
static int setup(void **state)
{
    (void)state;
    memset(holdings, 0, sizeof holdings);
    for (size_t i = 0; i < 2; i++)
        cas[i] = (struct ca){CA_KEPT, certs[i], keys[i]};
    holdings[2].key = keys[OWN];
    holdings[2].cert = issue(&admin->subject, keys[OWN], CA, now - 10 * day);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(holdings[2].cert);
    return 0;
}

static void replace(X509 *cert)
{
    X509_free(holdings[2].cert);
    holdings[2].cert = cert;
}

static void decided(enum verdict verdict, bool new_key, const char *why)
{
    const struct judge judge = {&ids, holdings, cas, now, now + 30 * day, false};
    struct decision d = decide(&judge, 2);
    assert_string_equal(d.why.text, why);
    assert_int_equal(d.verdict, verdict);
    assert_int_equal(d.new_key, new_key);
}

static void what_fits_stays(void **state)
{
    (void)state;
    decided(VERDICT_KEEP, false, "");
    cas[0].key = NULL;
    decided(VERDICT_KEEP, false, "");
}

static void what_is_missing(void **state)
{
    (void)state;
    replace(NULL);
    decided(VERDICT_ISSUE, false, "");
    holdings[2].key = NULL;
    decided(VERDICT_ISSUE, true, "");
    cas[0].key = NULL;
    decided(VERDICT_REFUSE, true,
            "ca-key.pem is not there, and admin.pem has to be issued: put the key of ca.pem back, "
            "or have the CA sign what `nodebake pki csr` writes");
    const struct judge elsewhere = {&ids, holdings, cas, now, now, true};
    struct decision d = decide(&elsewhere, 2);
    assert_int_equal(d.verdict, VERDICT_ISSUE);
    assert_true(d.new_key);
    cas[0] = (struct ca){.state = CA_ABSENT}; /* as verify looks at it */
    decided(VERDICT_ISSUE, true, "");
}

static void what_does_not_fit_any_more(void **state)
{
    (void)state;
    struct subject s = admin->subject;
    s.o = (char *)"people";
    replace(issue(&s, keys[OWN], CA, now));
    decided(VERDICT_REISSUE, false, "its one organization is not 'system:masters'");
    cas[0].key = NULL;
    decided(VERDICT_REFUSE, false,
            "ca-key.pem is not there, and admin.pem has to be issued (its one organization is not "
            "'system:masters'): put the key of ca.pem back, "
            "or have the CA sign what `nodebake pki csr` writes");
}

static void what_ends(void **state)
{
    (void)state;
    replace(issue(&admin->subject, keys[OWN], CA, now - 364 * day));
    decided(VERDICT_REISSUE, false, "it ends on 2027-01-16");
    replace(issue(&admin->subject, keys[OWN], CA, now - 366 * day));
    decided(VERDICT_REISSUE, false, "it expired on 2027-01-14");
    replace(issue(&admin->subject, keys[OWN], CA, now + day));
    decided(VERDICT_REFUSE, false,
            "admin.pem is not valid before 2027-01-16: set the clock, or put "
            "another one there");
}

static void who_issued_it(void **state)
{
    (void)state;
    replace(issue(&admin->subject, keys[OWN], ETCD, now));
    decided(VERDICT_REISSUE, false, "etcd-ca.pem issued it, not ca.pem");
    cas[0].state = CA_NEW;
    decided(VERDICT_REISSUE, false, "etcd-ca.pem issued it, not ca.pem");
    replace(issue(&admin->subject, keys[OWN], BEFORE, now));
    decided(VERDICT_REFUSE, false,
            "admin.pem is there, but neither ca.pem nor ca-key.pem: put them back, or remove it to "
            "have all issued by a new CA");
    cas[0].state = CA_KEPT;
    const struct judge judge = {&ids, holdings, cas, now, now, false};
    struct decision d = decide(&judge, 2);
    assert_int_equal(d.verdict, VERDICT_REFUSE);
    assert_memory_equal(d.why.text, "admin.pem does not verify against ca.pem (", 42);
    holdings[0].old = certs[BEFORE];
    decided(VERDICT_REISSUE, false, "ca-old.pem issued it, the CA before");
    cas[0].state = CA_REPLACED;
    decided(VERDICT_REISSUE, false, "ca.pem is new");
}

/* By way of another CA, which stands behind the certificate in its file. */
static void what_is_between(void **state)
{
    (void)state;
    struct identity middle = {.subject = {.cn = (char *)"middle", .ca = true, .hours = 240}};
    struct error err = ERROR_INIT;
    const time_t at = now - 5 * day;
    X509 *ca AUTO_CERT = issue(&middle.subject, keys[OTHER], CA, at), *cert = NULL;
    const struct issuer issuer = {ca, keys[OTHER]};
    assert_int_equal(x509_issue(&admin->subject, keys[OWN], &issuer, at, &cert, &err), 0);
    replace(cert);
    const struct judge judge = {&ids, holdings, cas, now, now, false};
    assert_int_equal(decide(&judge, 2).verdict, VERDICT_REFUSE);
    certs_add(&holdings[2].between, ca);
    assert_int_equal(decide(&judge, 2).verdict, VERDICT_KEEP);
    certs_free(&holdings[2].between);
    middle.subject.hours = 24;
    X509 *over AUTO_CERT = issue(&middle.subject, keys[OTHER], CA, at);
    certs_add(&holdings[2].between, over);
    struct decision d = decide(&judge, 2);
    assert_int_equal(d.verdict, VERDICT_REISSUE);
    assert_string_equal(d.why.text, "the CA behind it in its file: it expired on 2027-01-11");
    certs_free(&holdings[2].between);
}

/* Also when all is to be issued anew: which of the files is right, only the user can tell. */
static void what_does_not_go_together(void **state)
{
    (void)state;
    for (int replaced = 0; replaced < 2; replaced++) {
        cas[0].state = replaced ? CA_REPLACED : CA_KEPT;
        holdings[2].key = keys[OTHER];
        decided(VERDICT_REFUSE, false,
                "admin.pem is not the certificate of admin-key.pem: put back the one of the two "
                "that was replaced");
        holdings[2].key = NULL;
        decided(VERDICT_REFUSE, false,
                "admin.pem is there, but not its key admin-key.pem: put the key back, or remove "
                "admin.pem to have both issued anew");
        holdings[2].fault = (struct error){"admin.pem: not a certificate in PEM form"};
        decided(VERDICT_REFUSE, false, "admin.pem: not a certificate in PEM form");
        holdings[2].fault = (struct error)ERROR_INIT;
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_fits_stays), TEST(what_is_missing), TEST(what_does_not_fit_any_more),
        TEST(what_ends),       TEST(who_issued_it),   TEST(what_does_not_go_together),
        TEST(what_is_between),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
