#include "builder/package/root-fixture.h"

#define SH "#!/bin/sh\nset -e\n"

static void a_package_is_installed(void **state)
{
    (void)state;
    put_file("pkg/usr/bin/tool", "#!/bin/sh\n", 0755);
    put_file("pkg/lib/new/data", "data", 0640);
    put_file("pkg/etc/tool.conf", "x=1\n", 0644);
    RUN("ln", "-s", "tool", "pkg/usr/bin/link");
    RUN("ln", "pkg/usr/bin/tool", "pkg/usr/bin/twin");
    put_file("pkg/DEBIAN/conffiles", "/etc/tool.conf\n", 0644);
    put_file("pkg/DEBIAN/postinst", SH "[ -e /etc/made ] || cat >/etc/made <<E\ntext\nE\n", 0755);
    put_file("pkg/DEBIAN/postrm", SH "rm -rf /etc/made\n", 0755);
    make_package("tool", "Depends: helper\nHomepage: http://x\nPriority: optional\nSource: src\n");
    put_file("pkg/usr/lib/helper", "h", 0644);
    make_package("helper", "Multi-Arch: same\nSection: libs\n");
    install_root(NAMES("tool", "helper"));
    assert_text("root/usr/bin/link", "#!/bin/sh\n");
    assert_text("root/usr/lib/new/data", "data"); /* /lib is a link */
    assert_text("root/etc/made", "text\n");
    struct stat a, b;
    assert_int_equal(stat("root/usr/bin/tool", &a), 0);
    assert_int_equal(stat("root/usr/bin/twin", &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    assert_int_equal(a.st_mode, S_IFREG | 0755);
    assert_text("root/var/lib/dpkg/info/tool.conffiles", "/etc/tool.conf\n");
    assert_text("root/var/lib/dpkg/info/tool.postrm", SH "rm -rf /etc/made\n");
    assert_text("root/var/lib/dpkg/info/helper:amd64.list",
                "/.\n/usr\n/usr/lib\n/usr/lib/helper\n");
    assert_text("root/var/lib/dpkg/info/helper:amd64.md5sums",
                "2510c39011c5be704182423e3a695e91  usr/lib/helper\n");
    struct buffer sums AUTO_BUFFER = get_file("root/var/lib/dpkg/info/tool.md5sums");
    assert_non_null(strstr(sums.data, "f968f33f844c98de1d3b4fe70f2e1a0f  etc/tool.conf\n"));
    assert_text("root/var/lib/apt/extended_states",
                "Package: helper\nArchitecture: amd64\nAuto-Installed: 1\n\n");
    assert_text(
        "root/var/lib/dpkg/status",
        "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n"
        "Package: helper\nStatus: install ok installed\nSection: libs\n"
        "Maintainer: a <a@b>\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1.0-1\n"
        "Description: test of helper\n long\n\n"
        "Package: left\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0\n\n"
        "Package: tool\nStatus: install ok installed\nPriority: optional\nMaintainer: a <a@b>\n"
        "Architecture: amd64\nSource: src\nVersion: 1.0-1\nDepends: helper\nConffiles:\n"
        " /etc/tool.conf f968f33f844c98de1d3b4fe70f2e1a0f\n"
        "Description: test of tool\n long\nHomepage: http://x\n\n"
        "Package: zlib\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2\n"
        "Description: short\n long\n\n");
}

/* What stands in the way of the next package is put into root/, and taken away again. */
static void what_is_for_dpkg_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file, *control, *text, *why;
    } cases[] = {
        {"left", "usr/x1", NULL, NULL, "a version of it is, or was, installed in the base"},
        {"p1", "usr/lib/there", NULL, NULL, "/usr/lib/there is in the base already"},
        {"p2", "lib/there", NULL, NULL, "/lib/there is in the base already"},
        {"p3", "usr/x", "templates", "Template: x\n", "it brings dpkg a file templates"},
        {"p4", "usr/x", "config", SH, "it brings dpkg a file config"},
        {"p5", "usr/x", "conffiles", "remove-on-upgrade /etc/x\n", "hold more than paths"},
        {"p6", "usr/x", "postinst", SH "adduser x\n", "postinst: line 3: 'adduser' is not known"},
        {"p7", "usr/x", "preinst", SH "rm x\n", "preinst: line 3: 'rm' is not known"},
        {"p8", "usr/x", "preinst", SH "ldconfig\n", "preinst: it does more than to look"},
        {"p9", "usr/x", "triggers", "interest x\n", "its triggers hold 'interest'"},
        {"p10", "usr/x", "triggers", "interest-noawait /usr/x\n", "hold 'interest-noawait'"},
        {"p11", "usr/x", "triggers", "activate strange-thing\n", "it triggers stranger"},
        {"p12", "usr/x", "triggers", "activate /usr/share/x\n", "it activates the trigger /usr"},
        {"p13", "usr/strange/x", NULL, NULL, "it triggers stranger of the base by /usr/strange"},
        {"p14", "usr/away", NULL, NULL, "/usr/away is diverted or overridden"},
        {"p15", "usr/own", NULL, NULL, "/usr/own is diverted or overridden"},
    };
    put_file("root/var/lib/dpkg/triggers/strange-thing", "stranger\n", 0644);
    put_file("root/var/lib/dpkg/triggers/File",
             "/usr/strange stranger/noawait\n/usr/share/man man-db/noawait\n", 0644);
    put_file("root/var/lib/dpkg/diversions", "/usr/away\n/usr/away.real\ndash\n", 0644);
    put_file("root/var/lib/dpkg/statoverride", "root mail 2755 /usr/own\n", 0644);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *file AUTO_FREE = heap_printf("pkg/%s", cases[i].file);
        char *control AUTO_FREE =
            cases[i].control ? heap_printf("pkg/DEBIAN/%s", cases[i].control) : NULL;
        put_file(file, "x", 0644);
        if (control)
            put_file(control, cases[i].text, 0755);
        make_package(cases[i].name, "");
        refuse_root(cases[i].name, cases[i].why);
    }
}

static void what_triggers_nothing_is_not(void **state)
{
    (void)state;
    put_file("root/var/lib/dpkg/triggers/File", "/usr/share/man man-db/noawait\n/usr/stranger x\n",
             0644);
    put_file("root/var/lib/dpkg/triggers/ldconfig", "libc-bin\n", 0644);
    put_file("pkg/usr/share/man/man1/x.1", "x", 0644);
    put_file("pkg/usr/strange", "x", 0644);
    put_file("pkg/DEBIAN/triggers",
             "# a comment\n\nactivate-noawait ldconfig\nactivate nobodys # here\n", 0644);
    make_package("quiet", "");
    install_root(NAMES("quiet"));
}

static void an_upgrade_is_for_dpkg(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    put_file("pkg/usr/up", "x", 0644);
    make_package("wants-new", "Depends: zlib (>= 2)\n");
    make_deb("zlib.deb", "zlib", "2.0", "");
    assert_int_equal(plan_root(NAMES("wants-new", "zlib"), &p, &err), 0);
    assert_string_equal(err.text, "zlib: a version of it is, or was, installed in the base");
}

static void files_of_two_packages_are_for_dpkg(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    put_file("pkg/usr/share/both/file", "x", 0644);
    make_package("first", "Depends: second\n");
    put_file("pkg/usr/share/both/file", "x", 0644);
    make_package("second", "");
    assert_int_equal(plan_root(NAMES("first", "second"), &p, &err), 0);
    assert_string_equal(err.text, "first: /usr/share/both/file is in second already");
}

static void another_format_of_the_database_is_for_dpkg(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    put_file("pkg/usr/share/format", "x", 0644);
    make_package("format", "");
    put_file("root/var/lib/dpkg/info/format", "2\n", 0644);
    struct planned p AUTO_PLANNED = {0};
    assert_int_equal(plan_root(NAMES("format"), &p, &err), 0);
    assert_says(&err, "another format than 1");
    put_file("root/var/lib/dpkg/info/format", "1\n", 0644);
}

static void a_damaged_package_is_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static const struct tar_item items[] = {{.path = "./dev/x", .type = AE_IFBLK}};
    write_deb_of("odd.deb", items, 1);
    struct planned p AUTO_PLANNED = {0};
    assert_int_equal(plan_root(NAMES("odd"), &p, &err), -1);
    assert_says(&err, "/dev/x: is neither a file");
}

/* Names of owners go before their numbers; who is not known there keeps the number. */
static void owners_are_those_of_the_base(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    put_file("pkg/DEBIAN/control",
             "Package: owned\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\n"
             "Description: x\n",
             0644);
    put_file("pkg/usr/www", "x", 02755);
    RUN("dpkg-deb", "--root-owner-group", "-Znone", "--uniform-compression", "-b", "pkg",
        "owned.deb");
    remove_tree("pkg");
    assert_int_equal(plan_root(NAMES("owned"), &p, &err), 1);
    const struct change *change = changes_find(&p.changes, "/usr/www");
    assert_non_null(change);
    assert_int_equal(change->entry.uid, 0);
    assert_int_equal(change->entry.mode, 02755);
    assert_true(change->mtime > ROOT_MTIME);
    assert_null(changes_find(&p.changes, "/usr"));
}

static void a_full_base_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    put_file("pkg/usr/share/room", "x", 0644);
    make_package("room", "");
    assert_int_equal(plan_root(NAMES("room"), &p, &err), 1);
    p.disk.room = 4096;
    assert_int_equal(changes_write(&p.changes, "write", &err), -1);
    assert_says(&err, "the base has no room for its packages: they take ");
    assert_int_equal(access("root/usr/share/room", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_is_installed),
        cmocka_unit_test(what_is_for_dpkg_is_refused),
        cmocka_unit_test(what_triggers_nothing_is_not),
        cmocka_unit_test(an_upgrade_is_for_dpkg),
        cmocka_unit_test(files_of_two_packages_are_for_dpkg),
        cmocka_unit_test(another_format_of_the_database_is_for_dpkg),
        cmocka_unit_test(a_damaged_package_is_an_error),
        cmocka_unit_test(owners_are_those_of_the_base),
        cmocka_unit_test(a_full_base_is_refused),
    };
    return cmocka_run_group_tests(tests, root_setup, deb_teardown);
}
