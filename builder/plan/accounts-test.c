/* Users of a base, judged also by pwck and grpck. */
#include "builder/plan/accounts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "common/file.h"

#define PASSWD                                                                                     \
    "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"           \
    "games:x:5:60::/usr/games:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
#define GROUP                                                                                      \
    "root:x:0:\ndaemon:x:1:\nadm:x:4:\nsudo:x:27:\ngames:x:60:\nnogroup:x:65534:\nusers:x:100:\n"
#define SHADOW                                                                                     \
    "root:*:19500:0:99999:7:::\ndaemon:*:19500:0:99999:7:::\n"                                     \
    "games:*:19500:0:99999:7:::\nnobody:*:19500:0:99999:7:::\n"
#define GSHADOW "root:*::\ndaemon:*::\nadm:*::\nsudo:*::\ngames:*::\nnogroup:*::\nusers:*::\n"

static const char *const admin[] = {"adm", "sudo", NULL};

/* The texts of a base; tests change what they need. */
struct texts_of_base {
    const char *passwd, *group, *shadow, *gshadow;
};

static const struct texts_of_base usual = {PASSWD, GROUP, SHADOW, GSHADOW};

static struct base_file file(const char *path, const char *text)
{
    return (struct base_file){
        .path = (char *)path, .text = (char *)text, .len = text ? strlen(text) : 0};
}

static int give_in(const struct texts_of_base *base, const char *name, const char *const *groups,
                   struct account_edits *edits, struct account *account, struct error *err)
{
    struct base_file passwd = file("/etc/passwd", base->passwd);
    struct base_file group = file("/etc/group", base->group);
    struct base_file shadow = file("/etc/shadow", base->shadow);
    struct base_file gshadow = file("/etc/gshadow", base->gshadow);
    struct account_files files = {base->passwd ? &passwd : NULL, base->group ? &group : NULL,
                                  base->shadow ? &shadow : NULL, base->gshadow ? &gshadow : NULL};
    struct account_wish wish = {.name = name, .shell = "/bin/bash", .groups = groups, .day = 19000};
    return account_give(&files, &wish, edits, account, err);
}

static int give(const struct texts_of_base *base, const char *name, struct account_edits *edits,
                struct account *account, struct error *err)
{
    return give_in(base, name, admin, edits, account, err);
}

static void expect_give(const struct texts_of_base *base, const char *name,
                        struct account_edits *edits, struct account *account)
{
    struct error err = ERROR_INIT;
    if (give(base, name, edits, account, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuse(const struct texts_of_base *base, const char *name, const char *message)
{
    struct error err = ERROR_INIT;
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    assert_int_equal(give(base, name, &edits, &account, &err), -1);
    assert_string_equal(err.text, message);
    assert_null(edits.passwd.data);
    assert_null(account.home);
}

static void a_user_is_added(void **state)
{
    (void)state;
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    expect_give(&usual, "ops", &edits, &account);
    assert_int_equal(account.uid, 1000);
    assert_int_equal(account.gid, 1000);
    assert_string_equal(account.home, "/home/ops");
    assert_true(account.added);
    assert_string_equal(edits.passwd.data, PASSWD "ops:x:1000:1000::/home/ops:/bin/bash\n");
    assert_string_equal(edits.group.data,
                        "root:x:0:\ndaemon:x:1:\nadm:x:4:ops\nsudo:x:27:ops\ngames:x:60:\n"
                        "nogroup:x:65534:\nusers:x:100:\nops:x:1000:\n");
    assert_string_equal(edits.shadow.data, SHADOW "ops:*:19000:0:99999:7:::\n");
    assert_string_equal(edits.gshadow.data,
                        "root:*::\ndaemon:*::\nadm:*::ops\nsudo:*::ops\ngames:*::\nnogroup:*::\n"
                        "users:*::\nops:!::\n");
}

/* Neither a number that a user has nor one that a group has. */
static void numbers_are_free_ones(void **state)
{
    (void)state;
    struct texts_of_base base = usual;
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    base.passwd = PASSWD "a:x:1000:100::/home/a:/bin/sh\nb:x:1002:1001::/home/b:/bin/sh\n";
    base.group = GROUP "b:x:1001:\nc:x:1003:\n";
    expect_give(&base, "ops", &edits, &account);
    assert_int_equal(account.uid, 1004);
    assert_int_equal(account.gid, 1004);
}

/* A last line without a newline, empty lines, comments, NIS; no gshadow and none of the groups. */
static void odd_files_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const none[] = {"sudo", NULL};
    struct base_file passwd =
        file("/etc/passwd", "root:x:0:0:::\n\n# people\n+@admins::::::\nlast:x:7:7:::");
    struct base_file group = file("/etc/group", "root:x:0:");
    struct base_file shadow = file("/etc/shadow", "");
    struct account_files files = {&passwd, &group, &shadow, NULL};
    struct account_wish wish = {.name = "_a-1", .shell = "/bin/sh", .groups = none};
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(account_give(&files, &wish, &edits, &account, &err), 0);
    assert_string_equal(edits.passwd.data,
                        "root:x:0:0:::\n\n# people\n+@admins::::::\nlast:x:7:7:::\n"
                        "_a-1:x:1000:1000::/home/_a-1:/bin/sh\n");
    assert_string_equal(edits.group.data, "root:x:0:\n_a-1:x:1000:\n");
    assert_string_equal(edits.shadow.data, "_a-1:*::0:99999:7:::\n"); /* no day: no demand */
    assert_null(edits.gshadow.data);
}

static struct texts_of_base with_debian(const char *shadow)
{
    struct texts_of_base base = usual;
    base.passwd = PASSWD "debian:x:1001:100:Debian,,,:/srv/debian:/bin/zsh\n";
    base.shadow = shadow;
    return base;
}

static void a_user_of_the_base_is_taken(void **state)
{
    (void)state;
    struct texts_of_base base = with_debian(SHADOW "debian:$6$salt$hash:19500:0:99999:7:::\n");
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    base.group = "adm:x:4:syslog,debian\nsudo:x:27:deb\nusers:x:100:\n";
    base.gshadow = "sudo:*::debian\n";
    expect_give(&base, "debian", &edits, &account);
    assert_int_equal(account.uid, 1001);
    assert_int_equal(account.gid, 100);
    assert_string_equal(account.home, "/srv/debian");
    assert_false(account.added);
    assert_null(edits.passwd.data);
    assert_null(edits.shadow.data); /* the password that somebody gave it stays */
    assert_null(edits.gshadow.data);
    assert_string_equal(edits.group.data,
                        "adm:x:4:syslog,debian\nsudo:x:27:deb,debian\nusers:x:100:\n");
}

/* sshd without PAM takes `!` for a locked account, and day 0 asks for a new password. */
static void a_locked_user_can_log_in_by_key(void **state)
{
    static const char *const locked[] = {
        SHADOW "debian:!:19500:0:99999:7:::\n", SHADOW "debian:!$6$salt$hash:0:0:9:7:::\n",
        SHADOW "debian::19500::::::\n", SHADOW "debian:!*:19500:0:99999:7:::\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(locked); i++) {
        struct texts_of_base base = with_debian(locked[i]);
        struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
        struct account account AUTO_ACCOUNT = {0};
        expect_give(&base, "debian", &edits, &account);
        assert_string_equal(edits.shadow.data, SHADOW "debian:*:19000:0:99999:7:::\n");
    }
}

static void users_who_cannot_log_in_are_refused(void **state)
{
    (void)state;
    struct texts_of_base base = usual;
    refuse(&usual, "games", "'games' is a system user of the base (uid 5); choose another name");
    refuse(&usual, "daemon", "'daemon' is a system user of the base (uid 1); choose another name");
    refuse(&usual, "nobody",
           "'nobody' is a system user of the base (uid 65534); choose another name");
    base.passwd = PASSWD "ops:x:1000:100::/home/ops:/usr/sbin/nologin\n";
    refuse(&base, "ops", "'ops' has the shell /usr/sbin/nologin in the base; choose another name");
    base.passwd = PASSWD "ops:x:1000:100::/home/ops:/bin/false\n";
    refuse(&base, "ops", "'ops' has the shell /bin/false in the base; choose another name");
    base.passwd = PASSWD "ops::1000:100::/home/ops:/bin/sh\n";
    refuse(&base, "ops", "'ops' has its password in /etc/passwd; right is an 'x' there");
    base.passwd = PASSWD "ops:x:1000:100::/home/ops:/bin/sh\n";
    refuse(&base, "ops", "/etc/shadow lacks 'ops', who is in /etc/passwd");
    base.shadow = SHADOW "ops:*:19500:0:99999:7::19600:\n";
    refuse(&base, "ops", "the account of 'ops' expires on day 19600 in the base; choose another");
}

static void names_of_others_are_refused(void **state)
{
    (void)state;
    struct texts_of_base base = usual;
    refuse(&usual, "sudo", "/etc/group has 'sudo', which is no user; choose another name");
    base.shadow = SHADOW "ops:*:19500:0:99999:7:::\n";
    refuse(&base, "ops", "/etc/shadow has 'ops', which is no user; choose another name");
    base.shadow = SHADOW;
    base.gshadow = GSHADOW "ops:!::\n";
    refuse(&base, "ops", "/etc/gshadow has 'ops', which is no user; choose another name");
}

static void names_have_a_form(void **state)
{
    static const char *const good[] = {
        "a", "_", "debian", "ec2-user", "a_9", "rooty", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {
        "",     "root", "ALL", "9a",  "-a",       "a b", "a:b",
        "a\nb", "a@b",  "a,b", "a/b", "\xc3\xa4", "%a",  "abcdefghijklmnopqrstuvwxyz0123456"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(account_name_valid(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(account_name_valid(bad[i]));
    refuse(&usual, "ALL",
           "'ALL' is not a user's name: a-z or _, then a-z, 0-9, _ and -, at most 32 bytes, not "
           "root");
}

static void malformed_files_are_refused(void **state)
{
    static const struct {
        struct texts_of_base base;
        const char *message;
    } cases[] = {
        {{NULL, GROUP, SHADOW, NULL}, "/etc/passwd is not there; right is a base that has it"},
        {{PASSWD, NULL, SHADOW, NULL}, "/etc/group is not there; right is a base that has it"},
        {{PASSWD, GROUP, NULL, GSHADOW}, "/etc/shadow is not there; right is a base that has it"},
        {{PASSWD "a:x:7:7::/\n", GROUP, SHADOW, GSHADOW},
         "/etc/passwd:5: not a name and 6 fields behind it, separated by colons"},
        {{PASSWD, "root:x:0:\nsudo\n", SHADOW, GSHADOW},
         "/etc/group:2: not a name and 3 fields behind it, separated by colons"},
        {{PASSWD, GROUP, "root:*:1:2:3:4:5:6:7:8:9:10:11\n", GSHADOW},
         "/etc/shadow:1: not a name and 8 fields behind it, separated by colons"},
        {{PASSWD, GROUP, SHADOW, ":::\n"},
         "/etc/gshadow:1: not a name and 3 fields behind it, separated by colons"},
        {{"\na:x:zero:0:::\n", GROUP, SHADOW, GSHADOW},
         "/etc/passwd:2: 'zero' is not the number of a user or group"},
        {{"a:x:1:99999999999:::\n", GROUP, SHADOW, GSHADOW},
         "/etc/passwd:1: '99999999999' is not the number of a user or group"},
        {{"a:x:4294967295:1:::\n", GROUP, SHADOW, GSHADOW},
         "/etc/passwd:1: '4294967295' is not the number of a user or group"},
        {{PASSWD, "root:x::\n", SHADOW, GSHADOW},
         "/etc/group:1: '' is not the number of a user or group"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refuse(&cases[i].base, "ops", cases[i].message);
}

static void a_text_has_no_nul(void **state)
{
    (void)state;
    struct base_file passwd = {.path = (char *)"/etc/passwd", .text = (char *)"a\0b", .len = 3};
    struct account_files files = {&passwd, &passwd, &passwd, NULL};
    struct account_wish wish = {.name = "ops", .shell = "/bin/sh", .groups = admin};
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(account_give(&files, &wish, &edits, &account, &err), -1);
    assert_string_equal(err.text, "/etc/passwd: holds a NUL byte; not a text");
}

static void numbers_run_out(void **state)
{
    (void)state;
    struct buffer group AUTO_BUFFER = buffer_heap();
    for (int n = ACCOUNT_UID_FIRST; n <= ACCOUNT_UID_LAST; n++)
        buffer_printf(&group, "g%d:x:%d:\n", n, n);
    struct texts_of_base base = usual;
    base.group = group.data;
    refuse(&base, "ops", "no number from 1000 to 59999 is left for a user");
}

static void put(const char *folder, const char *name, const char *text)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = heap_printf("%s/%s", folder, name);
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.text);
}

static void judge(const char *program, const char *a, const char *b)
{
    struct error err = ERROR_INIT;
    const char *const argv[] = {program, "-q", "-r", a, b, NULL};
    const struct process process = {.argv = argv};
    if (process_run(&process, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* The tools of Debian's passwd find nothing to say about the files. (For grpck the members of a
 * group have to be users of this host.) */
static void the_tools_are_content(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char folder[] = "/tmp/nodebake-accounts-test-XXXXXX";
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    struct account account AUTO_ACCOUNT = {0};
    if (access("/usr/sbin/pwck", X_OK) != 0 || access("/usr/sbin/grpck", X_OK) != 0)
        fail_msg("pwck and grpck are needed: package passwd");
    if (give_in(&usual, "ops", &admin[2], &edits, &account, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(mkdtemp(folder));
    static const char *const names[] = {"passwd", "shadow", "group", "gshadow"};
    const char *const texts[] = {edits.passwd.data, edits.shadow.data, edits.group.data,
                                 edits.gshadow.data};
    char *paths[4];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        put(folder, names[i], texts[i]);
        paths[i] = heap_printf("%s/%s", folder, names[i]);
    }
    judge("/usr/sbin/pwck", paths[0], paths[1]);
    judge("/usr/sbin/grpck", paths[2], paths[3]);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(unlink(paths[i]), 0);
        free(paths[i]);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_added),
        cmocka_unit_test(numbers_are_free_ones),
        cmocka_unit_test(odd_files_stay_as_they_are),
        cmocka_unit_test(a_user_of_the_base_is_taken),
        cmocka_unit_test(a_locked_user_can_log_in_by_key),
        cmocka_unit_test(users_who_cannot_log_in_are_refused),
        cmocka_unit_test(names_of_others_are_refused),
        cmocka_unit_test(names_have_a_form),
        cmocka_unit_test(malformed_files_are_refused),
        cmocka_unit_test(a_text_has_no_nul),
        cmocka_unit_test(numbers_run_out),
        cmocka_unit_test(the_tools_are_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
