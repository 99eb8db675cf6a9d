#include "firstboot/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* statvfs and mount(2) number these differently; <sys/statvfs.h> of musl lacks some names. */
enum { SEEN_NOSYMFOLLOW = 0x2000 };
enum { MOUNT_NOSYMFOLLOW = 256 };

static const struct {
    unsigned long seen;
    unsigned long mount;
} flag_pairs[] = {
    {ST_NOSUID, MS_NOSUID},
    {ST_NODEV, MS_NODEV},
    {ST_NOEXEC, MS_NOEXEC},
    {ST_SYNCHRONOUS, MS_SYNCHRONOUS},
    {ST_MANDLOCK, MS_MANDLOCK},
    {ST_NOATIME, MS_NOATIME},
    {ST_NODIRATIME, MS_NODIRATIME},
    {ST_RELATIME, MS_RELATIME},
    {SEEN_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW},
};

static unsigned long mount_flags(unsigned long seen)
{
    unsigned long flags = 0;
    for (unsigned i = 0; i < ARRAY_LEN(flag_pairs); i++)
        if (seen & flag_pairs[i].seen)
            flags |= flag_pairs[i].mount;
    return flags;
}

int root_open(struct root *root, const char *path, struct error *err)
{
    root->path = path;
    root->fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root->fd < 0 ? error_errno(err, "open root %s", path) : 0;
}

int root_writable(struct root *root, struct error *err)
{
    struct statvfs st;
    if (fstatvfs(root->fd, &st) < 0)
        return error_errno(err, "look at root %s", root->path);
    if (root->remounted || !(st.f_flag & ST_RDONLY))
        return 0;
    root->flags = mount_flags(st.f_flag);
    if (mount(NULL, root->path, NULL, MS_REMOUNT | root->flags, NULL) < 0) {
        if (errno == EINVAL)
            return error_set(err, "%s is read-only and no mount point of its own", root->path);
        return error_errno(err, "remount %s read-write", root->path);
    }
    root->remounted = true;
    return 0;
}

int root_restore(struct root *root, struct error *err)
{
    if (!root->remounted)
        return 0;
    root->remounted = false;
    if (mount(NULL, root->path, NULL, MS_REMOUNT | MS_RDONLY | root->flags, NULL) < 0)
        return error_errno(err, "remount %s read-only", root->path);
    return 0;
}
