#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/plan/pki-when.h"

static void rows_count_by_layout(void **state)
{
    (void)state;
    static const struct {
        struct pki_settings pki;
        bool shared, separate, one_ca, own_cas;
    } cases[] = {
        {{.layout = PKI_SHARED}, true, false, true, false},
        {{.layout = PKI_SEPARATE}, false, true, true, false},
        {{.layout = PKI_SEPARATE, .own_cas = true}, false, true, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(pki_when_holds(WHEN_ALWAYS, &cases[i].pki));
        assert_int_equal(pki_when_holds(WHEN_SHARED, &cases[i].pki), cases[i].shared);
        assert_int_equal(pki_when_holds(WHEN_SEPARATE, &cases[i].pki), cases[i].separate);
        assert_int_equal(pki_when_holds(WHEN_ONE_CA, &cases[i].pki), cases[i].one_ca);
        assert_int_equal(pki_when_holds(WHEN_OWN_CAS, &cases[i].pki), cases[i].own_cas);
    }
}

static void words_are_read(void **state)
{
    (void)state;
    static const char text[] = "own-cas\n", wrong[] = "each\n";
    enum pki_when when = WHEN_ALWAYS;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *good AUTO_YAML = NULL, *bad AUTO_YAML = NULL;
    assert_int_equal(yaml_parse("a", text, strlen(text), &problems, &good, &err), 0);
    assert_int_equal(pki_when_read(yaml_root(good), &when, &err), 0);
    assert_int_equal(when, WHEN_OWN_CAS);
    assert_int_equal(yaml_parse("a", wrong, strlen(wrong), &problems, &bad, &err), 0);
    assert_int_equal(pki_when_read(yaml_root(bad), &when, &err), -1);
    assert_non_null(strstr(err.text, "'each' is not a layout of keys: shared, separate, one-ca or "
                                     "own-cas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_count_by_layout),
        cmocka_unit_test(words_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
