/* Configurations of sshd as bases have them. */
#include "builder/plan/sshd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"

static bool takes(const char *config)
{
    return sshd_takes_dropins(config, strlen(config));
}

static void the_folder_comes_first(void **state)
{
    static const char *const good[] = {
        "Include /etc/ssh/sshd_config.d/*.conf\n",
        "# PasswordAuthentication yes\n\n  include\t\"/etc/ssh/sshd_config.d/*.conf\"  # all\n"
        "PasswordAuthentication yes\n",
        "Port 22\nInclude=/etc/ssh/sshd_config.d/*.conf",
        "Include /etc/ssh/first.conf sshd_config.d/*.conf\nMatch all\n",
        "Include sshd_config.d/*.conf\r\nUsePAM yes\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!takes(good[i]))
            fail_msg("not taken: %s", good[i]);
}

static void what_stands_before_the_folder_wins(void **state)
{
    static const char *const bad[] = {
        "",
        "Port 22\nUsePAM yes\n",
        "#Include /etc/ssh/sshd_config.d/*.conf\n",
        "Include # /etc/ssh/sshd_config.d/*.conf\n",
        "Include /etc/ssh/other.d/*.conf\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "Include /etc/ssh/sshd_config.d/50-cloud-init.conf\n",
        "PASSWORDAUTHENTICATION yes\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "PermitRootLogin=yes\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "\"KbdInteractiveAuthentication\" yes\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "ChallengeResponseAuthentication yes\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "Match User a\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "Includes /etc/ssh/sshd_config.d/*.conf\n",
        "Include \"/etc/ssh/sshd_config.d/*.conf",
    };
    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_LEN(bad); i++)
        if (takes(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(sshd_takes_dropins("Include /etc/ssh/sshd_config.d/*.conf\n", 30)); /* cut off */
}

static void settings_are_for_keys(void **state)
{
    (void)state;
    struct buffer none AUTO_BUFFER = buffer_heap(), keys AUTO_BUFFER = buffer_heap();
    sshd_settings(false, &none);
    sshd_settings(true, &keys);
    assert_string_equal(none.data,
                        "# From nodebake: keys only. Of two values sshd takes the first that it "
                        "reads.\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                        "ChallengeResponseAuthentication no\nPermitRootLogin no\n");
    assert_non_null(strstr(keys.data, "\nPermitRootLogin prohibit-password\n"));
    assert_false(takes(none.data)); /* put before a configuration, nothing in that goes first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_comes_first),
        cmocka_unit_test(what_stands_before_the_folder_wins),
        cmocka_unit_test(settings_are_for_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
