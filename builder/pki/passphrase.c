#include "builder/pki/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/pki/derive.h"
#include "common/cleanup.h"

struct line {
    char text[PASSPHRASE_MAX + 1];
    size_t len;
};

static struct line *lines; /* PASSPHRASES of them; NULL: none was ever taken */

void *secret_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return heap_array(1, size);
    /* Neither is promised: a limit may forbid the one, a kernel lack the other. */
    (void)mlock(memory, size);
    (void)madvise(memory, size, MADV_DONTDUMP);
    return memory;
}

static struct line *line_of(enum passphrase which)
{
    if (!lines) {
        lines = secret_memory(PASSPHRASES * sizeof *lines);
        atexit(passphrase_forget);
    }
    return &lines[which];
}

/* Byte by byte, so that what follows the line stays for others, and nothing of it lies elsewhere.
 */
static int read_line(int fd, struct line *line, struct error *err)
{
    char c = '\0';
    ssize_t n;
    *line = (struct line){.len = 0};
    while ((n = read(fd, &c, 1)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "read the passphrase");
        if (c == '\n')
            break;
        if (line->len == PASSPHRASE_MAX)
            return error_set(err, "its first line is longer than %d bytes", PASSPHRASE_MAX);
        if ((unsigned char)c < ' ' || c == '\177')
            return error_set(err, "its first line holds a control character");
        line->text[line->len++] = c;
    }
    explicit_bzero(&c, 1);
    if (line->len < PASSPHRASE_MIN)
        return error_set(err, "its first line has %zu bytes; a passphrase has at least %d",
                         line->len, PASSPHRASE_MIN);
    return 0;
}

static int take(enum passphrase which, int fd, struct error *err)
{
    struct line *line = line_of(which);
    derive_forget();
    if (read_line(fd, line, err) == 0)
        return 0;
    explicit_bzero(line, sizeof *line);
    return -1;
}

static int check_file(const struct stat *st, struct error *err)
{
    if (!S_ISREG(st->st_mode))
        return error_set(err, "not a regular file; for a pipe there is --passphrase-fd");
    if (st->st_uid != geteuid())
        return error_set(err, "belongs to uid %u, not to you (uid %u)", (unsigned)st->st_uid,
                         (unsigned)geteuid());
    if (st->st_mode & 077)
        return error_set(err, "mode %04o, so that others can read or write it: make it 0600",
                         (unsigned)st->st_mode & 07777);
    return 0;
}

int passphrase_read_file(enum passphrase which, const char *path, struct error *err)
{
    struct stat st;
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ELOOP)
        return error_set(err, "%s: a link; name the file itself", path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", path);
    if (check_file(&st, err) < 0 || take(which, fd, err) < 0)
        return error_context(err, "%s", path);
    return 0;
}

int passphrase_read_fd(enum passphrase which, int fd, struct error *err)
{
    if (fcntl(fd, F_GETFD) < 0)
        return error_errno(err, "descriptor %d", fd);
    if (isatty(fd))
        return error_set(err, "descriptor %d is a terminal, which would show it", fd);
    return take(which, fd, err) < 0 ? error_context(err, "descriptor %d", fd) : 0;
}

bool passphrase_given(enum passphrase which)
{
    return lines && lines[which].len > 0;
}

const char *passphrase_text(enum passphrase which, size_t *len)
{
    const struct line *line = line_of(which);
    *len = line->len;
    return line->text;
}

void passphrase_advance(void)
{
    struct line *next = line_of(PASSPHRASE_NEXT);
    derive_forget();
    *line_of(PASSPHRASE_NOW) = *next;
    explicit_bzero(next, sizeof *next);
}

void passphrase_forget(void)
{
    derive_forget();
    if (lines)
        explicit_bzero(lines, PASSPHRASES * sizeof *lines);
}
