#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/image/base.h"
#include "builder/image/fake-disk.h"

static int read_with(const char *config, const char *policy, struct error *err)
{
    struct disk disk AUTO_FAKE = fake_debian();
    struct base *base AUTO_BASE = NULL;
    if (config)
        fake_text(&disk, "/etc/selinux/config", config);
    if (policy)
        fake_text(&disk, policy, "policy");
    return base_read(&fake_writer, &disk, &base, err);
}

static void a_policy_that_would_be_loaded_is_refused(void **state)
{
    (void)state;
    static const char *const modes[] = {"enforcing", "permissive"};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct error err = ERROR_INIT;
        char *config AUTO_FREE = heap_printf("# x\nSELINUX=%s\nSELINUXTYPE=default\n", modes[i]);
        char *message AUTO_FREE = heap_printf(
            "the base (Debian 12) has SELinux switched on (SELINUX=%s in /etc/selinux/config, a "
            "policy in /etc/selinux/default/policy): what firstboot writes before the policy is "
            "loaded would have no labels; take a base that says SELINUX=disabled there",
            modes[i]);
        assert_int_equal(read_with(config, "/etc/selinux/default/policy/policy.33", &err), -1);
        assert_string_equal(err.text, message);
    }
    struct error err = ERROR_INIT;
    assert_int_equal(read_with(" SELINUX = x\n  selinux=\tenforcing \r\n",
                               "/etc/selinux/targeted/policy/policy.33", &err),
                     -1);
}

static void others_pass(void **state)
{
    (void)state;
    static const struct {
        const char *config, *policy;
    } cases[] = {
        {NULL, NULL},
        {NULL, "/etc/selinux/default/policy/policy.33"},
        {"SELINUX=disabled\nSELINUXTYPE=default\n", "/etc/selinux/default/policy/policy.33"},
        {"#SELINUX=enforcing\nSELINUXTYPE=default\n", "/etc/selinux/default/policy/policy.33"},
        {"SELINUX=permissive\nSELINUX=disabled\n", "/etc/selinux/targeted/policy/policy.33"},
        {"SELINUX=permissive\nSELINUXTYPE=default\n", NULL}, /* Debian without a policy */
        {"SELINUX=permissive\nSELINUXTYPE=default\n", "/etc/selinux/other/policy/policy.33"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        if (read_with(cases[i].config, cases[i].policy, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_that_would_be_loaded_is_refused),
        cmocka_unit_test(others_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
