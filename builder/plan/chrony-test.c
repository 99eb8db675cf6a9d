#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/plan/chrony.h"

static void servers_become_comments(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"pool 2.debian.pool.ntp.org iburst\n", "#pool 2.debian.pool.ntp.org iburst\n"},
        {"\tServer a\nPEER b", "#\tServer a\n#PEER b\n"},
        {"# server a\nserverstats\nrefclock PHC /dev/ptp0\nsourcedir /run/chrony-dhcp\n",
         "# server a\nserverstats\nrefclock PHC /dev/ptp0\nsourcedir /run/chrony-dhcp\n"},
        {"\n\nserver\n", "\n\n#server\n"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        chrony_without_servers(cases[i].before, strlen(cases[i].before), &out);
        assert_string_equal(out.data, cases[i].after);
    }
}

static void the_folder_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool reads;
    } cases[] = {
        {"x\nsourcedir /etc/chrony/sources.d\n", true},
        {"  SourceDir\t/etc/chrony/sources.d  ", true},
        {"#sourcedir /etc/chrony/sources.d\n", false},
        {"sourcedir /etc/chrony/sources.d2\n", false},
        {"sourcedir\n/etc/chrony/sources.d\n", false},
        {"confdir /etc/chrony/sources.d\n", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(
            chrony_reads(cases[i].text, strlen(cases[i].text), "/etc/chrony/sources.d"),
            cases[i].reads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(servers_become_comments),
                                       cmocka_unit_test(the_folder_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
