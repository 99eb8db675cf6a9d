#include <string.h>

#include "builder/image/ext4/ext4.h"

bool ext4_is_ext(const struct partition *p)
{
    static const char *const types[] = {"ext2", "ext3", "ext4"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(p->fs, types[i]) == 0)
            return true;
    return false;
}

/* 1 and *ino set, 0 when nothing is there, or -1. A last link is not followed. */
static int look(ext2_filsys fs, const char *path, ext2_ino_t *ino, struct error *err)
{
    errcode_t code = ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, ino);
    if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
        return 0;
    return code ? ext4_error(err, code, "look for %s", path) : 1;
}

/* 1 when the file system, which is closed, holds a system, 0 when not, -1. */
static int holds_system(ext2_filsys fs, const struct partition *p, struct error *err)
{
    ext2_ino_t ino;
    struct error later = ERROR_INIT;
    int found = look(fs, "/etc/os-release", &ino, err);
    if (found == 0)
        found = look(fs, "/usr/lib/os-release", &ino, err);
    if (ext4_fs_close(fs, found < 0 ? &later : err) < 0)
        found = -1;
    return found < 0 ? error_context(err, "partition %u", p->number) : found;
}

/* 1, 0 and -1 as ext4_check. */
static int open_to_look(struct blocks *blocks, const struct partition *p, bool view,
                        ext2_filsys *fs, struct error *err)
{
    if (view)
        return ext4_view_volume(blocks, p, "", NULL, fs, err);
    int answer = ext4_check(blocks, p, err);
    if (answer > 0 && ext4_fs_open(blocks, p, false, 1, fs, err) < 0)
        return error_context(err, "partition %u", p->number);
    return answer;
}

/* Is it marked as a root, by its type in the GPT or by the label of Ubuntu's images? */
static bool marked_root(const struct partition *p)
{
    static const char *const types[] = {
        "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", /* x86-64 */
        "b921b045-1df0-41c3-af44-4c6f280d3fae", /* arm64 */
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(p->type, types[i]) == 0)
            return true;
    return strcmp(p->fs_label, "cloudimg-rootfs") == 0;
}

/* What the search came to. */
struct search {
    const struct partition *root, *second; /* second: another one of the same rank */
    int refusal;                           /* of what was passed over: 1 nothing, 0 or -1 */
    struct error why;                      /* of the refusal */
};

static void note_refusal(struct search *search, int answer, const struct error *why)
{
    if (answer >= search->refusal)
        return;
    search->refusal = answer;
    search->why = *why;
}

static void note_root(struct search *search, const struct partition *p)
{
    if (search->root && marked_root(search->root) && !marked_root(p))
        return;
    bool better = search->root && marked_root(p) && !marked_root(search->root);
    search->second = better ? NULL : search->root;
    search->root = p;
}

static void search_partition(struct blocks *blocks, const struct partition *p, bool view,
                             struct search *search)
{
    ext2_filsys fs = NULL;
    struct error why = ERROR_INIT;
    if (!ext4_is_ext(p)) {
        /* An EFI system partition and swap are no place for a system. */
        if (*p->fs && strcmp(p->fs, "vfat") != 0 && strcmp(p->fs, "swap") != 0) {
            error_set(&why, "no ext2-4 file system holds a system, and partition %u is %s",
                      p->number, p->fs);
            note_refusal(search, 0, &why);
        }
        return;
    }
    int answer = open_to_look(blocks, p, view, &fs, &why);
    if (answer <= 0) {
        note_refusal(search, answer, &why);
        return;
    }
    answer = holds_system(fs, p, &why);
    if (answer < 0)
        note_refusal(search, -1, &why);
    if (answer > 0)
        note_root(search, p);
}

/* What cannot be read only matters when there is no root without it. */
int ext4_find_root(struct blocks *blocks, const struct partitions *all, bool view,
                   const struct partition **root, struct error *err)
{
    struct search search = {.refusal = 1};
    for (size_t i = 0; i < all->count; i++)
        search_partition(blocks, &all->items[i], view, &search);
    if (search.second)
        return error_set(err, "two systems, on partitions %u and %u: which one is meant?",
                         search.second->number, search.root->number);
    *root = search.root;
    if (search.root)
        return 1;
    if (search.refusal < 1) {
        *err = search.why;
        return search.refusal;
    }
    return error_set(err, "no system: none of the %zu partitions is ext2-4 and has /etc/os-release",
                     all->count);
}
