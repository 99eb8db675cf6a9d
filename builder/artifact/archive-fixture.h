/* For tests: archives made with libarchive, and a folder of their own. */
#ifndef NB_BUILDER_ARCHIVE_FIXTURE_H
#define NB_BUILDER_ARCHIVE_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/file.h"

#define FIXTURE_TEMPLATE "/tmp/nodebake-artifact-XXXXXX"

static char fixture_dir[] = FIXTURE_TEMPLATE;

/* One entry; its content is `len` times the byte `fill`. */
struct fixture_entry {
    const char *path;
    char fill;
    size_t len;
    unsigned type; /* 0: regular file */
    const char *symlink, *hardlink;
    bool sparse;
};

static inline char *in_fixture(const char *name)
{
    return heap_printf("%s/%s", fixture_dir, name);
}

static inline void write_entry(struct archive *a, const struct fixture_entry *f)
{
    struct archive_entry *e = archive_entry_new();
    char *bytes AUTO_FREE = heap_array(f->len + 1, 1);
    memset(bytes, f->fill, f->len);
    archive_entry_set_pathname(e, f->path);
    archive_entry_set_perm(e, 06755);
    archive_entry_set_filetype(e, f->type ? f->type : AE_IFREG);
    if (f->symlink)
        archive_entry_set_symlink(e, f->symlink);
    if (f->hardlink)
        archive_entry_set_hardlink(e, f->hardlink);
    archive_entry_set_size(e, (la_int64_t)f->len);
    if (f->sparse)
        archive_entry_sparse_add_entry(e, 0, (la_int64_t)f->len / 2);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (f->len)
        assert_int_equal(archive_write_data(a, bytes, f->len), f->len);
    archive_entry_free(e);
}

/* Writes an archive; filter is an ARCHIVE_FILTER_ number. */
static inline void make_archive(const char *name, int format, int filter,
                                const struct fixture_entry *entries, size_t n)
{
    char *path AUTO_FREE = in_fixture(name);
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
    /* gzip's header holds the time of day otherwise: the same entries shall be the same bytes. */
    if (filter == ARCHIVE_FILTER_GZIP)
        assert_int_equal(archive_write_set_options(a, "gzip:!timestamp"), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        write_entry(a, &entries[i]);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static inline void write_file(const char *name, const void *bytes, size_t n)
{
    struct error err = ERROR_INIT;
    char *path AUTO_FREE = in_fixture(name);
    if (file_publish(AT_FDCWD, path, bytes, n, 0600, &err) < 0)
        fail_msg("%s", err.text);
}

static inline struct buffer read_file(const char *path)
{
    struct error err = ERROR_INIT;
    struct buffer b = buffer_heap();
    if (file_read(AT_FDCWD, path, 64 << 20, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

/* Is the file at the path `len` times the byte `fill`? */
static inline void assert_content(const char *path, char fill, size_t len)
{
    struct buffer b AUTO_BUFFER = read_file(path);
    assert_int_equal(b.len, len);
    for (size_t i = 0; i < len; i++)
        if (b.data[i] != fill)
            fail_msg("%s: byte %zu is 0x%02x", path, i, (unsigned char)b.data[i]);
}

/* The digest by another way than the program's. */
static inline char *file_digest(const char *name, const char *algorithm)
{
    char *path AUTO_FREE = in_fixture(name);
    struct buffer b AUTO_BUFFER = read_file(path);
    unsigned char raw[EVP_MAX_MD_SIZE];
    size_t len = 0;
    struct buffer hex = buffer_heap();
    assert_int_equal(EVP_Q_digest(NULL, algorithm, NULL, b.data, b.len, raw, &len), 1);
    for (size_t i = 0; i < len; i++)
        buffer_printf(&hex, "%02x", raw[i]);
    return hex.data;
}

/* The names in a folder, sorted, each followed by a space. */
static inline char *folder_names(const char *path)
{
    struct dirent **list = NULL;
    struct buffer names = buffer_heap();
    int n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
            buffer_printf(&names, "%s ", list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return names.data;
}

static inline void remove_all(const char *path)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char *inner AUTO_FREE = heap_printf("%s/%s", path, list[i]->d_name);
        if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
            remove_all(inner);
        free(list[i]);
    }
    free(list);
    remove(path);
}

static inline int fixture_setup(void **state)
{
    (void)state;
    memcpy(fixture_dir, FIXTURE_TEMPLATE, sizeof fixture_dir);
    return mkdtemp(fixture_dir) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
    (void)state;
    remove_all(fixture_dir);
    return 0;
}

#endif
