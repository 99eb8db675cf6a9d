#include "builder/package/deb-fixture.h"

#include "builder/package/choose.h"
#include "builder/package/world.h"

#define INSTALLED(name, version, fields)                                                           \
    "Package: " name "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " version      \
    "\n" fields "\n"

/* The base of the tests. */
static const char STATUS[] =
    INSTALLED("dpkg", "1.21", "") INSTALLED("libc6", "2.36-9", "Multi-Arch: same\n")
        INSTALLED("python3", "3.11", "Multi-Arch: allowed\n")
            INSTALLED("mta", "4.9", "Provides: mail-agent, versioned-agent (= 2.0)\n")
                INSTALLED("fussy", "1.0", "Breaks: loud (<< 2.0)\nDepends: gone\n")
                    INSTALLED("old", "1.0", "") "Package: left\nStatus: deinstall ok config-files\n"
                                                "Architecture: amd64\nVersion: 1.0\n\n"
                                                "Package: other\nStatus: install ok installed\n"
                                                "Architecture: i386\nVersion: 1.0\n";

/* A file of the folder: name, version, further fields. */
struct offer {
    const char *name, *version, *fields;
};

enum { OFFERS_MAX = 6 };

static void fill_folder(const struct offer *offers, struct deb_set *set)
{
    struct error err = ERROR_INIT;
    assert_int_equal(mkdir("debs", 0700), 0);
    for (size_t i = 0; i < OFFERS_MAX && offers[i].name; i++) {
        char *path AUTO_FREE = heap_printf("debs/%zu.deb", i);
        make_deb(path, offers[i].name, offers[i].version, offers[i].fields);
    }
    if (debs_scan("debs", "amd64", NULL, set, &err) < 0)
        fail_msg("%s", err.text);
    remove_tree("debs");
}

static int choose(const struct offer *offers, const char *wanted, char **text, struct error *err)
{
    struct deb_set set AUTO_DEBS = {0};
    struct choices choices AUTO_CHOICES = {0};
    struct buffer out = buffer_heap();
    fill_folder(offers, &set);
    int result = choose_debs((struct dpkg_text){STATUS, sizeof STATUS - 1}, "amd64", &set, &wanted,
                             1, &choices, err);
    for (size_t i = 0; i < choices.count; i++)
        buffer_printf(&out, "%s%s=%s%s%s", i ? " " : "", choices.items[i].deb->name,
                      choices.items[i].deb->version, choices.items[i].wanted ? "" : " needed",
                      choices.items[i].upgrade ? " upgrade" : "");
    *text = out.data;
    return result;
}

/* What is wanted and offered, and what is chosen: or, with a "!", how that is refused. */
static const struct {
    const char *wanted;
    struct offer offers[OFFERS_MAX];
    const char *chosen;
} cases[] = {
    {"dpkg", {{NULL, NULL, NULL}}, ""},
    {"dpkg", {{"dpkg", "9.0", ""}}, ""}, /* what is there stays */
    {"aa", {{"aa", "1", ""}, {"bb", "1", ""}}, "aa=1"},
    {"aa", {{"aa", "1", ""}, {"aa", "1:0.1", ""}, {"aa", "2", ""}}, "aa=1:0.1"},
    {"aa", {{"aa", "1.0~rc1", ""}, {"aa", "1.0", ""}, {"aa", "1.0~~", ""}}, "aa=1.0"},
    {"aa", {{"aa", "1", "Depends: libc6 (>= 2.34), bb\n"}, {"bb", "1", ""}}, "bb=1 needed aa=1"},
    {"aa",
     {{"aa", "1", "Pre-Depends: bb\n"}, {"bb", "1", "Depends: cc\n"}, {"cc", "1", ""}},
     "cc=1 needed bb=1 needed aa=1"},
    {"aa", {{"aa", "1", "Depends: gone | bb\n"}, {"bb", "1", ""}}, "bb=1 needed aa=1"},
    {"aa", {{"aa", "1", "Depends: libc6 | bb\n"}, {"bb", "1", ""}}, "aa=1"},
    {"aa", {{"aa", "1", "Depends: mail-agent\n"}}, "aa=1"},
    {"aa", {{"aa", "1", "Depends: versioned-agent (>= 2)\n"}}, "aa=1"},
    {"aa",
     {{"aa", "1", "Depends: mail-agent (>= 2)\n"}},
     "!neither the base nor debs has mail-agent"},
    {"aa",
     {{"aa", "1", "Depends: virtual (= 3)\n"}, {"bb", "1", "Provides: virtual (= 3)\n"}},
     "bb=1 needed aa=1"},
    {"aa", {{"aa", "1", "Depends: python3:any (>= 3)\n"}}, "aa=1"},
    {"aa", {{"aa", "1", "Depends: libc6:any\n"}}, "!neither the base nor debs has libc6:any"},
    {"aa", {{"aa", "1", "Depends: libc6:amd64 (>> 2.36-8)\n"}}, "aa=1"},
    {"aa", {{"aa", "1", "Depends: libc6:i386\n"}}, "!neither the base nor debs has libc6:i386"},
    {"aa", {{"aa", "1", "Depends: other\n"}}, "!neither the base nor debs has other"},
    {"aa", {{"aa", "1", "Depends: left\n"}}, "!neither the base nor debs has left"},
    {"aa", {{"aa", "1", "Recommends: bb\nSuggests: cc\n"}, {"bb", "1", ""}}, "aa=1"},
    {"aa",
     {{"aa", "1", "Depends: old (>= 2)\n"}, {"old", "2.0", ""}},
     "old=2.0 needed upgrade aa=1"},
    {"aa",
     {{"aa", "1", "Depends: old (<< 1)\n"}, {"old", "0.9", ""}},
     "!the packages of debs do not"},
    {"aa", {{"aa", "1", "Conflicts: mail-agent\n"}}, "!the packages of debs do not go together"},
    {"aa", {{"aa", "1", "Breaks: old (<< 2)\n"}}, "!the packages of debs do not go together"},
    {"aa", {{"aa", "1", "Breaks: old (<< 1)\n"}}, "aa=1"},
    {"aa", {{"aa", "1", "Conflicts: virtual\nProvides: virtual\n"}}, "aa=1"},
    {"loud", {{"loud", "1.0", ""}}, "!the packages of debs do not go together"},
    {"loud", {{"loud", "2.0", ""}}, "loud=2.0"},
    {"aa", {{"aa", "1", "Depends: bb\n"}, {"bb", "1", "Depends: aa\n"}}, "aa=1 bb=1 needed"},
    {"aa",
     {{NULL, NULL, NULL}},
     "!neither the base nor debs has aa: put the .deb of each into that"},
    {"aa", {{"bb", "1", "Provides: aa\n"}}, "!neither the base nor debs has aa:"},
    {"aa",
     {{"aa", "1", "Depends: xx, bb (>= 2)\n"}, {"bb", "1", ""}, {"xx", "1", "Depends: yy | zz\n"}},
     "!neither the base nor debs has bb >= 2 (needed by aa), yy | zz (needed by xx): put the"},
    {"aa",
     {{"aa", "1", "Depends: (xx)\n"}},
     "!debs/0.deb: aa: Depends: '(xx)' is no list of packages"},
    {"aa", {{"aa", "1", "Depends: xx (1)\n"}}, "!debs/0.deb: aa: Depends: 'xx (1)' is no list"},
    {"aa", {{"aa", "1", "Depends: xx (>= 1\n"}}, "!debs/0.deb: aa: Depends: 'xx (>= 1' is no list"},
    {"aa", {{"aa", "1", "Provides: xx yy\n"}}, "!debs/0.deb: aa: Provides: 'xx yy' is no list"},
    {"aa", {{"aa", "1", "Depends: xx,,yy\n"}}, "!debs/0.deb: aa: Depends: 'xx,,yy' is no list"},
};

static void packages_are_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = ERROR_INIT;
        char *text AUTO_FREE = NULL;
        int result = choose(cases[i].offers, cases[i].wanted, &text, &err);
        const char *expected = cases[i].chosen;
        bool refused = *expected == '!';
        if ((result < 0) != refused)
            fail_msg("case %zu (%s): %s", i, expected, result < 0 ? err.text : text);
        if (refused ? strncmp(err.text, expected + 1, strlen(expected + 1)) != 0
                    : strcmp(text, expected) != 0)
            fail_msg("case %zu (%s): %s", i, expected, result < 0 ? err.text : text);
    }
}

static void other_machines_are_passed_over(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct deb_set set AUTO_DEBS = {0};
    assert_int_equal(mkdir("debs", 0700), 0);
    static const char *const architectures[] = {"all", "amd64", "arm64", "i386"};
    for (size_t i = 0; i < 4; i++) {
        char *control AUTO_FREE =
            heap_printf("Package: aa%zu\nVersion: 1\nArchitecture: %s\nMaintainer: a <a@b>\n"
                        "Description: test\n",
                        i, architectures[i]);
        char *path AUTO_FREE = heap_printf("debs/%zu.deb", i);
        put_file("pkg/DEBIAN/control", control, 0644);
        build_deb(path, "none");
    }
    put_file("debs/README", "no package", 0644);
    put_file("debs/.hidden.deb", "no package", 0644);
    assert_int_equal(debs_scan("debs", "amd64", NULL, &set, &err), 0);
    assert_int_equal(set.count, 2);
    assert_string_equal(set.items[0]->name, "aa0");
    assert_string_equal(set.items[1]->name, "aa1");
    debs_free(&set);
    put_file("debs/broken.deb", "no package", 0644);
    assert_int_equal(debs_scan("debs", "amd64", NULL, &set, &err), -1);
    assert_says(&err, "debs/broken.deb: ");
    remove_tree("debs");
    assert_int_equal(debs_scan("debs", "amd64", NULL, &set, &err), -1);
    assert_says(&err, "folder of packages debs: No such file");
}

static const char *const versions[] = {
    "0",       "0~",     "1",       "1.0",      "1.0-1",  "1.0-1~bpo12+1", "1.0-1+b1", "1.0-1.1",
    "1.0~rc1", "1.0~~",  "1.0a",    "1.0+dfsg", "1.0.1",  "1.00",          "1.10",     "1.9",
    "1:0.1",   "0:1.0",  "2:0",     "1.0-0",    "1.0-00", "7.6.q-32",      "7.6.q-4",  "20230311",
    "1.0-a",   "1.0-1a", "1-2-3-4", "1.0+b",    "1.0.",   "010",           "1.0-0~",   "1.0-~",
};

/* dpkg's own order. */
static void versions_compare_as_for_dpkg(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct world world AUTO_WORLD = {0};
    assert_int_equal(world_create("amd64", &world, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        for (size_t k = i; k < ARRAY_LEN(versions); k += 1 + (k - i) / 2) {
            int order = world_compare(&world, versions[i], versions[k]), status;
            const char *sign = order < 0 ? "lt" : order > 0 ? "gt" : "eq";
            const char *const argv[] = {"dpkg", "--compare-versions", versions[i],
                                        sign,   versions[k],          NULL};
            struct process dpkg = {.argv = argv};
            assert_int_equal(process_run(&dpkg, &status, &err), 0);
            if (status)
                fail_msg("%s is not %s %s for dpkg", versions[i], sign, versions[k]);
            assert_int_equal(world_compare(&world, versions[k], versions[i]), -order);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_are_chosen),
        cmocka_unit_test(other_machines_are_passed_over),
        cmocka_unit_test(versions_compare_as_for_dpkg),
    };
    return cmocka_run_group_tests(tests, deb_setup, deb_teardown);
}
