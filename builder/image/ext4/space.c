#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"

int ext4_space(struct disk *disk, const char *dir, struct disk_space *out, struct error *err)
{
    struct place place;
    char *existing AUTO_FREE = heap_copy(dir);
    int found = ext4_find(disk, existing, true, &place, err);
    while (found == 0) {
        char *slash = strrchr(existing, '/');
        if (!slash)
            return error_set(err, "free room of %s: not an absolute path", dir);
        slash[slash == existing] = '\0';
        found = ext4_find(disk, existing, true, &place, err);
    }
    if (found < 0)
        return error_context(err, "free room");
    ext2_filsys fs = place.volume->fs;
    uint64_t blocks = ext2fs_free_blocks_count(fs->super);
    uint64_t kept = ext2fs_r_blocks_count(fs->super);
    *out = (struct disk_space){.bytes = blocks > kept ? (blocks - kept) * fs->blocksize : 0,
                               .inodes = fs->super->s_free_inodes_count,
                               .id = (uint64_t)(place.volume - disk->volumes)};
    return 0;
}
