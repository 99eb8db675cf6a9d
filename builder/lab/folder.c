#include "builder/lab/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/control.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "common/cleanup.h"
#include "common/file.h"

static const double END_SECONDS = 20;

/* The lock goes last: while it is there, the folder is a lab's. */
static const char *const files[] = {
    LAB_CONTROL,      LAB_PROCESS,  LAB_LOG,      LAB_KUBECONFIG,   LAB_DHCP_CONFIG,
    LAB_DHCP_LEASES,  LAB_DHCP_LOG, LAB_BALANCER, LAB_BALANCER_LOG, LAB_BALANCER_SOCK,
    LAB_METADATA_LOG, LAB_NTP_LOG,  LAB_LOCK};

static void close_dir_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
#define AUTO_DIR __attribute__((cleanup(close_dir_at)))

static DIR *list(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *open = fd < 0 ? NULL : fdopendir(fd);
    if (!open && fd >= 0)
        close(fd);
    return open;
}

static const char *next(DIR *dir)
{
    struct dirent *e;
    while (dir && (e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            return e->d_name;
    return NULL;
}

/* One that was there before may be open to others, or theirs. */
static int keep_private(int dir, const char *path, struct error *err)
{
    struct stat s;
    if (fstat(dir, &s) < 0)
        return error_errno(err, "%s", path);
    if (s.st_uid != geteuid())
        return error_set(err, "%s belongs to somebody else; name another folder with --state",
                         path);
    if (s.st_mode & 077 && fchmod(dir, 0700) < 0)
        return error_errno(err, "chmod %s", path);
    return 0;
}

int lab_folder_open(const char *path, bool make, int *fd, struct error *err)
{
    if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", path);
    int dir AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && !make && errno == ENOENT)
        return error_set(err, "there is no lab in %s; `nodebake lab up` starts one", path);
    if (dir < 0)
        return error_errno(err, "open %s", path);
    if (faccessat(dir, LAB_LOCK, F_OK, 0) < 0) {
        DIR *all AUTO_DIR = list(dir, ".");
        if (!make)
            return error_set(err, "there is no lab in %s; `nodebake lab up` starts one", path);
        /* Another `lab up` may have made it meanwhile; it locks the folder before all else. */
        if (next(all) && faccessat(dir, LAB_LOCK, F_OK, 0) < 0)
            return error_set(err,
                             "%s has files in it that are not a lab's; name another folder "
                             "with --state",
                             path);
    }
    if (make && keep_private(dir, path, err) < 0)
        return -1;
    *fd = steal_fd(&dir);
    return 0;
}

/* A lock whose file somebody just removed is none. */
int lab_folder_lock(int dir, int *lock, struct error *err)
{
    struct stat s;
    for (int tries = 0; tries < 10; tries++) {
        int fd AUTO_CLOSE =
            openat(dir, LAB_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
        if (fd < 0)
            return error_errno(err, "open the lab's lock");
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? 0 : error_errno(err, "lock the lab");
        if (fstat(fd, &s) == 0 && s.st_nlink > 0) {
            *lock = steal_fd(&fd);
            return 1;
        }
    }
    return error_set(err, "the lab's folder is being removed by another nodebake");
}

/* Field 22 of /proc/PID/stat, behind the name in brackets; 0: no such process, or one that ended
 * and is only not waited for. */
static unsigned long long start_of(pid_t pid)
{
    struct error ignored = ERROR_INIT;
    struct buffer stat AUTO_BUFFER = buffer_heap();
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (file_read(AT_FDCWD, path, 4096, &stat, &ignored) < 0)
        return 0;
    const char *at = strrchr(stat.data, ')');
    if (!at || strncmp(at, ") Z", 3) == 0)
        return 0;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

int lab_folder_note(int dir, pid_t pid, struct error *err)
{
    char *text AUTO_FREE = heap_printf("{\"pid\": %d, \"start\": %llu}\n", (int)pid, start_of(pid));
    return file_publish(dir, LAB_PROCESS, text, strlen(text), 0600, err);
}

/* The supervisor that is noted there, if it is that process still; or 0. */
static pid_t noted(int dir)
{
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(dir, LAB_PROCESS, 4096, &text, &ignored) < 0)
        return 0;
    json_t *json AUTO_JSON = json_loadb(text.data, text.len, 0, NULL);
    pid_t pid = (pid_t)json_integer_value(json_object_get(json, "pid"));
    unsigned long long start =
        (unsigned long long)json_integer_value(json_object_get(json, "start"));
    return pid > 1 && start && start_of(pid) == start ? pid : 0;
}

bool lab_folder_kill(int dir)
{
    pid_t pid = noted(dir);
    return pid && kill(pid, SIGKILL) == 0;
}

/* Killed, it lets go of the lock before the kernel has ended what it started. */
void lab_folder_await_end(int dir)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    for (double until = link_now() + END_SECONDS; noted(dir) && link_now() < until;)
        nanosleep(&pause, NULL);
}

/* The machines' sockets are in folders of their own. */
void lab_folder_sweep(int dir)
{
    static const char *const sockets[] = {"console", "agent", "qmp"};
    DIR *nodes AUTO_DIR = list(dir, LAB_NODES);
    const char *name;
    unlinkat(dir, LAB_CONTROL, 0);
    unlinkat(dir, LAB_BALANCER_SOCK, 0);
    unlinkat(dir, LAB_PROCESS, 0);
    while ((name = next(nodes)))
        for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
            char *path AUTO_FREE = heap_printf(LAB_NODES "/%s/%s", name, sockets[i]);
            unlinkat(dir, path, 0);
        }
}

/* Removes a folder, unless somebody put something into it. */
static int remove_empty(int dir, const char *path, struct error *err)
{
    if (unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY &&
        errno != ENOTDIR)
        return error_errno(err, "remove %s", path);
    return 0;
}

/* A folder of a machine holds files only; other folders in it are somebody's. */
static int remove_folder(int dir, const char *path, struct error *err)
{
    DIR *all AUTO_DIR = list(dir, path);
    const char *name;
    while ((name = next(all))) {
        if (unlinkat(dirfd(all), name, 0) < 0 && errno != ENOENT && errno != EISDIR)
            return error_errno(err, "remove %s/%s", path, name);
    }
    return remove_empty(dir, path, err);
}

/* What a client or a service that was killed left half made; the kubeconfig's is a secret. */
static void remove_unfinished(int dir)
{
    static const char *const patterns[] = {"*.nodebake-tmp", LAB_BALANCER_SOCK ".*.tmp",
                                           LAB_BALANCER_SOCK ".*.bak"};
    DIR *all AUTO_DIR = list(dir, ".");
    const char *name;
    while ((name = next(all)))
        for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
            if (fnmatch(patterns[i], name, 0) == 0)
                unlinkat(dir, name, 0);
}

static int remove_nodes(int dir, struct error *err)
{
    DIR *nodes AUTO_DIR = list(dir, LAB_NODES);
    const char *name;
    while ((name = next(nodes))) {
        char *path AUTO_FREE = heap_printf(LAB_NODES "/%s", name);
        if (remove_folder(dir, path, err) < 0)
            return -1;
    }
    return remove_empty(dir, LAB_NODES, err);
}

int lab_folder_remove(int dir, const char *path, bool *rest, struct error *err)
{
    if (remove_nodes(dir, err) < 0)
        return error_context(err, "%s", path);
    remove_unfinished(dir);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (unlinkat(dir, files[i], 0) < 0 && errno != ENOENT)
            return error_errno(err, "remove %s/%s", path, files[i]);
    *rest = rmdir(path) < 0;
    return 0;
}

void lab_folder_remove_unused(int dir, const char *path)
{
    struct error ignored = ERROR_INIT;
    bool rest;
    if ((unlinkat(dir, LAB_NODES, AT_REMOVEDIR) == 0 || errno == ENOENT) &&
        lab_folder_remove(dir, path, &rest, &ignored) < 0)
        ignored.text[0] = '\0';
}
