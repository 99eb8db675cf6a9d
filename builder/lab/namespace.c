#include "builder/lab/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

static int write_to(const char *path, const char *text, struct error *err)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || file_write_all(fd, text, strlen(text)) < 0)
        return error_errno(err, "write %s", path);
    return 0;
}

/* The files of /proc/self are root's while the process must not be dumped, which is so once a
 * passphrase was read; no core is written all the same. */
static int own_proc_files(struct error *err)
{
    /* With a limit of 1 the kernel does not give it to a program either, which 0 does not keep it
     * from. */
    const struct rlimit one = {1, 1}, none = {0};
    if ((setrlimit(RLIMIT_CORE, &one) < 0 && setrlimit(RLIMIT_CORE, &none) < 0) ||
        prctl(PR_SET_DUMPABLE, 1) < 0)
        return error_errno(err, "let go of core dumps");
    return 0;
}

int namespace_enter(struct error *err)
{
    char uids[32], gids[32];
    if (own_proc_files(err) < 0)
        return -1;
    snprintf(uids, sizeof uids, "0 %u 1\n", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1\n", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID) < 0) {
        if (errno == EPERM || errno == ENOSPC)
            return error_errno(err, "this system lets you make no user namespace (see the sysctls "
                                    "kernel.unprivileged_userns_clone, user.max_user_namespaces, "
                                    "kernel.apparmor_restrict_unprivileged_userns)");
        return error_errno(err, "make namespaces");
    }
    /* Without this right given up, nobody but root may map groups. */
    if (write_to("/proc/self/setgroups", "deny", err) < 0 ||
        write_to("/proc/self/uid_map", uids, err) < 0)
        return -1;
    return write_to("/proc/self/gid_map", gids, err);
}
