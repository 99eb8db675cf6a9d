/* A root of its own below /tmp, for tests of what firstboot writes. */
#ifndef NB_FIRSTBOOT_ROOT_FIXTURE_H
#define NB_FIRSTBOOT_ROOT_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"

static char root_path[64];
static int root = -1;

static inline void say(const char *path, const char *text)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

/* Files are to be root's: anybody else becomes root of a user namespace. */
static inline void become_root(void)
{
    static bool done;
    char uids[32], gids[32];
    if (done || geteuid() == 0)
        return;
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
    assert_int_equal(unshare(CLONE_NEWUSER), 0);
    say("/proc/self/setgroups", "deny");
    say("/proc/self/uid_map", uids);
    say("/proc/self/gid_map", gids);
    done = true;
}

/* Makes an empty root (0755): root_path, and root, a descriptor of it. */
static inline int root_setup(void **state)
{
    (void)state;
    become_root();
    snprintf(root_path, sizeof root_path, "/tmp/firstboot-test-XXXXXX");
    assert_non_null(mkdtemp(root_path));
    root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    assert_int_equal(fchmod(root, 0755), 0);
    umask(022);
    return 0;
}

static inline int root_take_away(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* Takes it away with all that is in it. */
static inline int root_teardown(void **state)
{
    (void)state;
    close(root);
    return nftw(root_path, root_take_away, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes the directories above `path`, which is relative to the root. */
static inline void make_dirs_above(const char *path)
{
    char prefix[512];
    for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
        snprintf(prefix, sizeof prefix, "%.*s", (int)(p - path), path);
        assert_true(mkdirat(root, prefix, 0755) == 0 || errno == EEXIST);
    }
}

/* Writes a file (0600), and the directories above it. */
static inline void put(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    make_dirs_above(path);
    assert_int_equal(file_stage(root, path, text, strlen(text), 0600, 0, 0, &err), 0);
}

/* The first bytes of a file, or of a link's target; NULL when it is not there. */
static inline const char *get(const char *path)
{
    static char text[512];
    ssize_t n = readlinkat(root, path, text, sizeof text - 1);
    if (n < 0) {
        int fd AUTO_CLOSE = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    }
    if (n < 0)
        return NULL;
    text[n] = '\0';
    return text;
}

/* What stands at `path` itself, no link followed; st_mode is 0 when nothing does. */
static inline struct stat look(const char *path)
{
    struct stat st = {0};
    if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        st.st_mode = 0;
    return st;
}

static unsigned root_left_over;

static inline int root_count_temporary(const char *path, const struct stat *st, int type,
                                       struct FTW *at)
{
    (void)st, (void)type;
    root_left_over += strstr(path + at->base, ".nodebake") != NULL;
    return 0;
}

/* The number of temporary files in the root. */
static inline unsigned left_over(void)
{
    root_left_over = 0;
    assert_int_equal(nftw(root_path, root_count_temporary, 16, FTW_PHYS), 0);
    return root_left_over;
}

#endif
