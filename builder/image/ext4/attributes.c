#include "builder/image/ext4/attributes.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/io.h"

enum { NAME_MAX_BYTES = 255 }; /* behind the prefix */

/* The prefixes that the kernel knows; libext2fs would store others, under a name that it does
 * not. */
static int check_name(const char *name, struct error *err)
{
    static const char *const prefixes[] = {"user.", "trusted.", "security."};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], n) == 0 && name[n] && strlen(name + n) <= NAME_MAX_BYTES)
            return 0;
    }
    if (strcmp(name, "system.posix_acl_access") == 0 ||
        strcmp(name, "system.posix_acl_default") == 0)
        return 0;
    return error_set(err, "'%.64s' cannot be the name of an extended attribute", name);
}

int attributes_check(const struct entry *entry, struct error *err)
{
    for (size_t i = 0; i < entry->xattr_count; i++)
        if (check_name(entry->xattrs[i].name, err) < 0)
            return -1;
    return 0;
}

static errcode_t set_all(struct ext2_xattr_handle *handle, const struct entry *entry)
{
    errcode_t code = ext2fs_xattrs_read(handle);
    for (size_t i = 0; i < entry->xattr_count && !code; i++)
        code = ext2fs_xattr_set(handle, entry->xattrs[i].name, entry->xattrs[i].value,
                                entry->xattrs[i].len);
    return code;
}

static int set_on_disk(const struct node *node, const struct entry *entry, struct error *err)
{
    struct ext2_xattr_handle *handle = NULL;
    /* As the kernel does with the first one. */
    ext2fs_set_feature_xattr(node->fs->super);
    errcode_t code = ext2fs_xattrs_open(node->fs, node->ino, &handle);
    if (!code)
        code = set_all(handle, entry);
    if (handle)
        ext2fs_xattrs_close(&handle);
    if (code)
        return ext4_error(err, code, "set extended attributes");
    return 0;
}

int attributes_set(struct node *node, const struct entry *entry, struct error *err)
{
    if (!entry->xattr_count)
        return 0;
    int result = set_on_disk(node, entry, err);
    /* It has changed there also when it failed on the way. */
    struct error unread = ERROR_INIT;
    if (node_reread(node, &unread) < 0)
        return error_set(err, "%s", unread.text);
    return result;
}

/* What a small file holds in place of blocks is kept as an attribute, too. */
static int add_attribute(char *name, char *value, size_t n, void *opaque)
{
    struct disk_item *item = opaque;
    if (strcmp(name, "system.data") == 0)
        return 0;
    struct xattr *x = APPEND(item->xattrs, item->xattr_count, item->xattr_cap);
    *x = (struct xattr){.name = heap_copy(name), .value = heap_array(n + 1, 1), .len = n};
    if (n)
        memcpy(x->value, value, n);
    return 0;
}

int attributes_read(const struct node *node, struct disk_item *out, struct error *err)
{
    struct ext2_xattr_handle *handle = NULL;
    errcode_t code = ext2fs_xattrs_open(node->fs, node->ino, &handle);
    if (!code)
        code = ext2fs_xattrs_read(handle);
    if (!code)
        code = ext2fs_xattrs_iterate(handle, add_attribute, out);
    if (handle)
        ext2fs_xattrs_close(&handle);
    return code ? ext4_error(err, code, "read extended attributes") : 0;
}

int attributes_release(struct node *node, struct error *err)
{
    ext2_filsys fs = node->fs;
    blk64_t block = ext2fs_file_acl_block(fs, EXT2_INODE(node->raw));
    errcode_t code = ext2fs_free_ext_attr(fs, node->ino, node->raw);
    if (code)
        return ext4_error(err, code, "remove the extended attributes of inode %u", node->ino);
    /* Inodes may share the block. */
    if (block && !ext2fs_test_block_bitmap2(fs->block_map, block) && node_is_secret(node) &&
        ext4_io_zero(fs, block * fs->blocksize, fs->blocksize, err) < 0)
        return -1;
    return node_write(node, err);
}
