#include "builder/package/known.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { MEMORY_MAX = 1 << 20, KEPT_MAX = MEMORY_MAX / 2, SHA256_HEX = 64 };

/* What is worth to be told: a base takes a second. */
static const off_t PROGRESS_MIN = 64 << 20;

void known_read(int dirfd, const char *name, struct known *out)
{
    struct error ignored = ERROR_INIT;
    *out = (struct known){.text = buffer_heap()};
    if (dirfd >= 0 && file_read(dirfd, name, MEMORY_MAX, &out->text, &ignored) < 0)
        buffer_clear(&out->text);
}

/* The file, as its line begins. Any change of content, owner or mode changes the ctime. */
static void add_stat(struct buffer *b, const struct stat *st)
{
    buffer_printf(b, "%ju %ju %ju %jd.%09ld %jd.%09ld ", (uintmax_t)st->st_dev,
                  (uintmax_t)st->st_ino, (uintmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
                  st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool find(const struct known *known, const char *stat_text, char hex[static DIGEST_HEX_MAX])
{
    size_t n = strlen(stat_text);
    const char *line = known->text.data;
    while (line && strncmp(line, stat_text, n) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || strspn(line + n, "0123456789abcdef") != SHA256_HEX || line[n + SHA256_HEX] != '\n')
        return false;
    memcpy(hex, line + n, SHA256_HEX);
    hex[SHA256_HEX] = '\0';
    return true;
}

static int hash(int fd, const struct stat *st, const char *path, char hex[static DIGEST_HEX_MAX],
                struct error *err)
{
    if (st->st_size < PROGRESS_MIN)
        return digest_fd(fd, "sha256", NULL, hex, err);
    struct progress progress = progress_start((uint64_t)st->st_size, "hash %s", path);
    int result = digest_fd(fd, "sha256", &progress, hex, err);
    progress_end(&progress);
    return result;
}

static void add(struct known *known, const char *stat_text, const char *hex)
{
    struct buffer text = buffer_heap();
    buffer_printf(&text, "%s%s\n", stat_text, hex);
    buffer_add(&text, known->text.data, known->text.len);
    buffer_free(&known->text);
    known->text = text;
    known->changed = true;
}

int known_digest(struct known *known, const char *path, bool rehash,
                 char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct stat st, after;
    struct buffer before AUTO_BUFFER = buffer_heap(), now AUTO_BUFFER = buffer_heap();
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s: not a regular file", path);
    add_stat(&before, &st);
    if (!rehash && find(known, before.data, hex))
        return 0;
    if (hash(fd, &st, path, hex, err) < 0)
        return error_context(err, "%s", path);
    if (fstat(fd, &after) < 0)
        return error_errno(err, "%s", path);
    add_stat(&now, &after);
    if (strcmp(before.data, now.data) != 0)
        return error_set(err, "%s: was changed while it was read; run this again", path);
    add(known, before.data, hex);
    return 0;
}

int known_write(struct known *known, int dirfd, const char *name, struct error *err)
{
    size_t n = known->text.len;
    if (!known->changed)
        return 0;
    if (n > KEPT_MAX) {
        n = KEPT_MAX;
        while (n && known->text.data[n - 1] != '\n')
            n--;
    }
    known->changed = false;
    return file_publish(dirfd, name, known->text.data, n, 0600, err);
}

void known_free(struct known *known)
{
    buffer_free(&known->text);
}
