#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/digest.h"
#include "builder/fingerprint.h"
#include "builder/heap.h"
#include "common/cleanup.h"
#include "common/file.h"

/* Larger files are worth a line of progress. */
enum { LARGE = 64 << 20, WORTH_KEEPING = 1 << 20, RECORD_MAX = 4096, HEX_LEN = 64 };

/* What was hashed by this process. */
static struct seen {
    char *path;
    char fingerprint[FINGERPRINT_MAX];
    char hex[DIGEST_HEX_MAX];
    bool again; /* read, whatever was remembered */
} * seen;
static size_t seen_count, seen_cap;

/* Where digest_path remembers. */
static struct {
    char *folder; /* NULL: nowhere */
    bool again;
} common;

static struct seen *find_seen(const char *path)
{
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i].path, path) == 0)
            return &seen[i];
    struct seen *s = APPEND(seen, seen_count, seen_cap);
    s->path = heap_copy(path);
    return s;
}

static int hash_file(const char *path, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct stat st;
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", path);
    if (st.st_size < LARGE)
        return digest_fd(fd, "sha256", NULL, hex, err) < 0 ? error_context(err, "%s", path) : 0;
    const char *slash = strrchr(path, '/');
    struct progress progress =
        progress_start((uint64_t)st.st_size, "hash %s", slash ? slash + 1 : path);
    int result = digest_fd(fd, "sha256", &progress, hex, err);
    progress_end(&progress);
    return result < 0 ? error_context(err, "%s", path) : 0;
}

/* A record is compared, never parsed: "FINGERPRINT PATH" on a line, and the digest on the next. */
static bool recall(const char *file, const char *head, char hex[static DIGEST_HEX_MAX])
{
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    size_t n = strlen(head);
    if (file_read(AT_FDCWD, file, RECORD_MAX, &text, &ignored) < 0 || text.len != n + HEX_LEN + 1 ||
        memcmp(text.data, head, n) != 0 || strspn(text.data + n, "0123456789abcdef") != HEX_LEN)
        return false;
    memcpy(hex, text.data + n, HEX_LEN);
    hex[HEX_LEN] = '\0';
    return true;
}

/* Another build may be writing the same record; without one the file is read again. */
static int remember(const char *folder, const char *file, const char *head, const char *hex,
                    struct error *err)
{
    struct error ignored = ERROR_INIT;
    char *record AUTO_FREE = heap_printf("%s%s\n", head, hex);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", folder);
    (void)!file_publish(AT_FDCWD, file, record, strlen(record), 0600, &ignored);
    return 0;
}

static int hash_kept(const char *folder, const char *path, const char *fingerprint, bool again,
                     char hex[static DIGEST_HEX_MAX], struct error *err)
{
    char name[DIGEST_HEX_MAX];
    if (digest_memory(path, strlen(path), "sha256", name, err) < 0)
        return -1;
    char *file AUTO_FREE = heap_printf("%s/%.32s", folder, name);
    char *head AUTO_FREE = heap_printf("%s %s\n", fingerprint, path);
    if (!again && recall(file, head, hex))
        return 0;
    return hash_file(path, hex, err) < 0 ? -1 : remember(folder, file, head, hex, err);
}

/* `folder` may be NULL. */
static int find_digest(const char *folder, const char *path, bool again,
                       char hex[static DIGEST_HEX_MAX], struct error *err)
{
    char fingerprint[FINGERPRINT_MAX];
    if (fingerprint_of(path, fingerprint, err) < 0)
        return -1;
    struct seen *known = find_seen(path);
    if (again != known->again || strcmp(known->fingerprint, fingerprint) != 0) {
        known->fingerprint[0] = '\0';
        if ((folder ? hash_kept(folder, path, fingerprint, again, known->hex, err)
                    : hash_file(path, known->hex, err)) < 0)
            return -1;
        memcpy(known->fingerprint, fingerprint, sizeof fingerprint);
        known->again = again;
    }
    memcpy(hex, known->hex, DIGEST_HEX_MAX);
    return 0;
}

void digest_keep_in(const char *folder, bool again)
{
    free(common.folder);
    common.folder = heap_copy(folder);
    common.again = again;
}

int digest_path(const char *path, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct stat st;
    bool worth = common.folder && stat(path, &st) == 0 && st.st_size >= WORTH_KEEPING;
    return find_digest(worth ? common.folder : NULL, path, common.again, hex, err);
}

int digest_kept(const char *folder, const char *path, bool again, char hex[static DIGEST_HEX_MAX],
                struct error *err)
{
    return find_digest(folder, path, again, hex, err);
}
