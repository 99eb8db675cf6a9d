/* ldconfig itself judges: the cache of this machine, and libraries made by gcc. */
#include "builder/package/root-fixture.h"

#include "builder/package/ldcache.h"
#include "builder/package/soname.h"

/* What ldconfig reads in a cache. */
static char *printed(const char *path)
{
    struct error err = ERROR_INIT;
    const char *const argv[] = {"/sbin/ldconfig", "-p", "-C", path, NULL};
    struct buffer out = buffer_heap();
    struct process ldconfig = {.argv = argv, .out = &out};
    if (process_run(&ldconfig, NULL, &err) < 0)
        fail_msg("%s", err.text);
    char *rest = heap_copy(strchr(out.data, '\n') + 1);
    buffer_free(&out);
    return rest;
}

static void write_cache(const struct ldcache *cache, const char *path)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    ldcache_format(cache, &out);
    put_bytes(path, out.data, out.len, 0644);
}

static void a_cache_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct buffer bytes AUTO_BUFFER = get_file("/etc/ld.so.cache");
    struct ldcache cache AUTO_LDCACHE = {0};
    assert_true(ldcache_parse(bytes.data, bytes.len, &cache));
    assert_true(cache.count > 20);
    write_cache(&cache, "same");
    char *theirs AUTO_FREE = printed("/etc/ld.so.cache"), *ours AUTO_FREE = printed("same");
    assert_string_equal(ours, theirs);
}

static void libraries_are_put_where_they_belong(void **state)
{
    (void)state;
    struct buffer bytes AUTO_BUFFER = get_file("/etc/ld.so.cache");
    struct ldcache cache AUTO_LDCACHE = {0}, rebuilt AUTO_LDCACHE = {0};
    assert_true(ldcache_parse(bytes.data, bytes.len, &cache));
    for (size_t i = 0; i < cache.count; i++) /* in another order */
        ldcache_add(&rebuilt, cache.items[(i * 7 + 3) % cache.count].name,
                    cache.items[(i * 7 + 3) % cache.count].path);
    for (size_t i = 0; i < cache.count; i++)
        ldcache_add(&rebuilt, cache.items[i].name, cache.items[i].path);
    for (size_t i = 1; i < rebuilt.count; i++)
        if (strcmp(rebuilt.items[i].name, cache.items[i].name) != 0)
            fail_msg("%s stands where ldconfig has %s", rebuilt.items[i].name, cache.items[i].name);
    assert_int_equal(rebuilt.count, cache.count);
}

/* A library of this soname ("" for none), and its further names. */
static void make_library(const char *path, const char *soname)
{
    char *option AUTO_FREE = heap_printf("-Wl,-soname,%s", soname);
    put_file("empty.c", "int nothing_at_all;\n", 0644);
    RUN("mkdir", "-p", "pkg/usr/lib/x86_64-linux-gnu");
    RUN("gcc", "-shared", "-nostdlib", "-o", path, *soname ? option : "-shared", "empty.c");
}

static void sonames_are_read(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char *name AUTO_FREE = NULL;
    make_library("lib.so", "libx.so.3");
    assert_int_equal(soname_read("lib.so", &name, &err), 1);
    assert_string_equal(name, "libx.so.3");
    struct buffer whole AUTO_BUFFER = get_file("lib.so");
    for (size_t len = 0; len < whole.len; len += 97) {
        char *cut AUTO_FREE = NULL;
        put_bytes("cut.so", whole.data, len, 0644);
        int result = soname_read("cut.so", &cut, &err);
        assert_true(result == 0 || (result == 1 && strncmp(cut, "libx.so.3", strlen(cut)) == 0));
    }
    char *none AUTO_FREE = NULL;
    make_library("bare.so", "");
    assert_int_equal(soname_read("bare.so", &none, &err), 0);
    put_file("text.so", "INPUT(libc.so.6)\n", 0644);
    assert_int_equal(soname_read("text.so", &none, &err), 0);
    assert_int_equal(soname_read("absent.so", &none, &err), -1);
    RUN("rm", "-rf", "pkg");
}

static void a_package_gets_into_the_cache(void **state)
{
    (void)state;
    static const char own[] = "root/etc/ld.so.cache";
    struct buffer bytes AUTO_BUFFER = get_file("/etc/ld.so.cache");
    put_bytes(own, bytes.data, bytes.len, 0644);
    put_file("root/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n", 0644);
    put_file("root/etc/ld.so.conf.d/x.conf", "# x\n/usr/local/lib\n/opt/lib # y\n", 0644);
    put_file("root/var/lib/dpkg/triggers/ldconfig", "libc-bin\n", 0644);
    make_library("pkg/usr/lib/x86_64-linux-gnu/libnbtest.so.3.1", "libnbtest.so.3");
    RUN("ln", "-s", "libnbtest.so.3.1", "pkg/usr/lib/x86_64-linux-gnu/libnbtest.so.3");
    RUN("ln", "-s", "libnbtest.so.3", "pkg/usr/lib/x86_64-linux-gnu/libnbtest.so");
    RUN("mkdir", "-p", "pkg/usr/lib/x86_64-linux-gnu/plugins");
    make_library("pkg/usr/lib/x86_64-linux-gnu/plugins/libplugin.so", "libplugin.so");
    put_file("pkg/DEBIAN/triggers", "activate-noawait ldconfig\n", 0644);
    make_package("libnbtest3", "");
    install_root(NAMES("libnbtest3"));
    char *all AUTO_FREE = printed(own), *before AUTO_FREE = printed("/etc/ld.so.cache");
    assert_non_null(strstr(all, "\tlibnbtest.so.3 (libc6,x86-64) => "
                                "/lib/x86_64-linux-gnu/libnbtest.so.3\n"));
    assert_non_null(strstr(all, "\tlibnbtest.so (libc6,x86-64) => "
                                "/lib/x86_64-linux-gnu/libnbtest.so\n"));
    assert_null(strstr(all, "libplugin"));
    assert_int_equal(strlen(all) - strlen(before),
                     strlen("\tlibnbtest.so.3 (libc6,x86-64) => /lib/x86_64-linux-gnu/"
                            "libnbtest.so.3\n") *
                             2 -
                         4);
}

static void what_ldconfig_does_else_is_for_the_guest(void **state)
{
    (void)state;
    put_file("pkg/DEBIAN/triggers", "activate-noawait ldconfig\n", 0644);
    make_library("pkg/usr/lib/x86_64-linux-gnu/libalone.so.1.0", "libalone.so.1");
    make_package("alone", "");
    refuse_root("alone", "libalone.so.1.0 comes without /usr/lib/x86_64-linux-gnu/libalone.so.1");
    put_file("pkg/DEBIAN/triggers", "activate-noawait ldconfig\n", 0644);
    put_file("pkg/opt/lib/libx.so.1", "x", 0644);
    make_package("elsewhere", "");
    refuse_root("elsewhere", "/opt/lib/libx.so.1 is for ldconfig itself");
    put_file("pkg/DEBIAN/triggers", "activate-noawait ldconfig\n", 0644);
    put_file("pkg/etc/ld.so.conf.d/y.conf", "/opt/y\n", 0644);
    make_package("conf", "");
    refuse_root("conf", "/etc/ld.so.conf.d/y.conf is for ldconfig itself");
    put_file("pkg/DEBIAN/triggers", "activate-noawait ldconfig\n", 0644);
    put_file("pkg/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.1", "x", 0644);
    make_package("hwcaps", "");
    refuse_root("hwcaps", "glibc-hwcaps/x86-64-v3 is for ldconfig itself");
    put_file("root/etc/ld.so.cache", "ld.so-1.7.0 and more", 0644);
    put_file("pkg/DEBIAN/postinst", "#!/bin/sh\nldconfig\n", 0755);
    put_file("pkg/usr/lib/libz1.so.1", "x", 0644);
    make_package("oldcache", "");
    refuse_root("oldcache", "/etc/ld.so.cache of the base has a form that is not known");
}

/* A damaged cache is not known; none is read past its end. */
static void damaged_caches_are_not_read(void **state)
{
    (void)state;
    struct ldcache cache AUTO_LDCACHE = {.generator = heap_copy("ldconfig of the tests")};
    struct buffer out AUTO_BUFFER = buffer_heap();
    ldcache_add(&cache, "liba.so.1", "/lib/liba.so.1");
    ldcache_add(&cache, "libb.so.1", "/lib/other-name");
    ldcache_format(&cache, &out);
    for (size_t len = 0; len < out.len; len++) {
        struct ldcache cut AUTO_LDCACHE = {0};
        char *bytes = malloc(len ? len : 1);
        memcpy(bytes, out.data, len);
        assert_false(ldcache_parse(bytes, len, &cut));
        free(bytes);
    }
    for (size_t i = 0; i < out.len; i++) {
        struct ldcache odd AUTO_LDCACHE = {0};
        out.data[i] ^= (char)0xff;
        if (ldcache_parse(out.data, out.len, &odd)) {
            struct buffer again AUTO_BUFFER = buffer_heap();
            ldcache_format(&odd, &again);
        }
        out.data[i] ^= (char)0xff;
    }
    struct ldcache same AUTO_LDCACHE = {0};
    assert_true(ldcache_parse(out.data, out.len, &same));
    assert_string_equal(same.generator, "ldconfig of the tests");
    assert_string_equal(same.items[0].name, "libb.so.1");
    assert_string_equal(same.items[0].path, "/lib/other-name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cache_comes_out_as_it_went_in),
        cmocka_unit_test(libraries_are_put_where_they_belong),
        cmocka_unit_test(sonames_are_read),
        cmocka_unit_test(a_package_gets_into_the_cache),
        cmocka_unit_test(what_ldconfig_does_else_is_for_the_guest),
        cmocka_unit_test(damaged_caches_are_not_read),
    };
    return cmocka_run_group_tests(tests, root_setup, deb_teardown);
}
