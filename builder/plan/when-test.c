#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/plan/when.h"

/* The conditions that the text means; the text is right. */
static when_set read_when(const char *text)
{
    when_set when = 0;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct yaml_file *file AUTO_YAML = NULL;
    if (yaml_parse("a", text, strlen(text), &problems, &file, &err) < 0 ||
        when_read(yaml_root(file), &when, &err) < 0)
        fail_msg("%s", err.text);
    return when;
}

static void check(const struct cluster *cluster, const char *text, bool holds)
{
    if (when_holds(read_when(text), cluster) != holds)
        fail_msg("%s is %s", text, holds ? "not held" : "held");
}

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
        const struct cluster cluster = {.pki = cases[i].pki};
        assert_true(when_holds(0, &cluster));
        check(&cluster, "shared\n", cases[i].shared);
        check(&cluster, "separate\n", cases[i].separate);
        check(&cluster, "one-ca\n", cases[i].one_ca);
        check(&cluster, "own-cas\n", cases[i].own_cas);
    }
}

static void rows_count_by_choice(void **state)
{
    (void)state;
    struct cluster cluster = {.identity = IDENTITY_BOOTSTRAP,
                              .settings = {.runtime = RUNTIME_DOCKER,
                                           .cni = CNI_CALICO,
                                           .pod_networks = POD_NETWORKS_CONTROLLERS}};
    static const char *const held[] = {"bootstrap", "docker", "calico", "pods-by-controllers"},
                             *const not_held[] = {"image",           "metadata", "issued",
                                                  "containerd",      "bridge",   "flannel",
                                                  "pods-by-metadata"};
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        check(&cluster, held[i], true);
    for (size_t i = 0; i < ARRAY_LEN(not_held); i++)
        check(&cluster, not_held[i], false);
    cluster.identity = IDENTITY_METADATA;
    check(&cluster, "[metadata, issued]\n", true);
    check(&cluster, "image\n", false);
    check(&cluster, "bootstrap\n", false);
    check(&cluster, "[docker, calico]\n", true);
    check(&cluster, "[docker, bridge]\n", false);
}

static void other_words_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"each\n", "[docker, each]\n"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        when_set when = 0;
        struct error err = ERROR_INIT;
        struct problems problems AUTO_PROBLEMS = {0};
        struct yaml_file *file AUTO_YAML = NULL;
        assert_int_equal(yaml_parse("a", wrong[i], strlen(wrong[i]), &problems, &file, &err), 0);
        assert_int_equal(when_read(yaml_root(file), &when, &err), -1);
        assert_non_null(strstr(err.text, "'each' is no condition; known: shared, separate, "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_count_by_layout),
        cmocka_unit_test(rows_count_by_choice),
        cmocka_unit_test(other_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
