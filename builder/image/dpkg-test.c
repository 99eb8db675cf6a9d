#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/dpkg.h"

static const char STATUS[] = "Package: dpkg\n"
                             "Status: install ok installed\n"
                             "Architecture: amd64\n"
                             "Description: package manager\n"
                             " Package: socat\n"
                             " Status: install ok installed\n"
                             "\n"
                             "\n"
                             "Package: conntrack\n"
                             "Architecture: amd64\n"
                             "Status: hold ok installed\n"
                             "\n"
                             "Package: ipset\n"
                             "Status: deinstall ok config-files\n"
                             "Architecture: amd64\n"
                             "\n"
                             "Package: nginx-light\n"
                             "Status: install reinstreq half-installed\n"
                             "\n"
                             "package:iptables\t\r\n"
                             "STATUS:   install ok installed \n"
                             "Architecture: amd64";

static bool installed(const char *package)
{
    return dpkg_installed(STATUS, sizeof STATUS - 1, package);
}

static void installed_packages_are_found(void **state)
{
    (void)state;
    assert_true(installed("dpkg"));
    assert_true(installed("conntrack"));
    assert_true(installed("iptables"));
}

static void others_are_not(void **state)
{
    (void)state;
    assert_false(installed("socat")); /* stands in a description only */
    assert_false(installed("ipset"));
    assert_false(installed("nginx-light"));
    assert_false(installed("nginx"));
    assert_false(installed("dpk"));
    assert_false(installed("dpkg2"));
    assert_false(installed(""));
    assert_false(dpkg_installed("", 0, "dpkg"));
    assert_false(dpkg_installed(NULL, 0, "dpkg"));
    assert_false(dpkg_installed("\n\n\n", 3, "dpkg"));
    assert_false(dpkg_installed("Package: dpkg\n", 14, "dpkg"));
}

/* Each cut of the file is a file that a broken disk may hold; none may be read past its end. */
static void every_cut_is_read(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof STATUS; len++) {
        char *cut = malloc(len ? len : 1);
        memcpy(cut, STATUS, len);
        struct buffer architecture AUTO_BUFFER = buffer_heap();
        dpkg_installed(cut, len, "iptables");
        dpkg_architecture(cut, len, &architecture);
        free(cut);
    }
}

static void missing_ones_are_listed(void **state)
{
    (void)state;
    static const char *const wanted[] = {"socat", "conntrack", "ipset", "iptables"};
    struct buffer names AUTO_BUFFER = buffer_heap();
    assert_int_equal(dpkg_missing(STATUS, sizeof STATUS - 1, wanted, 4, &names), 2);
    assert_string_equal(names.data, "socat, ipset");
    buffer_clear(&names);
    assert_int_equal(dpkg_missing(STATUS, sizeof STATUS - 1, wanted + 1, 1, &names), 0);
    assert_string_equal(names.data, "");
}

static void architecture_is_dpkgs_own(void **state)
{
    (void)state;
    struct buffer architecture AUTO_BUFFER = buffer_heap();
    assert_true(dpkg_architecture(STATUS, sizeof STATUS - 1, &architecture));
    assert_string_equal(architecture.data, "amd64");
    static const char other[] =
        "Package: bash\nStatus: install ok installed\nArchitecture: arm64\n";
    assert_false(dpkg_architecture(other, sizeof other - 1, &architecture));
}

/* Fields of a stanza, with their further lines; what is no field is passed over. */
static void fields_are_read(void **state)
{
    (void)state;
    static const char text[] = "\n\nPackage: a\nno field\nDepends: b,\n c\n\td\nEmpty:\n"
                               "depends: e\n\nPackage: z\n";
    struct dpkg_text rest = {text, sizeof text - 1}, stanza, name, value;
    assert_true(dpkg_next(&rest, &stanza));
    assert_true(dpkg_text_is(dpkg_field(stanza, "Package"), "a"));
    assert_true(dpkg_text_is(dpkg_field(stanza, "DEPENDS"), "e")); /* the last one */
    assert_true(dpkg_text_is(dpkg_field(stanza, "Empty"), ""));
    assert_true(dpkg_text_is(dpkg_field(stanza, "Absent"), ""));
    static const char *const fields[] = {"Package", "a", "Depends", "b,\n c\n\td",
                                         "Empty",   "",  "depends", "e"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i += 2) {
        assert_true(dpkg_next_field(&stanza, &name, &value));
        assert_true(dpkg_text_is(name, fields[i]));
        assert_true(dpkg_text_is(value, fields[i + 1]));
    }
    assert_false(dpkg_next_field(&stanza, &name, &value));
    assert_true(dpkg_next(&rest, &stanza));
    assert_true(dpkg_text_is(stanza, "Package: z"));
    assert_false(dpkg_next(&rest, &stanza));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installed_packages_are_found),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(every_cut_is_read),
        cmocka_unit_test(missing_ones_are_listed),
        cmocka_unit_test(architecture_is_dpkgs_own),
        cmocka_unit_test(fields_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
