/* For tests: a folder for each one, disks with something in them, and what runs there. */
#ifndef NB_BUILDER_DISK_FIXTURE_H
#define NB_BUILDER_DISK_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/error.h"

#define RUN(...)        run_tool((const char *const[]){__VA_ARGS__, NULL})
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

static inline void run_tool(const char *const *argv)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static inline int enter_folder(void **state)
{
    char *folder = heap_copy("/tmp/nodebake-disk-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
    RUN("rm", "-r", *state);
    free(*state);
    return chdir("/");
}

static inline void expect(int result, const struct error *err)
{
    if (result < 0)
        fail_msg("%s", err->text);
    assert_string_equal(err->text, "");
}

static inline void expect_error(int result, const struct error *err, const char *message)
{
    assert_int_equal(result, -1);
    if (!strstr(err->text, message))
        fail_msg("'%s' lacks '%s'", err->text, message);
}

static inline struct stat stat_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        fail_msg("%s: %s", path, strerror(errno));
    return st;
}

/* A file that is all hole. */
static inline void make_disk(const char *path, off_t size)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
}

static inline void put_bytes(const char *path, off_t at, const void *bytes, size_t n)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
}

/* n bytes that no compressor makes much smaller, other ones for each seed. */
static inline void put_noise(const char *path, off_t at, size_t n, uint64_t seed)
{
    uint64_t state = seed * 2 + 1;
    unsigned char *bytes = heap_array(n + 1, 1);
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (unsigned char)(state >> 56);
    }
    put_bytes(path, at, bytes, n);
    free(bytes);
}

/* From now on at most so many cores are used, of those that there are; what is started, too. */
static inline void use_cores(int most)
{
    static cpu_set_t all;
    cpu_set_t some;
    if (CPU_COUNT(&all) == 0)
        assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    some = all;
    for (int core = CPU_SETSIZE - 1; core >= 0 && CPU_COUNT(&some) > most; core--)
        CPU_CLR((size_t)core, &some);
    assert_int_equal(sched_setaffinity(0, sizeof some, &some), 0);
}

/* Names in the folder, but for "." and ".."; they begin with the prefix. */
static inline size_t count_files(const char *folder, const char *prefix)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *item; (item = readdir(dir));)
        n += strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
             strncmp(item->d_name, prefix, strlen(prefix)) == 0;
    closedir(dir);
    return n;
}

/* The id of a qemu-nbd with this word in its arguments, or 0. */
static inline pid_t find_qemu_nbd(const char *word)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *item; (item = readdir(proc));) {
        char path[300], text[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", item->d_name);
        int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
        if (n > 9 && memcmp(text, "qemu-nbd", 9) == 0 &&
            memmem(text, (size_t)n, word, strlen(word)))
            found = atoi(item->d_name);
    }
    closedir(proc);
    return found;
}

/* Within some seconds there is none. */
static inline bool qemu_nbd_gone(const char *word)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    for (int tries = 500; tries; tries--) {
        if (!find_qemu_nbd(word))
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static inline int write_text(const char *path, const char *text)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* A mount namespace of our own; as an ordinary user inside a user namespace. */
static inline int own_mounts(void)
{
    char map[64];
    uid_t uid = getuid();
    if (uid == 0)
        return unshare(CLONE_NEWNS);
    snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? write_text("/proc/self/uid_map", map) : -1;
}

/* In a process of its own: mounts a file system of 1 MiB on the new folder "small", and runs what
 * is to fail there; its error has to hold the message. Says whether it was so. */
static inline void fails_on_full_disk(int (*run)(struct error *err), const char *message)
{
    enum { AS_EXPECTED, OTHERWISE, NO_MOUNTS };
    assert_int_equal(mkdir("small", 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error err = ERROR_INIT;
        if (own_mounts() < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "small", "tmpfs", 0, "size=1m") < 0)
            _exit(NO_MOUNTS);
        if (run(&err) == -1 && strstr(err.text, message))
            _exit(AS_EXPECTED);
        fprintf(stderr, "# '%s' lacks '%s'\n", err.text, message);
        _exit(OTHERWISE);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNTS)
        skip();
    assert_int_equal(status, AS_EXPECTED);
}

#endif
