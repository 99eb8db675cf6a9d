#include "builder/lab/namespace.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

/* Root may write whatever /proc/self says. */
static int enter_as_user(void)
{
    struct error err = ERROR_INIT;
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) < 0))
        return 2;
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return 3;
    if (namespace_enter(&err) == 0)
        return geteuid() == 0 ? 0 : 4;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

static void test_after_a_passphrase(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(enter_as_user());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_after_a_passphrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
