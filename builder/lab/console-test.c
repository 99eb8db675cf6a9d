#include "builder/lab/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/attributes.h"

static struct console heard(const char *text)
{
    struct console c = {0};
    console_take(&c, text, strlen(text));
    return c;
}

static void test_phases(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum console_phase phase;
    } rows[] = {
        {"", CONSOLE_BOOTING},
        {"SeaBIOS\r\n[    0.1] Linux version\r\n", CONSOLE_BOOTING},
        {"[ 9.1] nodebake: node worker-0 is ready: 9 files, 3 units\r\n", CONSOLE_FINISHED},
        {"[ 9.1] nodebake: node worker-0 was finished before, by source gce\r\n", CONSOLE_FINISHED},
        {"[ 9.1] nodebake: SSH keys: left out: none\r\n", CONSOLE_BOOTING},
        {"nodebake: node worker-0 is ready: 1 files\r\nDebian\r\nworker-0 login: ", CONSOLE_LOGIN},
        {"worker-0 login", CONSOLE_BOOTING},
        {" login:", CONSOLE_BOOTING},
        {"nodebake: firstboot: no answer; nothing was enabled\r\nh login: ", CONSOLE_REFUSED},
        {"[ 1] Kernel panic - not syncing: no init\r\n", CONSOLE_PANIC},
        {"a login: \r\n[ 1] nodebake: node a was finished before\r\n", CONSOLE_FINISHED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(heard(rows[i].text).phase, rows[i].phase);
}

static void test_cause(void **state)
{
    (void)state;
    struct console c = heard("[    7.1] nodebake: firstboot: source gce: no answer; nothing was "
                             "enabled\r\nmore\r\n");
    assert_string_equal(c.cause, "firstboot: source gce: no answer; nothing was enabled");
    assert_string_equal(c.last, "more");
}

static void test_kubelet(void **state)
{
    (void)state;
    struct console c = heard("[ 41.0] nodebake: kubelet: the token is refused\r\na login: ");
    assert_string_equal(c.kubelet, "kubelet: the token is refused");
    assert_int_equal(c.phase, CONSOLE_LOGIN);
}

static void test_escapes(void **state)
{
    (void)state;
    assert_string_equal(heard("\033[0;32m  OK  \033[0m Started\x07 it.\r\n\r\n").last,
                        "  OK   Started it.");
}

/* systemd draws over its line. */
static void test_returns(void **state)
{
    (void)state;
    assert_string_equal(heard("a long line\r\033[Kshort\r\n").last, "short");
    assert_string_equal(heard("kept\r\r\n\r\n").last, "kept");
    assert_int_equal(heard("x\rworker-0 login: ").phase, CONSOLE_LOGIN);
}

/* Any cut, any length. */
static void test_pieces(void **state)
{
    (void)state;
    static const char text[] = "[1] nodebake: node worker-0 is ready: x\r\nworker-0 login: ";
    char line[4 * CONSOLE_LINE_MAX];
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct console c = {0};
        console_take(&c, text, cut);
        console_take(&c, text + cut, sizeof text - 1 - cut);
        assert_int_equal(c.phase, CONSOLE_LOGIN);
    }
    memset(line, 'x', sizeof line);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    assert_int_equal(strlen(heard(line).last), CONSOLE_LINE_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases),  cmocka_unit_test(test_cause),
        cmocka_unit_test(test_kubelet), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_returns), cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
