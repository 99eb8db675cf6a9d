#include "builder/image/base.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base-dirt.h"
#include "builder/image/base-files.h"
#include "builder/image/base-initrds.h"
#include "builder/image/base-selinux.h"
#include "builder/image/base-system.h"
#include "builder/image/base-units.h"
#include "builder/image/dpkg.h"
#include "builder/image/osrelease.h"

enum { OS_RELEASE_MAX = 64 * 1024, DPKG_STATUS_MAX = 64 << 20 };

static const char DPKG_STATUS[] = "/var/lib/dpkg/status";

/* A disk, and the way to read it. */
struct reader {
    const struct disk_writer *writer;
    struct disk *disk;
};

/* Is one of the paths there? 1, 0 or -1. */
static int any_exists(struct reader r, const char *const *paths, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        int found = r.writer->exists(r.disk, paths[i], err);
        if (found)
            return found;
    }
    return 0;
}

static int refuse_baked(struct reader r, struct error *err)
{
    int found = r.writer->exists(r.disk, "/usr/lib/nodebake/contract", err);
    if (found > 0)
        return error_set(err, "the base is a nodebake image already (it holds "
                              "/usr/lib/nodebake/contract): build from a stock image");
    return found;
}

static int require_systemd(struct reader r, struct error *err)
{
    static const char *const paths[] = {"/usr/lib/systemd/systemd", "/lib/systemd/systemd"};
    int found = any_exists(r, paths, ARRAY_LEN(paths), err);
    if (found == 0)
        return error_set(err, "the base has no systemd (looked for %s)", paths[0]);
    return found < 0 ? -1 : 0;
}

static int read_os_release(struct reader r, struct base *base, struct error *err)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    int etc = r.writer->exists(r.disk, paths[0], err);
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (etc < 0 || r.writer->read(r.disk, paths[!etc], OS_RELEASE_MAX, &text, err) < 0)
        return -1;
    base->os_id = os_release_value(text.data, text.len, "ID");
    base->os_version = os_release_value(text.data, text.len, "VERSION_ID");
    base->os_name = os_release_value(text.data, text.len, "PRETTY_NAME");
    if (!base->os_id)
        return error_set(err, "%s of the base names no ID", paths[!etc]);
    if (!base->os_version)
        base->os_version = heap_copy("");
    if (!base->os_name)
        base->os_name = heap_printf("%s %s", base->os_id, base->os_version);
    return 0;
}

static int read_dpkg(struct reader r, struct base *base, struct error *err)
{
    int found = r.writer->exists(r.disk, DPKG_STATUS, err);
    if (found == 0)
        return error_set(err, "the base (%s) has no package database of dpkg (looked for %s)",
                         base->os_name, DPKG_STATUS);
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (found < 0 || r.writer->read(r.disk, DPKG_STATUS, DPKG_STATUS_MAX, &text, err) < 0)
        return -1;
    base->dpkg_len = text.len;
    base->dpkg_status = steal(text.data);
    text = (struct buffer){0};
    return 0;
}

/* The binaries of a release are for one machine. */
static int check_machine(struct base *base, struct error *err)
{
    struct buffer architecture AUTO_BUFFER = buffer_heap();
    if (!dpkg_architecture(base->dpkg_status, base->dpkg_len, &architecture))
        return error_set(err, "the base's %s does not list dpkg itself", DPKG_STATUS);
    if (strcmp(architecture.data, "amd64") != 0)
        return error_set(err, "the base is for %s; nodebake writes amd64 (x86_64) images",
                         architecture.data);
    base->machine = heap_copy("x86_64");
    return 0;
}

int base_read(const struct disk_writer *writer, struct disk *disk, struct base **out,
              struct error *err)
{
    struct reader r = {writer, disk};
    struct base *base AUTO_BASE = heap_array(1, sizeof *base);
    if (refuse_baked(r, err) < 0 || read_os_release(r, base, err) < 0 ||
        require_systemd(r, err) < 0 || read_dpkg(r, base, err) < 0 ||
        check_machine(base, err) < 0 || base_find_initrds(writer, disk, base, err) < 0 ||
        base_read_system(writer, disk, base, err) < 0 ||
        base_read_files(writer, disk, base, err) < 0 ||
        base_read_units(writer, disk, base, err) < 0 ||
        base_refuse_selinux(writer, disk, base, err) < 0 ||
        base_read_dirt(writer, disk, base, err) < 0)
        return -1;
    *out = steal(base);
    return 0;
}

int base_require_packages(const struct base *base, const char *const *packages, size_t n,
                          struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    size_t missing = dpkg_missing(base->dpkg_status, base->dpkg_len, packages, n, &names);
    if (missing)
        return error_set(err,
                         "the base (%s) lacks %s: %s; put %s into a folder and name that with "
                         "`debs: FOLDER` in the cluster file, or let nodebake fetch %s from the "
                         "base's repositories with `repositories: true`",
                         base->os_name, missing == 1 ? "a package" : "packages", names.data,
                         missing == 1 ? "its .deb" : "their .deb files",
                         missing == 1 ? "it" : "them");
    return 0;
}

void base_free(struct base *base)
{
    if (!base)
        return;
    base_free_initrds(base);
    free(base->os_id);
    free(base->os_version);
    free(base->os_name);
    free(base->machine);
    free(base->dpkg_status);
    for (size_t i = 0; i < base->file_count; i++) {
        free(base->files[i].path);
        explicit_bzero(base->files[i].text, base->files[i].len); /* one is /etc/shadow */
        free(base->files[i].text);
    }
    free(base->files);
    texts_free(&base->paths);
    texts_free(&base->units);
    for (size_t i = 0; i < base->link_count; i++) {
        free(base->links[i].path);
        free(base->links[i].target);
    }
    free(base->links);
    texts_free(&base->cloud_network);
    texts_free(&base->dirt);
    free(base);
}

void base_free_at(struct base **base)
{
    base_free(*base);
}
