/* A file system that is only looked at, whatever state it was left in. */
#include "builder/image/ext4/ext4.h"

static void remark(struct buffer *remarks, const char *dir, const char *text)
{
    if (remarks)
        buffer_printf(remarks, "%s: %s\n", dir, text);
}

/* What the journal holds is lost to the view when it cannot be read. */
static int open_recovered(struct blocks *blocks, const struct partition *partition, const char *dir,
                          struct buffer *remarks, ext2_filsys *out, struct error *err)
{
    struct error why = ERROR_INIT;
    if (ext4_fs_open_recovered(blocks, partition, out, &why) == 0) {
        remark(remarks, dir,
               "needs recovery, for it was not shut down; shown as its journal will leave it");
        return 0;
    }
    if (ext4_fs_open(blocks, partition, false, 1, out, err) < 0)
        return -1;
    if (remarks)
        buffer_printf(
            remarks,
            "%s: needs recovery, and its journal cannot be read (%s): the last changes are "
            "missing here\n",
            dir, why.text);
    return 0;
}

int ext4_view_volume(struct blocks *blocks, const struct partition *partition, const char *dir,
                     struct buffer *remarks, ext2_filsys *out, struct error *err)
{
    unsigned flaws = 0;
    int answer = ext4_check_view(blocks, partition, &flaws, err);
    if (answer <= 0)
        return answer;
    if (flaws & EXT4_HAS_ERRORS)
        remark(remarks, dir, "its file system records errors; run e2fsck on it");
    if (flaws & EXT4_NOT_UNMOUNTED)
        remark(remarks, dir, "was not shut down, and has no journal: it may be inconsistent");
    int result = flaws & EXT4_NOT_RECOVERED
                     ? open_recovered(blocks, partition, dir, remarks, out, err)
                     : ext4_fs_open(blocks, partition, false, 1, out, err);
    return result < 0 ? -1 : 1;
}
