#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/bootstrap.h"

static const char golden[] = "apiVersion: v1\n"
                             "kind: Secret\n"
                             "metadata:\n"
                             "  name: bootstrap-token-07401b\n"
                             "  namespace: kube-system\n"
                             "type: bootstrap.kubernetes.io/token\n"
                             "stringData:\n"
                             "  description: lets kubelets ask for their certificate\n"
                             "  token-id: \"07401b\"\n"
                             "  token-secret: \"f395accd246ae52d\"\n"
                             "  usage-bootstrap-authentication: \"true\"\n"
                             "  auth-extra-groups: system:bootstrappers:worker\n";

static void there_and_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct bootstrap_token token;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(bootstrap_token_parse(golden, strlen(golden), &token, &err), 0);
    assert_string_equal(token.id, "07401b");
    assert_string_equal(token.secret, "f395accd246ae52d");
    bootstrap_token_print(&token, &out);
    assert_string_equal(out.data, golden);
}

static void an_end_is_kept(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct bootstrap_token token;
    struct buffer out AUTO_BUFFER = buffer_heap(), wrong AUTO_BUFFER = buffer_heap();
    buffer_printf(&out, "%s  expiration: \"2026-12-23T04:26:11Z\"\n", golden);
    buffer_printf(&wrong, "%s  expiration: \"2026-12-23\"\n", golden);
    assert_int_equal(bootstrap_token_parse(golden, strlen(golden), &token, &err), 0);
    assert_int_equal(token.ends, 0);
    assert_int_equal(bootstrap_token_parse(out.data, out.len, &token, &err), 0);
    assert_int_equal(token.ends, 1797999971);
    struct buffer again AUTO_BUFFER = buffer_heap();
    bootstrap_token_print(&token, &again);
    assert_string_equal(again.data, out.data);
    assert_int_equal(bootstrap_token_parse(wrong.data, wrong.len, &token, &err), -1);
}

/* Each letter comes, and none much more often than the others: 36000 of them, 1000 expected. */
static void letters_are_even(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    unsigned counts[256] = {0};
    size_t kinds = 0;
    for (int i = 0; i < 36000 / TOKEN_SECRET; i++) {
        struct bootstrap_token token;
        assert_int_equal(bootstrap_token_new(&token, 0, &err), 0);
        assert_int_equal(strlen(token.id), TOKEN_ID);
        assert_int_equal(strlen(token.secret), TOKEN_SECRET);
        for (const char *c = token.secret; *c; c++)
            counts[(unsigned char)*c]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (counts[i]) {
            kinds++;
            assert_in_range(counts[i], 750, 1250);
        }
    assert_int_equal(kinds, 36);
}

static void refuses_others(void **state)
{
    (void)state;
    static const char *const froms[] = {"f395", "07401b\"\n", "bootstrap.kubernetes.io/token",
                                        "  token-secret"};
    for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
        struct error err = ERROR_INIT;
        struct bootstrap_token token;
        char *text AUTO_FREE = heap_copy(golden);
        *strstr(text, froms[i]) = '#';
        assert_int_equal(bootstrap_token_parse(text, strlen(text), &token, &err), -1);
        assert_null(strstr(err.text, "accd"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(an_end_is_kept),
        cmocka_unit_test(letters_are_even),
        cmocka_unit_test(refuses_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
