#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/inspect/credentials.h"
#include "builder/pki/x509.h"

static void read_one(const char *text, mode_t mode, gid_t gid, struct report *r)
{
    const struct credential as = {.path = (char *)"/k", .mode = mode, .uid = 1, .gid = gid};
    credentials_read(&as, text, strlen(text), r);
}

static void kinds_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kind; /* kind NULL: none */
    } all[] = {
        {"-----BEGIN CERTIFICATE-----\n", "certificate"},
        {"-----BEGIN PRIVATE KEY-----\n", "key"},
        {"-----BEGIN RSA PRIVATE KEY-----\n", "key"},
        {"-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n", "key"},
        {"users:\n- user:\n    client-key-data: eA==\n", "kubeconfig"},
        {"{\"users\": [{\"user\": {\"client-key-data\": \"eA==\"}}]}", "kubeconfig"},
        {"kind: Config\nusers: [{user: {token: x}}]\n", "kubeconfig"},
        {"kind: EncryptionConfiguration\n", "encryption keys"},
        {"kind: KubeletConfiguration\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        read_one(all[i].text, 0600, 7, &r);
        assert_int_equal(r.credential_count, all[i].kind ? 1 : 0);
        assert_int_equal(r.problem_count, 0);
        if (!all[i].kind)
            continue;
        assert_string_equal(r.credentials[0].kind, all[i].kind);
        assert_string_equal(r.credentials[0].path, "/k");
        assert_int_equal(r.credentials[0].mode, 0600);
        assert_int_equal(r.credentials[0].uid, 1);
        assert_int_equal(r.credentials[0].gid, 7);
    }
}

static void secrets_are_not_for_others(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        gid_t gid;
        int problems;
    } all[] = {{0600, 7, 0}, {0400, 7, 0}, {0640, 0, 0}, {0640, 7, 1},
               {0604, 0, 1}, {0602, 0, 1}, {0644, 0, 1}, {0620, 7, 1}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct report r AUTO_REPORT = {.path = NULL};
        read_one("-----BEGIN PRIVATE KEY-----\n", all[i].mode, all[i].gid, &r);
        read_one("-----BEGIN CERTIFICATE-----\n", all[i].mode, all[i].gid, &r);
        assert_int_equal(r.credential_count, 2);
        assert_int_equal(r.problem_count, all[i].problems);
    }
    struct report r AUTO_REPORT = {.path = NULL};
    read_one("kind: Config\n", 0644, 0, &r);
    assert_string_equal(r.problems[0].kind, "exposed");
    assert_string_equal(r.problems[0].path, "/k");
    assert_string_equal(r.problems[0].text,
                        "holds a secret (kubeconfig), and mode 0644 shows it to others");
}

static void large_files_and_many(void **state)
{
    (void)state;
    struct report r AUTO_REPORT = {.path = NULL};
    char *large AUTO_FREE = heap_array(PEM_MAX + 2, 1);
    memset(large, 'x', PEM_MAX + 1);
    memcpy(large, "kind: Config\n", 13);
    read_one(large, 0644, 0, &r);
    assert_int_equal(r.credential_count, 0);
    for (int i = 0; i < CREDENTIALS_MAX + 5; i++)
        read_one("kind: Config\n", 0600, 0, &r);
    assert_int_equal(r.credential_count, CREDENTIALS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told),
        cmocka_unit_test(secrets_are_not_for_others),
        cmocka_unit_test(large_files_and_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
