#include "builder/package/deb-fixture.h"

#include "builder/package/deb.h"

static struct deb *open_deb(const char *path)
{
    struct error err = ERROR_INIT;
    struct deb *deb = NULL;
    if (deb_open(path, NULL, &deb, &err) < 0)
        fail_msg("%s", err.text);
    return deb;
}

static void make_good(const char *compression)
{
    put_file("pkg/DEBIAN/control",
             "Package: good\nVersion: 1:2.0~rc1-3+b1\nArchitecture: amd64\nMulti-Arch: same\n"
             "Maintainer: a <a@b>\nDepends: a,\n b\nDescription: short\n long\n",
             0644);
    put_file("pkg/DEBIAN/postinst", "#!/bin/sh\nexit 0\n", 0755);
    put_file("pkg/usr/bin/tool", "#!/bin/sh\n", 0755);
    put_file("pkg/etc/empty", "", 0640);
    RUN("ln", "-s", "../bin/tool", "pkg/usr/link");
    RUN("ln", "pkg/usr/bin/tool", "pkg/usr/twin");
    RUN("chmod", "2750", "pkg/usr");
    build_deb("good.deb", compression);
}

static const struct deb_item *item_of(const struct deb *deb, const char *path)
{
    for (size_t i = 0; i < deb->item_count; i++)
        if (strcmp(deb->items[i].entry.path, path) == 0)
            return &deb->items[i];
    fail_msg("no %s", path);
    return NULL;
}

static void check_items(struct deb *deb)
{
    struct error err = ERROR_INIT;
    RUN("mkdir", "unpacked");
    if (deb_unpack(deb, "unpacked", "7-", &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(deb->item_count, 7);
    assert_int_equal(item_of(deb, "/usr")->entry.mode, 02750);
    assert_int_equal(item_of(deb, "/usr")->entry.type, ENTRY_DIR);
    assert_string_equal(item_of(deb, "/usr")->user, "root");
    assert_string_equal(item_of(deb, "/usr/link")->entry.target, "../bin/tool");
    assert_string_equal(item_of(deb, "/etc/empty")->md5, "d41d8cd98f00b204e9800998ecf8427e");
    assert_int_equal(item_of(deb, "/etc/empty")->entry.mode, 0640);
    const struct deb_item *a = item_of(deb, "/usr/bin/tool"), *b = item_of(deb, "/usr/twin");
    const struct deb_item *file = a->entry.type == ENTRY_FILE ? a : b, *twin = file == a ? b : a;
    struct buffer text AUTO_BUFFER = get_file(file->entry.host);
    assert_string_equal(text.data, "#!/bin/sh\n");
    assert_int_equal(strncmp(file->entry.host, "unpacked/7-", 11), 0);
    assert_int_equal(twin->entry.type, ENTRY_HARDLINK);
    assert_string_equal(twin->entry.target, file->entry.path);
    assert_string_equal(twin->md5, file->md5);
    remove_tree("unpacked");
}

static void all_compressions_are_read(void **state)
{
    (void)state;
    static const char *const compressions[] = {"none", "gzip", "xz", "zstd"};
    for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
        make_good(compressions[i]);
        struct deb *deb AUTO_DEB = open_deb("good.deb");
        assert_string_equal(deb->name, "good");
        assert_string_equal(deb->version, "1:2.0~rc1-3+b1");
        assert_string_equal(deb->architecture, "amd64");
        assert_string_equal(deb->multi_arch, "same");
        assert_int_equal(strlen(deb->sha256), 64);
        assert_int_equal(deb->control_count, 2);
        assert_int_equal(deb_control(deb, "postinst")->mode, 0755);
        assert_string_equal(deb_control(deb, "postinst")->text, "#!/bin/sh\nexit 0\n");
        assert_null(deb_control(deb, "prerm"));
        assert_true(dpkg_text_is(deb_field(deb, "depends"), "a,\n b"));
        assert_true(dpkg_text_is(deb_field(deb, "Recommends"), ""));
        check_items(deb);
    }
}

static void refuse_open(const char *path, const char *why)
{
    struct error err = ERROR_INIT;
    struct deb *deb = NULL;
    assert_int_equal(deb_open(path, NULL, &deb, &err), -1);
    assert_null(deb);
    assert_says(&err, why);
    assert_says(&err, path);
}

/* Every cut of a package is refused, wherever it falls. */
static void cut_packages_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_good("xz");
    struct buffer whole AUTO_BUFFER = get_file("good.deb");
    for (size_t len = 0; len < whole.len; len += len < 100 ? 1 : 37) {
        struct deb *deb AUTO_DEB = NULL;
        put_bytes("cut.deb", whole.data, len, 0644);
        assert_int_equal(mkdir("out", 0700), 0);
        if (deb_open("cut.deb", NULL, &deb, &err) == 0)
            assert_int_equal(deb_unpack(deb, "out", "", &err), -1);
        assert_says(&err, "cut.deb: ");
        remove_tree("out");
    }
}

static void no_packages_are_refused(void **state)
{
    (void)state;
    put_file("text.deb", "not a package", 0644);
    refuse_open("text.deb", "cannot be read");
    refuse_open("absent.deb", "No such file");
    RUN("mkfifo", "fifo.deb");
    refuse_open("fifo.deb", "");
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_puts(&out, "!<arch>\n");
    add_ar_member(&out, "debian-binary", "3.0\n", 4);
    put_bytes("three.deb", out.data, out.len, 0644);
    refuse_open("three.deb", "not a Debian package of format 2");
    out.data[8 + 60] = '2';
    put_bytes("bare.deb", out.data, out.len, 0644);
    refuse_open("bare.deb", "holds no control.tar");
    add_ar_member(&out, "control.tar.lz4", "x", 1);
    put_bytes("lz4.deb", out.data, out.len, 0644);
    refuse_open("lz4.deb", "compressed in an unknown way");
    buffer_clear(&out);
    buffer_puts(&out, "!<arch>\n");
    add_ar_member(&out, "control.tar", "x", 1);
    put_bytes("first.deb", out.data, out.len, 0644);
    refuse_open("first.deb", "not a Debian package of format 2");
}

static void a_wrong_suffix_is_refused(void **state)
{
    (void)state;
    static const struct tar_item items[] = {{.path = "./control", .text = GOOD_CONTROL}};
    struct buffer control AUTO_BUFFER = make_tar(items, 1, ARCHIVE_FILTER_NONE);
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_puts(&out, "!<arch>\n");
    add_ar_member(&out, "debian-binary", "2.0\n", 4);
    add_ar_member(&out, "control.tar.gz", control.data, control.len);
    put_bytes("odd.deb", out.data, out.len, 0644);
    refuse_open("odd.deb", "not compressed as its name says");
}

static void odd_control_archives_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct tar_item items[3];
        size_t count;
        const char *why;
    } odd[] = {
        {{{.path = "./postinst", .text = "x"}}, 1, "holds no control file"},
        {{{.path = "./control", .text = GOOD_CONTROL}, {.path = "./control", .text = "x"}},
         2,
         "control file control stands in it twice"},
        {{{.path = "../control", .text = GOOD_CONTROL}}, 1, "not a plain file of a plain name"},
        {{{.path = "/control", .text = GOOD_CONTROL}}, 1, "not a plain file of a plain name"},
        {{{.path = "./a/control", .text = GOOD_CONTROL}}, 1, "not a plain file of a plain name"},
        {{{.path = "./control", .type = AE_IFLNK, .symlink = "/etc/passwd"}},
         1,
         "not a plain file of a plain name"},
        {{{.path = "./control", .type = AE_IFCHR}}, 1, "not a plain file of a plain name"},
        {{{.path = "./control", .text = GOOD_CONTROL},
          {.path = "./postinst", .hardlink = "./control"}},
         2,
         "not a plain file of a plain name"},
        {{{.path = "./control", .text = "x", .size = 17 << 20}}, 1, "holds more than 64 entries"},
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        write_deb_with("odd.deb", odd[i].items, odd[i].count);
        refuse_open("odd.deb", odd[i].why);
    }
}

static void odd_fields_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *control, *why;
    } odd[] = {
        {"Version: 1\nArchitecture: amd64\n", "'' is no name"},
        {"Package: ../x\nVersion: 1\nArchitecture: amd64\n", "'../x' is no name"},
        {"Package: Upper\nVersion: 1\nArchitecture: amd64\n", "'Upper' is no name"},
        {"Package: x\nVersion: 1\nArchitecture: amd64\n", "'x' is no name"},
        {"Package: -x\nVersion: 1\nArchitecture: amd64\n", "'-x' is no name"},
        {"Package: odd\nArchitecture: amd64\n", "'' is no version"},
        {"Package: odd\nVersion: a1\nArchitecture: amd64\n", "'a1' is no version"},
        {"Package: odd\nVersion: 1 2\nArchitecture: amd64\n", "'1 2' is no version"},
        {"Package: odd\nVersion: a:1\nArchitecture: amd64\n", "'a:1' is no version"},
        {"Package: odd\nVersion: 1/2\nArchitecture: amd64\n", "'1/2' is no version"},
        {"Package: odd\nVersion: 1\n", "'' is no architecture"},
        {"Package: odd\nVersion: 1\nArchitecture: a/b\n", "'a/b' is no architecture"},
        {"Package: odd\nVersion: 1\nArchitecture: amd64\n\nPackage: two\n", "exactly one stanza"},
        {"\n\n", "exactly one stanza"},
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        const struct tar_item item = {.path = "./control", .text = odd[i].control};
        write_deb_with("odd.deb", &item, 1);
        refuse_open("odd.deb", odd[i].why);
    }
}

static void odd_data_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct tar_item items[3];
        size_t count;
        const char *why;
    } odd[] = {
        {{{.path = "./usr/../etc/x", .text = "x"}}, 1, "/usr/../etc/x in it is not clean"},
        {{{.path = "../x", .text = "x"}}, 1, "../x in it is not clean"},
        {{{.path = "/etc/x", .text = "x"}}, 1, "/etc/x in it is not clean"},
        {{{.path = "./a//b", .text = "x"}}, 1, "a//b in it is not clean"},
        {{{.path = "./a\nb", .text = "x"}}, 1, "in it is not clean"},
        {{{.path = "./dev/null", .type = AE_IFCHR}}, 1, "/dev/null: is neither a file"},
        {{{.path = "./pipe", .type = AE_IFIFO}}, 1, "/pipe: is neither a file"},
        {{{.path = "./a", .text = "x"}, {.path = "./b", .text = "x"}, {.path = "a", .text = "y"}},
         3,
         "/a stands in it twice"},
        {{{.path = "./b", .hardlink = "./a"}}, 1, "/b: is a hard link to ./a, which is no earlier"},
        {{{.path = "./a", .symlink = "x", .type = AE_IFLNK}, {.path = "./b", .hardlink = "./a"}},
         2,
         "/b: is a hard link to ./a, which is no earlier"},
        {{{.path = "./a", .text = "x"}, {.path = "./b", .hardlink = "../a"}},
         2,
         "/b: is a hard link to ../a, which is no earlier"},
        {{{.path = "./a", .text = "x", .uid = 1LL << 33}}, 1, "/a: its owner is no number"},
        {{{.path = "./huge", .text = "x", .size = 5LL << 30}}, 1, "holds more than"},
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct error err = ERROR_INIT;
        write_deb_of("odd.deb", odd[i].items, odd[i].count);
        struct deb *deb AUTO_DEB = open_deb("odd.deb");
        assert_int_equal(mkdir("out", 0700), 0);
        assert_int_equal(deb_unpack(deb, "out", "", &err), -1);
        assert_says(&err, odd[i].why);
        remove_tree("out");
    }
}

/* What was chosen is what is unpacked. */
static void a_changed_file_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_good("none");
    struct deb *deb AUTO_DEB = open_deb("good.deb");
    make_deb("good.deb", "good", "1:2.0", "");
    assert_int_equal(mkdir("out", 0700), 0);
    assert_int_equal(deb_unpack(deb, "out", "", &err), -1);
    assert_says(&err, "good.deb: was changed while it was read");
    remove_tree("out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_compressions_are_read),
        cmocka_unit_test(cut_packages_are_refused),
        cmocka_unit_test(no_packages_are_refused),
        cmocka_unit_test(a_wrong_suffix_is_refused),
        cmocka_unit_test(odd_control_archives_are_refused),
        cmocka_unit_test(odd_fields_are_refused),
        cmocka_unit_test(odd_data_are_refused),
        cmocka_unit_test(a_changed_file_is_refused),
    };
    return cmocka_run_group_tests(tests, deb_setup, deb_teardown);
}
