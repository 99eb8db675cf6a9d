/* For tests: packages made by dpkg-deb, and ar archives made by hand for those that it would not
 * make. All in a folder of their own, which is the working directory. */
#ifndef NB_BUILDER_DEB_FIXTURE_H
#define NB_BUILDER_DEB_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/file.h"

#define DEB_FIXTURE "/tmp/nodebake-deb-XXXXXX"

static char deb_folder[] = DEB_FIXTURE;

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int deb_setup(void **state)
{
    (void)state;
    progress_quiet();
    memcpy(deb_folder, DEB_FIXTURE, sizeof deb_folder);
    return mkdtemp(deb_folder) && chdir(deb_folder) == 0 ? 0 : -1;
}

static inline int deb_teardown(void **state)
{
    (void)state;
    if (chdir("/") < 0)
        return -1;
    remove_tree(deb_folder);
    return 0;
}

static inline void run_argv(const char *const *argv)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}
#define RUN(...) run_argv((const char *const[]){__VA_ARGS__, NULL})

/* Writes a file; nothing is synced, for there are many. */
static inline void put_bytes(const char *path, const char *bytes, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, bytes, n), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* Writes a file, its folders too. */
static inline void put_file(const char *path, const char *text, mode_t mode)
{
    char *copy AUTO_FREE = heap_copy(path);
    for (char *p = copy; (p = strchr(p + 1, '/')) != NULL; *p = '/') {
        *p = '\0';
        mkdir(copy, 0755);
    }
    put_bytes(path, text, strlen(text), mode);
}

static inline struct buffer get_file(const char *path)
{
    struct error err = ERROR_INIT;
    struct buffer b = buffer_heap();
    if (file_read(AT_FDCWD, path, 16 << 20, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

/* dpkg-deb's work on the folder pkg/, which is gone afterwards. */
static inline void build_deb(const char *path, const char *compression)
{
    char *option AUTO_FREE = heap_printf("-Z%s", compression);
    RUN("dpkg-deb", "--nocheck", "--root-owner-group", "--uniform-compression", option, "-b", "pkg",
        path);
    remove_tree("pkg");
}

/* A package of these fields (lines) that unpacks /usr/share/NAME. */
static inline void make_deb(const char *path, const char *name, const char *version,
                            const char *fields)
{
    char *control AUTO_FREE =
        heap_printf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: a <a@b>\n"
                    "%sDescription: test\n",
                    name, version, fields);
    char *file AUTO_FREE = heap_printf("pkg/usr/share/%s", name);
    put_file("pkg/DEBIAN/control", control, 0644);
    put_file(file, name, 0644);
    build_deb(path, "none");
}

/* An entry of a tar archive. */
struct tar_item {
    const char *path;
    unsigned type; /* 0: a file */
    const char *text, *symlink, *hardlink;
    long long size; /* instead of that of the text */
    long long uid;
};

static inline void add_tar_item(struct archive *a, const struct tar_item *item)
{
    struct archive_entry *e = archive_entry_new();
    size_t len = item->text ? strlen(item->text) : 0;
    archive_entry_set_pathname(e, item->path);
    archive_entry_set_filetype(e, item->type ? item->type : AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_uid(e, item->uid);
    archive_entry_set_size(e, item->size ? item->size : (long long)len);
    if (item->symlink)
        archive_entry_set_symlink(e, item->symlink);
    if (item->hardlink)
        archive_entry_set_hardlink(e, item->hardlink);
    if (archive_write_header(a, e) == ARCHIVE_OK && len)
        archive_write_data(a, item->text, len);
    archive_entry_free(e);
}

/* A tar archive in memory. */
static inline struct buffer make_tar(const struct tar_item *items, size_t n, int filter)
{
    struct buffer out = buffer_heap();
    size_t used = 0, cap = 4 << 20;
    char *bytes AUTO_FREE = heap_array(cap, 1);
    struct archive *a = archive_write_new();
    archive_write_set_format_gnutar(a);
    archive_write_add_filter(a, filter);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, bytes, cap, &used), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        add_tar_item(a, &items[i]);
    archive_write_close(a);
    archive_write_free(a);
    buffer_add(&out, bytes, used);
    return out;
}

static inline void add_ar_member(struct buffer *out, const char *name, const char *bytes, size_t n)
{
    buffer_printf(out, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0, 0100644, n);
    buffer_add(out, bytes, n);
    if (n % 2)
        buffer_puts(out, "\n");
}

#define GOOD_CONTROL                                                                               \
    "Package: odd\nVersion: 1.0\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: x\n"

/* The three members of a .deb; control and data are tar archives. */
static inline void write_deb(const char *path, const struct buffer *control,
                             const struct buffer *data)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_puts(&out, "!<arch>\n");
    add_ar_member(&out, "debian-binary", "2.0\n", 4);
    add_ar_member(&out, "control.tar", control->data, control->len);
    if (data)
        add_ar_member(&out, "data.tar", data->data, data->len);
    put_bytes(path, out.data, out.len, 0644);
}

/* A package whose data are these items. */
static inline void write_deb_of(const char *path, const struct tar_item *items, size_t n)
{
    static const struct tar_item control_items[] = {{.path = "./control", .text = GOOD_CONTROL}};
    struct buffer control AUTO_BUFFER = make_tar(control_items, 1, ARCHIVE_FILTER_NONE);
    struct buffer data AUTO_BUFFER = make_tar(items, n, ARCHIVE_FILTER_NONE);
    write_deb(path, &control, &data);
}

/* A package whose control archive has these items, and whose data are nothing. */
static inline void write_deb_with(const char *path, const struct tar_item *items, size_t n)
{
    struct buffer control AUTO_BUFFER = make_tar(items, n, ARCHIVE_FILTER_NONE);
    struct buffer data AUTO_BUFFER = make_tar(NULL, 0, ARCHIVE_FILTER_NONE);
    write_deb(path, &control, &data);
}

static inline void assert_says(const struct error *err, const char *part)
{
    if (!strstr(err->text, part))
        fail_msg("'%s' lacks '%s'", err->text, part);
}

#endif
