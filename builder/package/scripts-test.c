/* Scripts as sh would read them, and what is made of them. */
#include "builder/package/deb-fixture.h"
#include "builder/package/scripts.h"

/* In the system of the tests /etc and what begins with /there is there. */
static int exists(void *ctx, const char *path, struct error *err)
{
    (void)ctx;
    if (strcmp(path, "/broken") == 0)
        return error_set(err, "the disk is gone");
    return strcmp(path, "/etc") == 0 || strncmp(path, "/there", 6) == 0;
}

static const struct script_system tested = {exists, NULL};

static int judge(const char *text, struct script_actions *actions, struct error *err)
{
    static const char *const args[] = {"configure", ""};
    return script_judge(text, strlen(text), args, ARRAY_LEN(args), &tested, actions, err);
}

/* The actions as lines. */
static char *list(const struct script_actions *actions)
{
    struct buffer out = buffer_heap();
    for (size_t i = 0; i < actions->count; i++) {
        const struct script_action *action = &actions->items[i];
        if (action->kind == SCRIPT_LDCONFIG)
            buffer_puts(&out, "ldconfig");
        for (char **arg = action->argv; arg && *arg; arg++)
            buffer_printf(&out, "%s%s", arg == action->argv ? "" : " ", *arg);
        if (action->path)
            buffer_printf(&out, "%s {%s}", action->path, action->text);
        buffer_puts(&out, "\n");
    }
    return out.data;
}

#define SH "#!/bin/sh\n"

/* Scripts that are harmless, and what they do. */
static const struct {
    const char *text, *actions;
} good[] = {
    {SH, ""},
    {"#!/bin/sh", ""},
    {"#! /bin/sh -e\nset -e\nexit 0\nrm -rf /\n", ""},
    {"#!/bin/dash\n# rm -rf /\n:\ntrue # false\n", ""},
    {SH "set -e\nldconfig\n", "ldconfig\n"},
    {SH "set -e; if [ \"$1\" = configure ]; then ldconfig; fi\n", "ldconfig\n"},
    {SH "if [ \"$1\" = \"remove\" ]; then rm -rf /; fi\n", ""},
    {SH "if [ \"$1\" = remove ]; then rm x; elif [ $1 = configure ] ; then ldconfig; else rm y; fi",
     "ldconfig\n"},
    {SH "if [ x = y ]\nthen\n  rm x\nelse\n  ldconfig\nfi\n", "ldconfig\n"},
    {SH "if [ \"$1\" = a ] || [ \"$1\" = configure ] && [ -z \"$2\" ]; then ldconfig; fi",
     "ldconfig\n"},
    {SH "case \"$1\" in\nremove|purge) rm x ;;\nconfigure) ldconfig ;;\n*) rm y ;;\nesac\n",
     "ldconfig\n"},
    {SH "case \"$1\" in\n  (abort-*) rm x;;\n esac", NULL},
    {SH "case $1 in remove) rm x;; *) ldconfig\nesac\n", "ldconfig\n"},
    {SH "case \"$2\" in '') ldconfig;; esac\n", "ldconfig\n"},
    {SH "[ \"$1\" = configure ] || exit 0\nldconfig\n", "ldconfig\n"},
    {SH "[ -n \"$2\" ] && rm x\nldconfig\n", "ldconfig\n"},
    {SH "set -e\n[ -n \"$2\" ] && rm x\ntrue\n", ""},
    {SH "if ! [ -n \"$2\" ]; then ldconfig; fi\n", "ldconfig\n"},
    {SH "! false\n", ""},
    {SH "if test -e /there; then ldconfig; fi\n", "ldconfig\n"},
    {SH "if [ ! -e /absent ]; then ldconfig; fi\n", "ldconfig\n"},
    {SH "if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi\n", ""},
    {SH "if [ -x /absent ] && [ -f /gone ]; then rm x; fi\n", ""},
    {SH "[ -e \"/broken-not\" ] || true\n", ""},
    {SH "f() {\n  ldconfig\n}\nf\nf >/dev/null 2>&1 || rm x\n", NULL},
    {SH "f() { ldconfig; }\nf && f\n", "ldconfig\nldconfig\n"},
    {SH "f() { [ \"$1\" = a ] || return 0; ldconfig; }\nf b\nf a\n", "ldconfig\n"},
    {SH "f() { g \"$@\"; }\ng () { [ \"$2\" = 'b' ] && ldconfig; }\nf a 'b'\n", "ldconfig\n"},
    {SH "f() { exit 0; }\nf\nrm x\n", ""},
    {SH "echo hello >&2\necho 'rm -rf /' \"$1\" >/dev/null\n", ""},
    {SH "false || true\n", ""},
    {SH "false\ntrue\n", ""}, /* without set -e it goes on */
    {SH "set -e\nfalse || ldconfig\n", "ldconfig\n"},
    {SH "set -e\nf() { false; ldconfig; }\nif f; then true; fi\n", "ldconfig\n"},
    {SH "update-alternatives \\\n --install /usr/bin/x x /usr/bin/x-1 10 \\\n"
        "\t--slave /usr/share/x.1.gz x.1.gz /usr/share/x-1.1.gz\n",
     "--install /usr/bin/x x /usr/bin/x-1 10 --slave /usr/share/x.1.gz x.1.gz "
     "/usr/share/x-1.1.gz\n"},
    {SH "update-alternatives --quiet --remove x /usr/bin/x-1 2>/dev/null\n",
     "--remove x /usr/bin/x-1\n"},
    {SH "update-alternatives --install /u/x \"x\" '/u/y' -5\n", "--install /u/x x /u/y -5\n"},
    {SH "[ -e /etc/new ] || cat >/etc/new <<EOF\na\n b\n\nEOF\nldconfig\n",
     "/etc/new {a\n b\n\n}\nldconfig\n"},
    {SH "cat <<-'END' > /etc/new\n\t$a `b` \\c\n\tEND\n", "/etc/new {$a `b` \\c\n}\n"},
    {SH "cat > /etc/new <<EOF\nx\nEOF\nif [ -e /etc/new ]; then ldconfig; fi\n",
     "/etc/new {x\n}\nldconfig\n"},
    {SH "dpkg-maintscript-helper rm_conffile /etc/x 1.0\\~ -- \"$@\"\n", ""},
    {SH "dpkg-maintscript-helper mv_conffile /etc/x /etc/y 1.0 pkg -- \"$@\"\n", ""},
    {SH "dpkg-maintscript-helper dir_to_symlink /usr/x y 1.0 -- \"$@\"\n", ""},
    {SH "if dpkg --compare-versions \"$2\" lt-nl 1.0; then rm x; fi\n", ""},
    {SH "if dpkg --compare-versions -- \"$2\" lt 1.0; then ldconfig; fi\n", "ldconfig\n"},
    {SH "if false; then x=$(uname -s | sed \"s/(/)/\"); for i in a b; do rm $i; done; fi\n", ""},
    {SH "if false; then while read x; do rm $x; done <f; (cd /; rm x) & fi\n", ""},
    {SH "if false; then x=`rm \\$y`; echo ${x##*/} \"${y%% *}\" $# $?; fi\n", ""},
    {SH "if false; then a | b | c && d; ! e; f > g 2>> h < i; fi\n", ""},
    {SH "rm() { true; }\nrm x\n", ""}, /* their own */
    {SH "set -eu\n[ \"${DPKG_ROOT:-}\" = '' ] && [ -z \"$DPKG_ROOT\" ] && ldconfig\n",
     "ldconfig\n"},
    {SH "echo 'a'\"b\"c\\ d$1\n", ""},
    {SH "if [ \"\" ]; then rm x; fi; [ x ]\n", ""},
    {SH "if [ ! = x ]; then rm x; fi; [ ! -n \"\" ]\n", ""},
};

static void harmless_scripts_are_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct script_actions actions AUTO_ACTIONS = {0};
        struct error err = ERROR_INIT;
        int result = judge(good[i].text, &actions, &err);
        char *actual AUTO_FREE = list(&actions);
        if (!good[i].actions && result != 0)
            fail_msg("%s: not refused", good[i].text);
        if (good[i].actions && result != 1)
            fail_msg("%s: %s", good[i].text, err.text);
        if (good[i].actions && strcmp(actual, good[i].actions) != 0)
            fail_msg("%s: it does '%s'", good[i].text, actual);
    }
}

/* A program that notes how it was called, by the shell's own means. */
#define NOTED "#!/bin/sh\necho \"${0##*/}\" \"$@\" >>called\n"
#define REAL                                                                                       \
    "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin DPKG_MAINTSCRIPT_NAME=postinst "                \
    "DPKG_MAINTSCRIPT_PACKAGE=x exec \"${0##*/}\" \"$@\"\n"

/* What a real shell does with the script, as lines like those of list(). Only the programs of bin/
 * can be found. */
static char *run_for_real(const char *text)
{
    static const char *const env[] = {"PATH=bin", "DPKG_ROOT=", NULL}; /* as dpkg does */
    static const char *const argv[] = {"/bin/sh", "script", "configure", "", NULL};
    struct error err = ERROR_INIT;
    struct process sh = {.argv = argv, .env = env};
    int status;
    struct buffer out = buffer_heap();
    put_file("script", text, 0755);
    put_file("called", "", 0644);
    assert_int_equal(process_run(&sh, &status, &err), 0);
    struct buffer called AUTO_BUFFER = get_file("called");
    char *rest = called.data, *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        line += strncmp(line, "update-alternatives ", 20) == 0 ? 20 : 0;
        line += strncmp(line, "--quiet ", 8) == 0 ? 8 : 0;
        buffer_printf(&out, "%s\n", line);
    }
    if (status)
        buffer_printf(&out, "status %d\n", status);
    return out.data;
}

/* Those that do not ask for the files of the tests' system. */
static void a_real_shell_does_the_same(void **state)
{
    (void)state;
    static const char *const noted[] = {"ldconfig", "update-alternatives", "rm", "systemctl"};
    size_t compared = 0;
    for (size_t i = 0; i < ARRAY_LEN(noted); i++) {
        char *path AUTO_FREE = heap_printf("bin/%s", noted[i]);
        put_file(path, NOTED, 0755);
    }
    put_file("bin/dpkg", REAL, 0755);
    put_file("bin/dpkg-maintscript-helper", REAL, 0755);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (!good[i].actions || strstr(good[i].text, "/there") ||
            strstr(good[i].text, "/etc/new") || strstr(good[i].text, "/run/systemd"))
            continue;
        char *actual AUTO_FREE = run_for_real(good[i].text);
        if (strcmp(actual, good[i].actions) != 0)
            fail_msg("%s: sh does '%s'", good[i].text, actual);
        compared++;
    }
    assert_true(compared > 40);
}

/* Scripts that are refused, and how that begins. */
static const struct {
    const char *text, *why;
} bad[] = {
    {"", "line 1: its interpreter is not /bin/sh"},
    {"\x7f"
     "ELF",
     "line 1: its interpreter is not /bin/sh"},
    {"#!/bin/bash\n", "line 1: its interpreter is not /bin/sh"},
    {"#!/usr/bin/perl\n", "line 1: its interpreter is not /bin/sh"},
    {"#!/bin/sh -x\n", "line 1: its interpreter is not /bin/sh"},
    {SH "\nrm -f x\n", "line 3: 'rm' is not known to be harmless"},
    {SH "/sbin/ldconfig\n", "line 2: '/sbin/ldconfig' is not known"},
    {SH "x=1\n", "line 2: 'x=1' is not known"},
    {SH ". /usr/share/debconf/confmodule\n", "line 2: '.' is not known"},
    {SH "eval rm\n", "line 2: 'eval' is not known"},
    {SH "\"$1\"\n", "line 2: 'configure' is not known"},
    {SH "$x\n", "line 2: the variable x is not known"},
    {SH "\"\"\n", "line 2: '' is not known"},
    {SH "$2\n", "line 2: a command without a name"},
    {SH "ldconfig -X\n", "line 2: ldconfig with options"},
    {SH "ldconfig > /etc/x\n", "line 2: a redirection that is not known"},
    {SH "ldconfig < /etc/x\n", "line 2: a redirection that is not known"},
    {SH "ldconfig 3>/dev/null\n", "line 2: a redirection that is not known"},
    {SH "ldconfig | cat\n", "line 2: a pipe is not known"},
    {SH "ldconfig &\n", "line 2: a command in the background is not known"},
    {SH "(ldconfig)\n", "line 2: a subshell is not known"},
    {SH "{ ldconfig; } >/dev/null\n", "line 2: a block with a redirection is not known"},
    {SH "for i in 1; do ldconfig; done\n", "line 2: a loop is not known"},
    {SH "while true; do :; done\n", "line 2: a loop is not known"},
    {SH "until false\ndo :\ndone\n", "line 2: a loop is not known"},
    {SH "echo $(rm x)\n", "line 2: an expansion that is not known"},
    {SH "echo `rm x`\n", "line 2: an expansion that is not known"},
    {SH "echo \"$(rm x)\"\n", "line 2: an expansion that is not known"},
    {SH "echo ${1#x}\n", "line 2: an expansion that is not known"},
    {SH "echo ${x:=y}\n", "line 2: an expansion that is not known"},
    {SH "echo ${x:-$(rm y)}\n", "line 2: an expansion that is not known"},
    {SH "echo $((1))\n", "line 2: arithmetic is not known"},
    {SH "echo $'x'\n", "line 2: $' is not known"},
    {SH "echo $0 \n", "line 2: an expansion that is not known"},
    {SH "echo $@\n", "line 2: an expansion that is not known"},
    {SH "echo *\n", "line 2: a pattern for file names"},
    {SH "echo ~root\n", "line 2: a pattern for file names"},
    {SH "echo [ab]\n", "line 2: a pattern for file names"},
    {SH "f() { echo $1; }\nf 'a b'\n", "line 2: $1 is more than a word"},
    {SH "exit 1\n", "line 2: an end with an error"},
    {SH "exit\n", "line 2: an end with an error, or with an unknown status"},
    {SH "f() { return 1; }\nf\n", "line 2: an end with an error"},
    {SH "set -e\nfalse\n", "line 3: false would fail here"},
    {"#!/bin/sh -e\nfalse\n", "line 2: false would fail here"},
    {SH "set -e\nf() { false; }\nf\n", "line 3: false would fail here"},
    {SH "set -e\nf() { [ -n \"\" ] && true; }\nf\n", "line 4: f would fail here"},
    {SH "[ -n \"$2\" ] && true\n", "line 2: its last command would fail"},
    {SH "false\n", "line 2: its last command would fail"},
    {SH "set -x\n", "line 2: set -x is not known"},
    {SH "set\n", "line 2: set without an option"},
    {SH "[ -e /there\n", "line 2: [ without its ]"},
    {SH "[\n", "line 2: [ without its ]"},
    {SH "[ -d /there ]\n", "line 2: '-d /there', and it is there"},
    {SH "[ -e there ]\n", "line 2: 'there' is no plain path"},
    {SH "[ -e /there/../x ]\n", "line 2: '/there/../x' is no plain path"},
    {SH "[ a -a b ]\n", "line 2: the test '-a' is not known"},
    {SH "[ a -nt b ]\n", "line 2: the test '-nt' is not known"},
    {SH "[ -e /a -o -e /b ]\n", "line 2: a test of more than three words"},
    {SH "[ -q x ]\n", "line 2: the test '-q' is not known"},
    {SH "case x in x*) ;; esac\n", "line 2: a pattern for file names"},
    {SH "case x in $y) ;; esac\n", "line 2: the variable y is not known"},
    {SH "case $(x) in *) ;; esac\n", "line 2: an expansion that is not known"},
    {SH "cat /etc/x\n", "line 2: cat that does not write"},
    {SH "cat >/etc/x\n", "line 2: cat that does not write"},
    {SH "cat >>/etc/x <<E\nE\n", "line 2: cat with redirections that are not known"},
    {SH "cat >/etc/x <<E\n$1\nE\n", "line 2: cat that does not write a plain text"},
    {SH "cat >x <<E\nE\n", "line 2: cat that does not write a plain text to a plain path"},
    {SH "cat >/there/x <<E\nE\n", "line 2: /there/x would be written anew"},
    {SH "cat >/absent/x <<E\nE\n", "line 2: there is no /absent"},
    {SH "cat >/etc/x <<E\nE\ncat >/etc/x <<E\nE\n", "line 4: /etc/x would be written anew"},
    {SH "update-alternatives --config x\n", "line 2: update-alternatives --config in a form"},
    {SH "update-alternatives --install /x x /y\n", "line 2: update-alternatives --install in a"},
    {SH "update-alternatives --install /x x /y 1 --slave /a b\n",
     "line 2: update-alternatives --install in a form"},
    {SH "update-alternatives --install /x ../x /y 1\n", "line 2: update-alternatives --install"},
    {SH "update-alternatives --install x x /y 1\n", "line 2: update-alternatives --install"},
    {SH "update-alternatives --install /x x /y z\n", "line 2: update-alternatives --install"},
    {SH "update-alternatives --root / --install /x x /y 1\n", "line 2: update-alternatives --root"},
    {SH "update-alternatives\n", "line 2: update-alternatives  in a form that is not known"},
    {SH "dpkg-maintscript-helper finish x\n", "line 2: dpkg-maintscript-helper in a form"},
    {SH "dpkg-maintscript-helper symlink_to_dir /there x 1 -- \"$@\"\n",
     "line 2: /there.dpkg-backup is there"},
    {SH "dpkg -i x\n", "line 2: dpkg in a form that is not known"},
    {SH "dpkg --compare-versions 1 lt 2\n", "line 2: dpkg in a form that is not known"},
    {SH "dpkg --compare-versions \"$2\" like 2\n", "line 2: dpkg --compare-versions with like"},
    {SH "f() { f; }\nf\n", "line 2: functions that call each other too deeply"},
    {SH "f() { true; }\nf >/etc/x\n", "line 3: a redirection of the function f"},
    /* What is no script. */
    {SH "if true; then\n", "line 3: 'fi' is expected"},
    {SH "if true; fi\n", "line 2: 'then' is expected"},
    {SH "fi\n", "line 2: 'f' is not expected here"},
    {SH "true;; true\n", "line 2: ';' is not expected here"},
    {SH ")\n", "line 2: ')' is not expected here"},
    {SH "case x in a ;; esac\n", "line 2: ')' is expected behind the pattern"},
    {SH "case x in a) true\n", "line 3: ';;' is expected"},
    {SH "echo 'x\n\n", "line 4: a quote without its other"},
    {SH "echo \"x\n", "line 3: a quote without its other"},
    {SH "echo `x\n", "line 3: a backquote without its other"},
    {SH "echo $(x\n", "line 3: a $( without its )"},
    {SH "echo ${x\n", "line 2: an expansion that is not known"},
    {SH "echo \\", "line 2: a backslash at the end"},
    {SH "cat <<E\nx\n", "line 4: a here-document without its end, E"},
    {SH "cat <<E", "line 2: a here-document without its text"},
    {SH "cat <<$x\n", "line 2: the end of a here-document must be a plain word"},
    {SH "true && \n", "line 3: a command is expected"},
    {SH "true > \n", "line 2: a word is expected"},
    {SH "| true\n", "line 2: a command is expected"},
    {SH "f( x\n", "line 2: ')' is expected"},
};

static void others_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct script_actions actions AUTO_ACTIONS = {0};
        struct error err = ERROR_INIT;
        if (judge(bad[i].text, &actions, &err) != 0)
            fail_msg("%s: not refused", bad[i].text);
        if (strncmp(err.text, bad[i].why, strlen(bad[i].why)) != 0)
            fail_msg("%s: '%s'", bad[i].text, err.text);
        assert_int_equal(actions.count, 0);
    }
}

/* What was there before a refused script stays. */
static void a_refused_script_leaves_nothing(void **state)
{
    (void)state;
    struct script_actions actions AUTO_ACTIONS = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(judge(SH "ldconfig\n", &actions, &err), 1);
    assert_int_equal(judge(SH "cat >/etc/x <<E\nE\nldconfig\nrm x\n", &actions, &err), 0);
    assert_int_equal(actions.count, 1);
}

static void a_disk_that_fails_is_an_error(void **state)
{
    (void)state;
    struct script_actions actions AUTO_ACTIONS = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(judge(SH "[ -e /broken ]\n", &actions, &err), -1);
    assert_string_equal(err.text, "the disk is gone");
}

/* Depth and length have their bounds. */
static void huge_scripts_are_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {"if ",           "{ ", "$(", "f() ", "true && ",
                                         "case x in x) ", "( ", "! ", "\"$(", "while "};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct script_actions actions AUTO_ACTIONS = {0};
        struct error err = ERROR_INIT;
        struct buffer text AUTO_BUFFER = buffer_heap();
        buffer_puts(&text, SH);
        while (text.len < 60000)
            buffer_puts(&text, pieces[i]);
        assert_int_equal(judge(text.data, &actions, &err), 0);
        while (text.len < 70000)
            buffer_puts(&text, "\n");
        assert_int_equal(judge(text.data, &actions, &err), 0);
        if (!strstr(err.text, "not a script of at most"))
            fail_msg("%s", err.text);
    }
}

/* None is read past its end. */
static void every_cut_is_read(void **state)
{
    (void)state;
    static const char *const args[] = {"configure", ""};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        for (size_t len = 0; len <= strlen(good[i].text); len++) {
            struct script_actions actions AUTO_ACTIONS = {0};
            struct error err = ERROR_INIT;
            char *cut = malloc(len ? len : 1);
            memcpy(cut, good[i].text, len);
            int result = script_judge(cut, len, args, 2, &tested, &actions, &err);
            assert_true(result == 1 || (result == 0 && actions.count == 0 && *err.text));
            free(cut);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless_scripts_are_followed),
        cmocka_unit_test(a_real_shell_does_the_same),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(a_refused_script_leaves_nothing),
        cmocka_unit_test(a_disk_that_fails_is_an_error),
        cmocka_unit_test(huge_scripts_are_refused),
        cmocka_unit_test(every_cut_is_read),
    };
    return cmocka_run_group_tests(tests, deb_setup, deb_teardown);
}
