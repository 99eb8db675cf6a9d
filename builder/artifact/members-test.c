#include "builder/artifact/archive-fixture.h"

#include "builder/artifact/members.h"
#include "common/cleanup.h"

enum { KUBELET = 300000 };

/* What a release would list of a.tar: a large file and a small one. */
static struct member members[] = {
    {.name = "kubelet", .from = "bin/kubelet", .mode = 0755},
    {.name = "cni-bridge", .from = "bridge", .mode = 0700},
};
static struct artifact artifact = {
    .component = "test", .file = "a.tar", .members = members, .member_count = 2};

static int open_artifact(void)
{
    char *path AUTO_FREE = in_fixture(artifact.file);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int measure(struct error *err)
{
    int fd AUTO_CLOSE = open_artifact();
    members[0].size = members[1].size = 0;
    return members_measure(fd, &artifact, err);
}

static int extract(struct error *err)
{
    char *path AUTO_FREE = in_fixture("out");
    int fd AUTO_CLOSE = open_artifact();
    remove_all(path);
    assert_int_equal(mkdir(path, 0700), 0);
    int dirfd AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return members_extract(fd, &artifact, dirfd, NULL, err);
}

static void assert_mode(const char *path, mode_t mode)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | mode);
}

static void assert_extracted(void)
{
    struct error err = ERROR_INIT;
    char *out AUTO_FREE = in_fixture("out");
    char *kubelet AUTO_FREE = in_fixture("out/kubelet");
    char *bridge AUTO_FREE = in_fixture("out/cni-bridge");
    if (measure(&err) < 0 || extract(&err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(members[0].size, KUBELET);
    assert_int_equal(members[1].size, 5);
    char *names AUTO_FREE = folder_names(out);
    assert_string_equal(names, "cni-bridge kubelet ");
    assert_content(kubelet, 'k', KUBELET);
    assert_content(bridge, 'b', 5);
    assert_mode(kubelet, 0755);
    assert_mode(bridge, 0700);
}

static const struct fixture_entry good[] = {
    {.path = "bin/", .type = AE_IFDIR},
    {.path = "bin/kubelet", .fill = 'k', .len = KUBELET},
    {.path = "other", .fill = 'o', .len = 10},
    {.path = "../escape", .fill = 'e', .len = 10},
    {.path = "/absolute", .fill = 'a', .len = 10},
    {.path = "link", .type = AE_IFLNK, .symlink = "/etc/passwd"},
    {.path = "./bridge", .fill = 'b', .len = 5},
};

static const struct {
    const char *name;
    int format, filter;
} kinds[] = {
    {"tar", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE},
    {"gnu tar", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE},
    {"gzip", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP},
    {"bzip2", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2},
    {"xz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ},
    {"lzma", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZMA},
    {"zstd", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD},
    {"lz4", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZ4},
    {"compress", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_COMPRESS},
    {"zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
};

static void reads_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        print_message("# %s\n", kinds[i].name);
        make_archive("a.tar", kinds[i].format, kinds[i].filter, good, ARRAY_LEN(good));
        assert_extracted();
    }
}

#define KUBELET_ENTRY                                                                              \
    {                                                                                              \
        .path = "bin/kubelet", .fill = 'k', .len = 100                                             \
    }

static const struct {
    struct fixture_entry entries[3];
    const char *message;
} bad[] = {
    {{KUBELET_ENTRY, {.path = "Bridge"}, {.path = "x"}},
     "a.tar holds no bridge, which is listed as 'cni-bridge'"},
    {{KUBELET_ENTRY, {.path = "/bridge", .len = 1}, {.path = "../bridge", .len = 1}},
     "a.tar holds no bridge, which is listed as 'cni-bridge'"},
    {{KUBELET_ENTRY, {.path = "x/../bridge", .len = 1}, {.path = "bridge.", .len = 1}},
     "a.tar holds no bridge, which is listed as 'cni-bridge'"},
    {{KUBELET_ENTRY, {.path = "bridge", .type = AE_IFLNK, .symlink = "/etc/shadow"}, {.path = "x"}},
     "a.tar: bridge is a symbolic link; list the file that it leads to as 'cni-bridge'"},
    {{KUBELET_ENTRY, {.path = "bridge", .hardlink = "bin/kubelet"}, {.path = "x"}},
     "a.tar: bridge is a hard link to bin/kubelet; list that one as 'cni-bridge'"},
    {{KUBELET_ENTRY, {.path = "bridge", .type = AE_IFDIR}, {.path = "x"}},
     "a.tar: bridge is not a regular file"},
    {{KUBELET_ENTRY, {.path = "bridge", .type = AE_IFIFO}, {.path = "x"}},
     "a.tar: bridge is not a regular file"},
    {{KUBELET_ENTRY, {.path = "bridge", .type = AE_IFCHR}, {.path = "x"}},
     "a.tar: bridge is not a regular file"},
    {{KUBELET_ENTRY, {.path = "bridge", .len = 100000, .sparse = true}, {.path = "x"}},
     "a.tar: bridge is stored as a sparse file, which is not supported"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error first = ERROR_INIT, second = ERROR_INIT;
        make_archive("a.tar", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP,
                     bad[i].entries, 3);
        assert_int_equal(measure(&first), -1);
        assert_string_equal(first.text, bad[i].message);
        assert_int_equal(extract(&second), -1);
        assert_string_equal(second.text, bad[i].message);
    }
}

static void refuses_a_repeated_member(void **state)
{
    (void)state;
    static const struct fixture_entry entries[] = {
        {.path = "bridge", .fill = 'b', .len = 5}, KUBELET_ENTRY, {.path = "./bridge", .len = 5}};
    struct error err = ERROR_INIT;
    make_archive("a.tar", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE, entries, 3);
    assert_int_equal(extract(&err), -1);
    assert_string_equal(err.text, "a.tar holds bridge twice");
}

/* Only the header says 2 GiB and a byte: nothing is allocated or written for it. */
static void refuses_oversize(void **state)
{
    (void)state;
    char *path AUTO_FREE = in_fixture("a.tar");
    struct error err = ERROR_INIT;
    struct fixture_entry small = {.path = "bridge", .fill = 'b', .len = 5};
    make_archive("a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, &small, 1);
    struct buffer tar AUTO_BUFFER = read_file(path);
    memcpy(tar.data + 124, "20000000001", 12);
    memset(tar.data + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)tar.data[i];
    snprintf(tar.data + 148, 8, "%06o", sum);
    write_file("a.tar", tar.data, tar.len);
    assert_int_equal(extract(&err), -1);
    assert_string_equal(err.text,
                        "a.tar: bridge has 2147483649 bytes, more than the 2 GiB allowed");
}

/* Cut anywhere, an archive gives an error that names it, and never a short file. */
static void refuses_cut_archives(void **state)
{
    (void)state;
    static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
                                  ARCHIVE_FILTER_ZSTD};
    static const struct fixture_entry entries[] = {KUBELET_ENTRY,
                                                   {.path = "bridge", .fill = 'b', .len = 50000}};
    char *path AUTO_FREE = in_fixture("a.tar");
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        make_archive("a.tar", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, filters[i], entries, 2);
        struct buffer whole AUTO_BUFFER = read_file(path);
        size_t cuts[] = {0, 1, whole.len / 3, whole.len / 2, whole.len * 2 / 3};
        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            struct error err = ERROR_INIT;
            write_file("a.tar", whole.data, cuts[c]);
            assert_int_equal(extract(&err), -1);
            assert_memory_equal(err.text, "a.tar", 5);
        }
    }
}

static void refuses_what_is_no_archive(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    write_file("a.tar", "#!/bin/sh\necho hello\n", 21);
    assert_int_equal(measure(&err), -1);
    assert_string_equal(err.text, "a.tar: cannot be read as a tar or zip archive: "
                                  "Unrecognized archive format");
}

static void a_plain_file(void **state)
{
    (void)state;
    struct member runc = {.name = "runc", .mode = 0711};
    struct artifact plain = {.file = "runc.amd64", .members = &runc, .member_count = 1};
    struct error err = ERROR_INIT;
    char *source AUTO_FREE = in_fixture("runc.amd64");
    char *out AUTO_FREE = in_fixture("out"), *copy AUTO_FREE = in_fixture("out/runc");
    char *bytes AUTO_FREE = heap_array(KUBELET, 1);
    memset(bytes, 'r', KUBELET);
    write_file("runc.amd64", bytes, KUBELET);
    remove_all(out);
    assert_int_equal(mkdir(out, 0700), 0);
    int fd AUTO_CLOSE = open(source, O_RDONLY), dirfd AUTO_CLOSE = open(out, O_RDONLY);
    if (members_measure(fd, &plain, &err) < 0 || members_extract(fd, &plain, dirfd, NULL, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(runc.size, KUBELET);
    assert_content(copy, 'r', KUBELET);
    assert_mode(copy, 0711);
    /* The name must be free: nothing is followed or written over. */
    assert_int_equal(members_extract(fd, &plain, dirfd, NULL, &err), -1);
    assert_string_equal(err.text, "create runc: File exists");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_a_repeated_member),
        cmocka_unit_test(refuses_oversize),
        cmocka_unit_test(refuses_cut_archives),
        cmocka_unit_test(refuses_what_is_no_archive),
        cmocka_unit_test(a_plain_file),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
