#include "builder/artifact/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cachedir.h"
#include "builder/fingerprint.h"
#include "builder/heap.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { RECORD_MAX = 256 * 1024 };

static const char staging[] = ".unpacking";
static const char replaced[] = ".replaced";

char *cache_path(const char *cache, const struct artifact *artifact, const struct member *member)
{
    return heap_printf("%s/artifacts/%s/%s", cache, artifact->digest, member->name);
}

int cache_open(const char *cache, bool create, int *fd, struct error *err)
{
    return cachedir_open(cache, "artifacts", create, fd, err);
}

static void verified_record(struct buffer *b, const struct stat *st)
{
    fingerprint_add(b, st);
    buffer_puts(b, "\n");
}

/* A changed mode, content or owner changes the ctime, so that one line tells all. */
static int add_member_record(struct buffer *b, int dirfd, const struct member *m, uint64_t *size)
{
    struct stat st;
    if (fstatat(dirfd, m->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
        (st.st_mode & 07777) != m->mode)
        return -1;
    *size = (uint64_t)st.st_size;
    buffer_printf(b, "%s ", m->name);
    fingerprint_add(b, &st);
    buffer_printf(b, " %s\n", m->from ? m->from : "-");
    return 0;
}

/* Records are compared, never parsed: a damaged one is as good as none. */
static bool read_record(int dirfd, const char *name, struct buffer *out)
{
    struct error ignored = ERROR_INIT;
    return dirfd >= 0 && file_read(dirfd, name, RECORD_MAX, out, &ignored) == 0;
}

static int open_digest(int fd, const struct artifact *artifact)
{
    if (fd < 0)
        return -1;
    return openat(fd, artifact->digest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool has_line(const struct buffer *text, const char *line)
{
    const char *at = text->data;
    while ((at = strstr(at, line)) != NULL) {
        if (at == text->data || at[-1] == '\n')
            return true;
        at++;
    }
    return false;
}

bool cache_holds(int fd, struct artifact *artifact)
{
    struct buffer record AUTO_BUFFER = buffer_heap(), line AUTO_BUFFER = buffer_heap();
    int dirfd AUTO_CLOSE = open_digest(fd, artifact);
    if (!read_record(dirfd, ".members", &record))
        return false;
    for (size_t i = 0; i < artifact->member_count; i++) {
        struct member *m = &artifact->members[i];
        buffer_clear(&line);
        if (add_member_record(&line, dirfd, m, &m->size) < 0 || !has_line(&record, line.data))
            return false;
    }
    return true;
}

bool cache_verified(int fd, const struct artifact *artifact, const struct stat *st)
{
    struct buffer record AUTO_BUFFER = buffer_heap(), now AUTO_BUFFER = buffer_heap();
    int dirfd AUTO_CLOSE = open_digest(fd, artifact);
    if (!read_record(dirfd, ".verified", &record))
        return false;
    verified_record(&now, st);
    return strcmp(now.data, record.data) == 0;
}

static int write_verified(int dirfd, const struct stat *st, struct error *err)
{
    struct buffer record AUTO_BUFFER = buffer_heap();
    verified_record(&record, st);
    return file_publish(dirfd, ".verified", record.data, record.len, 0600, err);
}

int cache_note_verified(int fd, const struct artifact *artifact, const struct stat *st,
                        struct error *err)
{
    int dirfd AUTO_CLOSE = open_digest(fd, artifact);
    if (dirfd < 0)
        return error_errno(err, "cache folder %s", artifact->digest);
    return write_verified(dirfd, st, err);
}

static void close_folder_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* Empties and removes a folder of the cache: it holds files only. Absent is fine. */
static int remove_folder(int fd, const char *name, struct error *err)
{
    int dirfd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dirfd < 0)
        return errno == ENOENT ? 0 : error_errno(err, "open %s", name);
    DIR *dir __attribute__((cleanup(close_folder_at))) = fdopendir(dirfd);
    if (!dir) {
        close(dirfd);
        return error_errno(err, "list %s", name);
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd, e->d_name, 0) < 0)
            return error_errno(err, "remove %s/%s", name, e->d_name);
    }
    if (unlinkat(fd, name, AT_REMOVEDIR) < 0)
        return error_errno(err, "remove %s", name);
    return 0;
}

int cache_begin(int fd, int *dirfd, struct error *err)
{
    if (remove_folder(fd, staging, err) < 0 || remove_folder(fd, replaced, err) < 0)
        return -1;
    if (mkdirat(fd, staging, 0700) < 0)
        return error_errno(err, "create %s", staging);
    *dirfd = openat(fd, staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *dirfd < 0 ? error_errno(err, "open %s", staging) : 0;
}

static int write_records(int dirfd, const struct artifact *artifact, const struct stat *st,
                         struct error *err)
{
    struct buffer record AUTO_BUFFER = buffer_heap();
    uint64_t size;
    for (size_t i = 0; i < artifact->member_count; i++)
        if (add_member_record(&record, dirfd, &artifact->members[i], &size) < 0)
            return error_set(err, "%s was changed while it was unpacked",
                             artifact->members[i].name);
    if (file_publish(dirfd, ".members", record.data, record.len, 0600, err) < 0)
        return -1;
    return write_verified(dirfd, st, err);
}

/* In one step where the file system can: another build may be reading the old folder's paths. */
static int swap_in(int fd, const char *name, struct error *err)
{
    if (renameat(fd, staging, fd, name) == 0)
        return 0;
    if (errno != EEXIST && errno != ENOTEMPTY)
        return error_errno(err, "rename %s to %s", staging, name);
    if (renameat2(fd, staging, fd, name, RENAME_EXCHANGE) == 0)
        return remove_folder(fd, staging, err);
    if (renameat(fd, name, fd, replaced) < 0 || renameat(fd, staging, fd, name) < 0)
        return error_errno(err, "replace %s", name);
    return remove_folder(fd, replaced, err);
}

int cache_commit(int fd, int dirfd, const struct artifact *artifact, const struct stat *st,
                 struct error *err)
{
    if (write_records(dirfd, artifact, st, err) < 0)
        return -1;
    if (fsync(dirfd) < 0)
        return error_errno(err, "sync %s", staging);
    if (swap_in(fd, artifact->digest, err) < 0)
        return -1;
    return fsync(fd) < 0 ? error_errno(err, "sync the cache folder") : 0;
}
