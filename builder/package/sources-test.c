#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/package/sources.h"

static int read_text(const char *file, const char *text, struct sources *out, struct error *err)
{
    *err = (struct error)ERROR_INIT;
    return sources_read(file, (struct dpkg_text){text, strlen(text)}, "amd64", out, err);
}

static void read_well(const char *file, const char *text, struct sources *out)
{
    struct error err;
    if (read_text(file, text, out, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_texts(const struct texts *texts, const char *expected)
{
    struct buffer all AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(&all, "%s%s", i ? " " : "", texts->items[i]);
    assert_string_equal(all.len ? all.data : "", expected);
}

static void one_line_format(void **state)
{
    (void)state;
    struct sources s AUTO_SOURCES = {0};
    read_well("/etc/apt/sources.list",
              "# deb cdrom:[Debian 12]/ bookworm main\n"
              "deb http://deb.debian.org/debian bookworm main contrib # ours\n"
              "deb-src http://deb.debian.org/debian bookworm main\n\n"
              "deb\t[ arch=amd64,arm64 signed-by=/usr/share/keyrings/a.gpg,/etc/b.asc trusted=yes "
              "check-valid-until=no ]  https://x.example/apt ./\n"
              "deb [arch=arm64] http://y.example z main\n"
              "deb [arch-=amd64] http://y.example z main\r\n",
              &s);
    assert_int_equal(s.count, 2);
    assert_texts(&s.items[0].uris, "http://deb.debian.org/debian");
    assert_texts(&s.items[0].suites, "bookworm");
    assert_texts(&s.items[0].components, "main contrib");
    assert_texts(&s.items[0].keys, "");
    assert_null(s.items[0].check_valid_until);
    assert_string_equal(s.items[0].file, "/etc/apt/sources.list");
    assert_texts(&s.items[1].uris, "https://x.example/apt");
    assert_texts(&s.items[1].suites, "./");
    assert_texts(&s.items[1].components, "");
    assert_texts(&s.items[1].keys, "/usr/share/keyrings/a.gpg /etc/b.asc");
    assert_string_equal(s.items[1].check_valid_until, "no");
}

static void deb822_format(void **state)
{
    (void)state;
    struct sources s AUTO_SOURCES = {0};
    read_well("/etc/apt/sources.list.d/a.sources",
              "# a comment\nTypes: deb deb-src\nURIs: http://a.example/x\n http://b.example\n"
              "Suites: one two\n# in between\n three\nComponents: main\nTrusted: yes\n"
              "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n"
              "Types: deb\nEnabled: no\nURIs: http://c.example\nSuites: one\nComponents: main\n\n"
              "Types: deb-src\nURIs: http://c.example\nSuites: one\nComponents: main\n\n"
              "types: deb\nuris: http://d.example\nsuites: $(ARCH)/\narchitectures: amd64\n"
              "signed-by: /usr/share/keyrings/d.gpg\n",
              &s);
    assert_int_equal(s.count, 2);
    assert_texts(&s.items[0].uris, "http://a.example/x http://b.example");
    assert_texts(&s.items[0].suites, "one two three");
    assert_texts(&s.items[0].components, "main");
    assert_string_equal(s.items[0].key_block, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc");
    assert_texts(&s.items[0].keys, "");
    assert_texts(&s.items[1].suites, "$(ARCH)/");
    assert_texts(&s.items[1].keys, "/usr/share/keyrings/d.gpg");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text, *says;
    } cases[] = {
        {"a.list", "\ndeb http://a.example\n", "a.list:2: a repository has"},
        {"a.list", "deb http://a.example stable\n", "a.list:1: a repository has"},
        {"a.list", "deb http://a.example stable/ main\n", "a.list:1: a repository has"},
        {"a.list", "deb [arch=amd64 http://a.example stable main\n", "a.list:1: '[' without"},
        {"a.sources", "\n#\nTypes: deb\nSuites: a\nComponents: main\n", "a.sources:2: a repos"},
        {"a.sources", "Types: deb\nURIs: http://a.example\nSuites: a/ b\n", "a.sources:1: a repo"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sources s AUTO_SOURCES = {0};
        struct error err;
        assert_int_equal(read_text(cases[i].file, cases[i].text, &s, &err), -1);
        if (strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("'%s' is not '%s'", err.text, cases[i].says);
    }
}

static void bytes_and_numbers(void **state)
{
    (void)state;
    struct sources s AUTO_SOURCES = {0};
    struct error err = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    assert_int_equal(sources_read("a.list", (struct dpkg_text){"deb\0x", 5}, "amd64", &s, &err),
                     -1);
    for (int i = 0; i < SOURCES_MAX; i++)
        buffer_puts(&text, "deb http://a.example ./\n");
    read_well("a.list", text.data, &s);
    assert_int_equal(s.count, SOURCES_MAX);
    assert_int_equal(read_text("a.list", "deb http://a.example ./\n", &s, &err), -1);
    struct sources none AUTO_SOURCES = {0};
    read_well("a.list", "", &none);
    read_well("a.sources", "\n\n#x\n", &none);
    assert_int_equal(none.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_format),
        cmocka_unit_test(deb822_format),
        cmocka_unit_test(refused),
        cmocka_unit_test(bytes_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
