#include "firstboot/stamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/file.h"
#include "firstboot/lines.h"
#include "firstboot/resolve.h"

#define STAMP_DIR  "/var/lib/nodebake"
#define STAMP_NAME "stamp"
#define STAMP_HEAD "nodebake-stamp 1"

enum { STAMP_BYTES_MAX = 4096 };

/* Copies what follows `word` and a space. */
static bool take(struct lines *l, const char *word, char *out, size_t room)
{
    struct error ignored = ERROR_INIT;
    size_t n = strlen(word);
    char *line;
    if (lines_next(l, &line, &ignored) <= 0 || strncmp(line, word, n) != 0 || line[n] != ' ')
        return false;
    const char *value = line + n + 1;
    return *value && !strchr(value, ' ') && snprintf(out, room, "%s", value) < (int)room;
}

bool stamp_parse(char *text, size_t len, struct stamp *out)
{
    struct lines l = lines_of(text, len);
    struct error ignored = ERROR_INIT;
    char *line;
    return lines_next(&l, &line, &ignored) > 0 && strcmp(line, STAMP_HEAD) == 0 &&
           take(&l, "source", out->source, sizeof out->source) &&
           take(&l, "identity", out->identity, sizeof out->identity) &&
           take(&l, "node", out->node, sizeof out->node) && l.next == l.end;
}

int stamp_read(int root, struct stamp *out, struct error *err)
{
    char bytes[STAMP_BYTES_MAX + 1];
    struct buffer text = BUFFER_FIXED(bytes);
    int got = resolve_read(root, STAMP_DIR "/" STAMP_NAME, &text, err);
    return got > 0 ? stamp_parse(text.data, text.len, out) : got;
}

bool stamp_same(const struct stamp *a, const struct stamp *b)
{
    return strcmp(a->source, b->source) == 0 && strcmp(a->identity, b->identity) == 0;
}

int stamp_publish(struct dirs *dirs, const struct stamp *s, struct error *err)
{
    char bytes[STAMP_BYTES_MAX];
    int n = snprintf(bytes, sizeof bytes, STAMP_HEAD "\nsource %s\nidentity %s\nnode %s\n",
                     s->source, s->identity, s->node);
    struct dir *dir = dirs_make(dirs, STAMP_DIR, err);
    if (!dir || dirs_sync(dirs, err) < 0 ||
        file_publish(dir->fd, STAMP_NAME, bytes, (size_t)n, 0644, err) < 0)
        return error_context(err, "write the stamp");
    return 0;
}

int stamp_remove(struct dirs *dirs, struct error *err)
{
    struct dir *dir = dirs_find(dirs, STAMP_DIR);
    if (!dir)
        return 0;
    if (unlinkat(dir->fd, STAMP_NAME, 0) < 0)
        return errno == ENOENT ? 0 : error_errno(err, "take the stamp away");
    dir->dirty = true;
    return dirs_sync(dirs, err);
}
