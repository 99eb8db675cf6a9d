/* For tests: a small root folder with dpkg's database, and packages installed into it. */
#ifndef NB_BUILDER_PACKAGE_ROOT_FIXTURE_H
#define NB_BUILDER_PACKAGE_ROOT_FIXTURE_H

#include "builder/package/deb-fixture.h"

#include "builder/package/direct.h"
#include "builder/package/folder-disk.h"

enum { ROOT_MTIME = 1577836800, ROOT_DEBS_MAX = 8 };

#define ROOT_STATUS                                                                                \
    "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n"          \
    "Package: left\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0\n\n"      \
    "Package: zlib\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2\n"             \
    "Description: short\n long\n\n"

static inline void make_root(void)
{
    put_file("root/var/lib/dpkg/status", ROOT_STATUS, 0644);
    put_file("root/var/lib/dpkg/info/format", "1\n", 0644);
    put_file("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n", 0644);
    put_file("root/etc/group", "root:x:0:\nmail:x:8:\n", 0644);
    put_file("root/usr/lib/there", "x", 0644);
    assert_int_equal(symlink("usr/lib", "root/lib"), 0);
}

/* A package of the fields and files that were put into pkg/ before. */
static inline void make_package(const char *name, const char *fields)
{
    char *control AUTO_FREE =
        heap_printf("Package: %s\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: a <a@b>\n"
                    "%sDescription: test of %s\n long\n",
                    name, fields, name);
    char *path AUTO_FREE = heap_printf("%s.deb", name);
    put_file("pkg/DEBIAN/control", control, 0644);
    build_deb(path, "none");
}

/* What is planned, and what it is planned with. */
struct planned {
    struct disk disk;
    struct deb_set set;
    struct choices choices;
    struct buffer status;
    struct changes changes;
};

/* Plans to install NAME.deb of each name, the first of them wanted. */
static inline int plan_root(const char *const *names, struct planned *p, struct error *err)
{
    *p = (struct planned){.disk = {.root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC)}};
    p->status = get_file("root/var/lib/dpkg/status");
    p->changes = changes_of(&folder_writer, &p->disk, ROOT_MTIME);
    for (size_t i = 0; names[i]; i++) {
        char *path AUTO_FREE = heap_printf("%s.deb", names[i]);
        struct deb **deb = APPEND(p->set.items, p->set.count, p->set.cap);
        if (deb_open(path, NULL, deb, err) < 0)
            fail_msg("%s", err->text);
    }
    struct dpkg_text status = {p->status.data, p->status.len};
    p->set.folder = heap_copy(".");
    if (choose_debs(status, "amd64", &p->set, names, 1, &p->choices, err) < 0)
        fail_msg("%s", err->text);
    remove_tree("scratch");
    assert_int_equal(mkdir("scratch", 0700), 0);
    return direct_plan(&p->changes, &p->choices, status, "scratch", err);
}

static inline void planned_free(struct planned *p)
{
    changes_free(&p->changes);
    choices_free(&p->choices);
    debs_free(&p->set);
    buffer_free(&p->status);
    close(p->disk.root);
}
#define AUTO_PLANNED __attribute__((cleanup(planned_free)))

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Installs, or fails the test. */
static inline void install_root(const char *const *names)
{
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    if (plan_root(names, &p, &err) != 1 || changes_write(&p.changes, "write", &err) < 0)
        fail_msg("%s", err.text);
}

/* Is the one package refused, so that the guest has to install it? */
static inline void refuse_root(const char *name, const char *why)
{
    struct error err = ERROR_INIT;
    struct planned p AUTO_PLANNED = {0};
    int result = plan_root(NAMES(name), &p, &err);
    if (result != 0)
        fail_msg("%s: %d (%s), not '%s'", name, result, err.text, why);
    assert_says(&err, why);
}

static inline void assert_text(const char *path, const char *expected)
{
    struct buffer text AUTO_BUFFER = get_file(path);
    assert_string_equal(text.data, expected);
}

static inline int root_setup(void **state)
{
    if (deb_setup(state) < 0)
        return -1;
    make_root();
    return 0;
}

#endif
