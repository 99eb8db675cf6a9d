#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/digest.h"
#include "builder/fingerprint.h"
#include "builder/heap.h"
#include "common/cleanup.h"
#include "common/file.h"

/* Larger files are worth a line of progress. */
enum { LARGE = 64 << 20, RECORD_MAX = 4096, HEX_LEN = 64 };

/* What was hashed by this process. */
static struct seen {
    char *path;
    char fingerprint[FINGERPRINT_MAX];
    char hex[DIGEST_HEX_MAX];
} * seen;
static size_t seen_count, seen_cap;

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

int digest_path(const char *path, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    char fingerprint[FINGERPRINT_MAX];
    if (fingerprint_of(path, fingerprint, err) < 0)
        return -1;
    struct seen *known = find_seen(path);
    if (strcmp(known->fingerprint, fingerprint) != 0) {
        known->fingerprint[0] = '\0';
        if (hash_file(path, known->hex, err) < 0)
            return -1;
        memcpy(known->fingerprint, fingerprint, sizeof fingerprint);
    }
    memcpy(hex, known->hex, DIGEST_HEX_MAX);
    return 0;
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

int digest_kept(const char *folder, const char *path, bool again, char hex[static DIGEST_HEX_MAX],
                struct error *err)
{
    char fingerprint[FINGERPRINT_MAX], name[DIGEST_HEX_MAX];
    if (fingerprint_of(path, fingerprint, err) < 0 ||
        digest_memory(path, strlen(path), "sha256", name, err) < 0)
        return -1;
    char *file AUTO_FREE = heap_printf("%s/%.32s", folder, name);
    char *head AUTO_FREE = heap_printf("%s %s\n", fingerprint, path);
    if (!again && recall(file, head, hex))
        return 0;
    if (digest_path(path, hex, err) < 0)
        return -1;
    char *record AUTO_FREE = heap_printf("%s%s\n", head, hex);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", folder);
    /* Another build may be writing the same record; without one the file is read again. */
    struct error ignored = ERROR_INIT;
    (void)!file_publish(AT_FDCWD, file, record, strlen(record), 0600, &ignored);
    return 0;
}
