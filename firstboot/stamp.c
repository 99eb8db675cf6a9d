#include "firstboot/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/file.h"
#include "firstboot/lines.h"
#include "firstboot/resolve.h"
#include "firstboot/words.h"

#define STAMP_DIR    "/var/lib/nodebake"
#define STAMP_NAME   "stamp"
#define STAMP_BEFORE "stamp-before"
#define STAMP_TEMP   ".stamp.nodebake"
#define STAMP_HEAD   "nodebake-stamp 1"

enum { STAMP_BYTES_MAX = STAMP_FILES_MAX + 4096 };

/* What follows `word` and a space, or NULL. */
static const char *value_of(const char *line, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || line[n] != ' ')
        return NULL;
    const char *value = line + n + 1;
    return *value && !strchr(value, ' ') ? value : NULL;
}

/* Copies what follows `word` in the next line. */
static bool take(struct lines *l, const char *word, char *out, size_t room)
{
    struct error ignored = ERROR_INIT;
    char *line;
    const char *value = lines_next(l, &line, &ignored) > 0 ? value_of(line, word) : NULL;
    return value && snprintf(out, room, "%s", value) < (int)room;
}

/* The lines behind the first four: at most one instance, then files. */
static bool take_rest(struct lines *l, struct stamp *out)
{
    struct error ignored = ERROR_INIT;
    char *line;
    int got;
    for (bool first = true; (got = lines_next(l, &line, &ignored)) > 0; first = false) {
        const char *instance = first ? value_of(line, "instance") : NULL;
        const char *file = value_of(line, "file");
        if (instance && snprintf(out->instance, VALUE_MAX, "%s", instance) < VALUE_MAX)
            continue;
        if (!file || !word_is_path(file, true) || out->file_count == ARRAY_LEN(out->files))
            return false;
        out->files[out->file_count++] = file;
    }
    return got == 0;
}

bool stamp_parse(char *text, size_t len, struct stamp *out)
{
    struct lines l = lines_of(text, len);
    struct error ignored = ERROR_INIT;
    char *line;
    *out = (struct stamp){0};
    return lines_next(&l, &line, &ignored) > 0 && strcmp(line, STAMP_HEAD) == 0 &&
           take(&l, "source", out->source, sizeof out->source) &&
           take(&l, "identity", out->identity, sizeof out->identity) &&
           take(&l, "node", out->node, sizeof out->node) && take_rest(&l, out);
}

int stamp_read(int root, struct stamp *out, struct error *err)
{
    static const char *const paths[] = {STAMP_DIR "/" STAMP_NAME, STAMP_DIR "/" STAMP_BEFORE};
    static char bytes[STAMP_BYTES_MAX + 1];
    bool damaged = false;
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
        struct buffer text = BUFFER_FIXED(bytes);
        struct error cause = ERROR_INIT;
        int got = resolve_read(root, paths[i], &text, &cause);
        if (got < 0 && errno != EINVAL && errno != EFBIG)
            return error_set(err, "%s", cause.text);
        if (got > 0 && stamp_parse(text.data, text.len, out)) {
            out->before = i == 1;
            out->damaged = damaged;
            return 1;
        }
        damaged = damaged || got != 0;
    }
    *out = (struct stamp){.damaged = damaged};
    return 0;
}

bool stamp_same(const struct stamp *a, const struct stamp *b)
{
    return strcmp(a->source, b->source) == 0 && strcmp(a->identity, b->identity) == 0;
}

bool stamp_is_others(const struct stamp *found, const struct stamp *wanted)
{
    if (!found->identity[0] || !wanted->identity[0])
        return false;
    if (strcmp(found->source, "file") == 0 || strcmp(wanted->source, "file") == 0)
        return found->node[0] != '-' && wanted->node[0] && strcmp(found->node, wanted->node) != 0;
    if (strcmp(found->source, wanted->source) == 0 && found->instance[0] && wanted->instance[0])
        return strcmp(found->instance, wanted->instance) != 0;
    return !stamp_same(found, wanted);
}

/* Also over an empty directory, which is no stamp either. */
static int put_in_place(int dir, const char *from, const char *to)
{
    int done = renameat(dir, from, dir, to);
    if (done < 0 && errno == EISDIR && unlinkat(dir, to, AT_REMOVEDIR) == 0)
        done = renameat(dir, from, dir, to);
    return done;
}

/* A node that is not known is `-`, which no node is called. */
int stamp_begin(struct dirs *dirs, const struct stamp *s, const char *files, struct error *err)
{
    static char bytes[STAMP_BYTES_MAX];
    struct buffer text = BUFFER_FIXED(bytes);
    buffer_printf(&text, STAMP_HEAD "\nsource %s\nidentity %s\nnode %s\n", s->source, s->identity,
                  s->node[0] ? s->node : "-");
    if (s->instance[0])
        buffer_printf(&text, "instance %s\n", s->instance);
    buffer_puts(&text, files);
    struct dir *dir = dirs_make(dirs, STAMP_DIR, err);
    if (!dir)
        return error_context(err, "write the stamp");
    if (file_stage(dir->fd, STAMP_TEMP, text.data, text.len, 0644, 0, 0, err) < 0)
        error_context(err, "write the stamp");
    else if (put_in_place(dir->fd, STAMP_TEMP, STAMP_BEFORE) < 0)
        error_errno(err, "put the stamp in place");
    else {
        dir->dirty = true;
        return dirs_sync(dirs, err);
    }
    unlinkat(dir->fd, STAMP_TEMP, 0);
    return -1;
}

int stamp_finish(struct dirs *dirs, struct error *err)
{
    struct dir *dir = dirs_make(dirs, STAMP_DIR, err);
    if (!dir || dirs_sync(dirs, err) < 0)
        return -1;
    if (put_in_place(dir->fd, STAMP_BEFORE, STAMP_NAME) < 0)
        return error_errno(err, "put the stamp in place");
    dir->dirty = true;
    return dirs_sync(dirs, err);
}

int stamp_put_aside(struct dirs *dirs, bool known, struct error *err)
{
    struct dir *dir = dirs_find(dirs, STAMP_DIR);
    if (!dir)
        return 0;
    if ((known ? unlinkat(dir->fd, STAMP_NAME, 0)
               : renameat(dir->fd, STAMP_NAME, dir->fd, STAMP_BEFORE)) < 0)
        return errno == ENOENT ? 0 : error_errno(err, "put the stamp aside");
    dir->dirty = true;
    return dirs_sync(dirs, err);
}
