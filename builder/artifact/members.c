#include "builder/artifact/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/artifact/walk.h"
#include "builder/heap.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { CHUNK = 128 * 1024 };

/* An artifact that is the file itself has one member, without `from`. */
static bool is_plain(const struct artifact *artifact)
{
    return artifact->members[0].from == NULL;
}

static int plain_size(int fd, const struct artifact *artifact, uint64_t *size, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "%s", artifact->file);
    if ((uint64_t)st.st_size > MEMBER_MAX)
        return error_set(err, "%s has %jd bytes, more than the 2 GiB allowed", artifact->file,
                         (intmax_t)st.st_size);
    *size = (uint64_t)st.st_size;
    return 0;
}

static int note_size(struct archive *a, struct archive_entry *entry, size_t index, void *ctx,
                     struct error *err)
{
    (void)a;
    (void)err;
    struct artifact *artifact = ctx;
    artifact->members[index].size = (uint64_t)archive_entry_size(entry);
    return 0;
}

int members_measure(int fd, struct artifact *artifact, struct error *err)
{
    if (is_plain(artifact))
        return plain_size(fd, artifact, &artifact->members[0].size, err);
    return archive_walk(fd, artifact, false, note_size, artifact, NULL, err);
}

/* An artifact that is the member itself. */
struct plain {
    int fd;
    off_t at;
    struct progress *progress;
};

/* Where the bytes of a member come from: the archive, or the artifact itself. */
typedef ssize_t member_reader(void *from, char *chunk, size_t n, struct error *err);

static ssize_t read_entry(void *from, char *chunk, size_t n, struct error *err)
{
    ssize_t got = archive_read_data(from, chunk, n);
    if (got >= 0)
        return got;
    const char *why = archive_error_string(from);
    return error_set(err, "%s", why ? why : "the archive is damaged");
}

static ssize_t read_plain(void *from, char *chunk, size_t n, struct error *err)
{
    struct plain *p = from;
    ssize_t got;
    do {
        got = pread(p->fd, chunk, n, p->at);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(err, "read");
    p->at += got;
    progress_add(p->progress, (uint64_t)got);
    return got;
}

static int copy_bytes(member_reader *read_some, void *from, int fd, uint64_t size,
                      struct error *err)
{
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    for (uint64_t done = 0;;) {
        ssize_t n = read_some(from, chunk, CHUNK, err);
        if (n < 0)
            return -1;
        if (n == 0 && done == size)
            return 0;
        done += (uint64_t)n;
        if (n == 0 || done > size)
            return error_set(err, "not the %ju bytes that its header says", (uintmax_t)size);
        if (file_write_all(fd, chunk, (size_t)n) < 0)
            return error_errno(err, "write");
    }
}

static int write_member(int dirfd, const struct member *m, uint64_t size, member_reader *read_some,
                        void *from, struct error *err)
{
    int fd AUTO_CLOSE =
        openat(dirfd, m->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    if (fd < 0)
        return error_errno(err, "create %s", m->name);
    if (copy_bytes(read_some, from, fd, size, err) < 0)
        return error_context(err, "unpack %s", m->name);
    if (fchmod(fd, m->mode) < 0 || fsync(fd) < 0)
        return error_errno(err, "write %s", m->name);
    return 0;
}

struct extraction {
    const struct artifact *artifact;
    int dirfd;
};

static int extract_entry(struct archive *a, struct archive_entry *entry, size_t index, void *ctx,
                         struct error *err)
{
    const struct extraction *x = ctx;
    if (write_member(x->dirfd, &x->artifact->members[index], (uint64_t)archive_entry_size(entry),
                     read_entry, a, err) == 0)
        return 0;
    return error_context(err, "%s", x->artifact->file);
}

int members_extract(int fd, const struct artifact *artifact, int dirfd, struct progress *progress,
                    struct error *err)
{
    if (!is_plain(artifact)) {
        struct extraction x = {artifact, dirfd};
        return archive_walk(fd, artifact, true, extract_entry, &x, progress, err);
    }
    struct plain plain = {fd, 0, progress};
    uint64_t size;
    if (plain_size(fd, artifact, &size, err) < 0)
        return -1;
    return write_member(dirfd, &artifact->members[0], size, read_plain, &plain, err);
}
