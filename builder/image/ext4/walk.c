#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/directory.h"

enum { PATH_BYTES = 4096, LINKS_MAX = 40 };

/* A path on its way. `done` has no links and no dots; volumes are found by it. */
struct walk {
    struct disk *disk;
    char done[PATH_BYTES]; /* "" is the root */
    char rest[PATH_BYTES]; /* what is still to be walked */
    unsigned links;
    struct place at; /* what `done` is */
};

static int set_text(char *text, const char *a, const char *b, const char *c, struct error *err)
{
    char joined[PATH_BYTES];
    int n = snprintf(joined, sizeof joined, "%s%s%s", a, b, c);
    if (n < 0 || (size_t)n >= sizeof joined)
        return error_set(err, "the path is longer than %d bytes", PATH_BYTES - 1);
    memcpy(text, joined, (size_t)n + 1);
    return 0;
}

static struct volume *volume_at(struct disk *disk, const char *dir)
{
    for (size_t i = 0; i < disk->volume_count; i++)
        if (strcmp(disk->volumes[i].dir, *dir ? dir : "/") == 0)
            return &disk->volumes[i];
    return NULL;
}

static int enter_volume(struct walk *walk, struct volume *volume, struct error *err)
{
    if (!volume->fs)
        return error_set(err,
                         "%s is a file system of type %s: only the guestfs writer can go there",
                         volume->dir, *volume->partition.fs ? volume->partition.fs : "unknown");
    walk->at = (struct place){.volume = volume, .ino = EXT2_ROOT_INO};
    return 1;
}

static int enter_root(struct walk *walk, struct error *err)
{
    struct volume *root = volume_at(walk->disk, "");
    *walk->done = '\0';
    return root ? enter_volume(walk, root, err) : error_set(err, "no root file system is open");
}

static int read_node(const struct walk *walk, struct node *out, struct error *err)
{
    return node_read(walk->at.volume->fs, walk->at.ino, out, err);
}

/* From `at`, a directory or not, to a name in it. 1, 0 when it is not there, or -1. */
static int enter(struct walk *walk, const char *name, struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    if (read_node(walk, &node, err) < 0)
        return -1;
    if (!LINUX_S_ISDIR(node.raw->i_mode))
        return 0;
    if (set_text(walk->done, walk->done, "/", name, err) < 0)
        return -1;
    struct volume *volume = volume_at(walk->disk, walk->done);
    if (volume)
        return enter_volume(walk, volume, err);
    return directory_find(&node, name, &walk->at.ino, err);
}

static void cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
}

/* To the parent, from the root anew: the way may lead out of a volume. */
static int leave(struct walk *walk, struct error *err)
{
    char path[PATH_BYTES], *rest = path, *name;
    cut_last(walk->done);
    memcpy(path, walk->done, sizeof path);
    int result = enter_root(walk, err);
    while (result > 0 && (name = strsep(&rest, "/")))
        if (*name)
            result = enter(walk, name, err);
    return result;
}

/* Puts the link's target in front of what is to be walked. */
static int follow_link(struct walk *walk, const struct node *link, struct place parent,
                       struct error *err)
{
    struct buffer target AUTO_BUFFER = buffer_heap();
    if (++walk->links > LINKS_MAX)
        return error_set(err, "more than %d symbolic links", LINKS_MAX);
    if (content_read(link, PATH_BYTES - 1, &target, err) < 0)
        return -1;
    if (!target.len || strlen(target.data) != target.len)
        return error_set(err, "the link %s is damaged", walk->done);
    if (set_text(walk->rest, target.data, "/", walk->rest, err) < 0)
        return -1;
    cut_last(walk->done);
    walk->at = parent;
    return *target.data == '/' ? enter_root(walk, err) : 1;
}

static int step(struct walk *walk, const char *name, bool follow, struct error *err)
{
    struct place parent = walk->at;
    struct node node AUTO_NODE = {.fs = NULL};
    if (strcmp(name, "..") == 0)
        return leave(walk, err);
    int found = enter(walk, name, err);
    if (found <= 0)
        return found;
    if (read_node(walk, &node, err) < 0)
        return -1;
    if (!LINUX_S_ISLNK(node.raw->i_mode) || !follow)
        return 1;
    return follow_link(walk, &node, parent, err);
}

/* Takes the next name from the rest; "" at the end. */
static void take_name(struct walk *walk, char *name)
{
    char *from = walk->rest + strspn(walk->rest, "/");
    size_t n = strcspn(from, "/");
    memcpy(name, from, n);
    name[n] = '\0';
    memmove(walk->rest, from + n, strlen(from + n) + 1);
}

static bool has_more(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] != '\0';
}

int ext4_find(struct disk *disk, const char *path, bool follow, struct place *out,
              struct error *err)
{
    char name[PATH_BYTES];
    struct walk *walk AUTO_FREE = heap_array(1, sizeof *walk);
    walk->disk = disk;
    int found = set_text(walk->rest, path, "", "", err) < 0 ? -1 : enter_root(walk, err);
    while (found > 0) {
        take_name(walk, name);
        if (!*name)
            break;
        if (strcmp(name, ".") != 0)
            found = step(walk, name, follow || has_more(walk), err);
    }
    if (found < 0)
        return error_context(err, "%.256s", path);
    if (found > 0)
        *out = walk->at;
    return found;
}

int ext4_find_directory(struct disk *disk, const char *path, struct place *out, struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    int found = ext4_find(disk, path, true, out, err);
    if (found == 0) {
        found = ext4_find(disk, path, false, out, err);
        return found > 0 ? error_set(err, "%s is a link to nowhere", path) : found;
    }
    if (found < 0 || node_read(out->volume->fs, out->ino, &node, err) < 0)
        return -1;
    if (!LINUX_S_ISDIR(node.raw->i_mode))
        return error_set(err, "%s is there and is not a directory", path);
    return 1;
}
