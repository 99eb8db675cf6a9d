#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/yaml/similar.h"

static void misspelt_words(void **state)
{
    static const struct {
        const char *a, *b;
        bool similar;
    } rows[] = {
        {"name", "name", true},        {"NAME", "name", true},
        {"names", "name", true},       {"nname", "name", true},
        {"nae", "name", true},         {"rol", "role", true},
        {"Dns", "dns", true},          {"dnt", "dns", false}, /* short */
        {"role", "roles", true},       {"nmae", "name", true},
        {"nema", "name", false},       {"neam", "name", false},
        {"lame", "name", true},        {"lime", "name", false},
        {"podCidr", "podCIDR", true},  {"podCidrs", "podCIDR", true},
        {"pod_cidr", "podCIDR", true}, {"pod-Cidrs", "podCIDR", false},
        {"image", "images", true},     {"", "", true},
        {"", "name", false},           {"aaaa", "aaaaa", true},
        {"aaaa", "aaaaaa", false},     {"abab", "baba", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (yaml_similar(rows[i].a, rows[i].b) != rows[i].similar ||
            yaml_similar(rows[i].b, rows[i].a) != rows[i].similar)
            fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misspelt_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
