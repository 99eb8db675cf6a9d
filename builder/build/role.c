#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/image.h"
#include "builder/interrupt.h"

int build_choose_writer(struct build *build, const struct disk_file *file, struct error *err)
{
    const struct disk_writer *asked = build->options.writer;
    if (build->writer)
        return 0;
    if (!asked) {
        if (disk_writer_choose(file, &build->writer, err) < 0)
            return error_context(err, "%s", build->args->cluster->image);
        return 0;
    }
    int answer = asked->suits ? asked->suits(file, err) : 1;
    if (answer < 0)
        return error_context(err, "%s", build->args->cluster->image);
    if (answer == 0)
        return error_context(err, "%s: --writer %s cannot edit it", build->args->cluster->image,
                             asked->name);
    build->writer = asked;
    return 0;
}

/* A damaged file system would be damaged further. */
static int check_whole(struct build *build, const struct disk_file *file, struct error *err)
{
    if (build_choose_writer(build, file, err) < 0)
        return -1;
    if (build->writer->check && build->writer->check(file, err) < 0)
        return error_context(err, "%s", build->args->cluster->image);
    return 0;
}

/* What has to be known of the base, in the file itself or in a copy of it. */
static int read_base(const struct build *build, struct build_base *base, struct disk *disk,
                     struct error *err)
{
    if ((!base->facts && base_read(build->writer, disk, &base->facts, err) < 0) ||
        base_scan_initrds(build->writer, disk, base->facts, err) < 0)
        return error_context(err, "%s", build->args->cluster->image);
    return 0;
}

static int look_ahead(struct build *build, struct build_base *base, struct error *err)
{
    struct disk_view view;
    struct error ignored = ERROR_INIT;
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    if (check_whole(build, &base->file, err) < 0)
        return -1;
    /* Opening a disk twice is dear where that takes a VM. */
    if (!build->writer->check)
        return 0;
    if (disk_view_open(&base->file, build->writer, &view, &remarks, err) < 0)
        return error_context(err, "%s", build->args->cluster->image);
    int result = read_base(build, base, view.disk, err);
    if (view.writer->close_all(view.set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result;
}

/* A raw base can be checked and read while it is copied. */
static int import_base(struct build *build, struct build_base *base, const struct disk_file *copy,
                       struct error *err)
{
    struct import *import;
    struct error copying = ERROR_INIT;
    if (base->file.qcow2) {
        int result = image_import(&base->file, copy->path, err);
        return result < 0 ? -1 : check_whole(build, copy, err);
    }
    image_import_begin(&base->file, copy->path, &import);
    int result = look_ahead(build, base, err);
    if (image_import_end(import, &copying) < 0 && result == 0) {
        *err = copying;
        result = -1;
    }
    return result;
}

/* The base as large as the cluster file wants its disks. */
static int grow(const struct build *build, const struct group *group, const struct disk_file *file,
                struct error *err)
{
    uint64_t size = build->args->cluster->disk_size;
    if (!size)
        return 0;
    if (!build->writer->grow)
        return error_set(err,
                         "%s: diskSize: only a root file system of ext2, ext3 or ext4 on a "
                         "partition is made larger here",
                         build->args->cluster->file);
    if (build->writer->grow(file, size, group->role.draft->tree->mtime, err) < 0)
        return error_context(err, "%s: diskSize", build->args->cluster->file);
    return 0;
}

/* Looks at the system, plans with what it is, and writes. */
static int write_role(struct build *build, struct group *group, struct disk *disk,
                      struct error *err)
{
    if (read_base(build, group->base, disk, err) < 0)
        return -1;
    struct base *base = group->base->facts;
    if (build_require_packages(group, err) < 0)
        return error_context(err, "%s", build->args->cluster->image);
    if (build_plan_role(build, group, base, err) < 0)
        return -1;
    for (size_t i = 0; i < group->plan->remarks.count; i++)
        printf("%s: %s\n", group->role.name, group->plan->remarks.items[i]);
    return image_write(build->writer, disk, base, group->plan->tree, group->role.name, err);
}

static int edit_role(struct build *build, struct group *group, struct error *err)
{
    const struct disk_file file = {.path = group->raw};
    const struct disk_writer *writer = build->writer;
    struct disk *disk;
    struct disk_set *set = NULL;
    struct error ignored = ERROR_INIT;
    time_t now = group->role.draft->tree->mtime;
    if (writer->open_all(&file, 1, now, &disk, &set, err) < 0)
        return error_context(err, "%s", build->args->cluster->image);
    int result = write_role(build, group, disk, err);
    /* What could not be flushed is a failure, unless there was one already. */
    if (writer->close_all(set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result < 0 ? error_context(err, "build %s", group->role.name) : 0;
}

/* Does a node that is made need a raw image to begin with? */
static bool nodes_need_raw(const struct group *group)
{
    for (size_t i = 0; i < group->node_count; i++)
        for (size_t k = 0; !group->nodes[i].fresh && k < group->nodes[i].product_count; k++)
            if (!group->nodes[i].products[k].overlay)
                return true;
    return false;
}

static int publish_role(struct build *build, struct group *group, struct error *err)
{
    const struct product *raw = build_raw_product(&group->role);
    bool keep = nodes_need_raw(group) && !raw;
    if (build_export(build, &group->role, group->raw, keep, err) < 0 ||
        build_note(build, &group->role, &group->role, err) < 0)
        return -1;
    if (keep)
        return 0;
    interrupt_keeps(group->raw);
    free(group->raw);
    group->raw = raw ? heap_copy(raw->output.path) : NULL;
    group->raw_is_ours = false;
    return 0;
}

int build_role(struct build *build, struct group *group, struct error *err)
{
    const struct product *raw = build_raw_product(&group->role);
    bool wanted = group->role.product_count && !group->role.fresh;
    if (!wanted && !nodes_need_raw(group))
        return 0;
    if (!wanted && raw) {
        group->raw = heap_copy(raw->output.path);
        return 0;
    }
    group->raw = heap_printf("%s/.%s.raw.nodebake-tmp", build->options.out, group->role.name);
    group->raw_is_ours = true;
    interrupt_removes(group->raw);
    const struct disk_file file = {.path = group->raw};
    if (import_base(build, group->base, &file, err) < 0 || grow(build, group, &file, err) < 0 ||
        edit_role(build, group, err) < 0)
        return -1;
    return wanted ? publish_role(build, group, err) : 0;
}
