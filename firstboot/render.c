#include "firstboot/render.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/template.h"
#include "firstboot/resolve.h"
#include "firstboot/words.h"

#define IDENTITY_DIR "/usr/lib/nodebake/identity"
#define TEMPLATE_DIR "/usr/lib/nodebake/templates"

/* Keys pass through both; whoever used one wipes it. */
static char raw_bytes[RENDER_BYTES_MAX + 1];
static char text_bytes[RENDER_BYTES_MAX + 1];

static void wipe(struct buffer *b)
{
    explicit_bzero(b->data, b->len);
    buffer_clear(b);
}

/* A path of the contract with its facts filled in. */
static int expand(const char *path, struct facts *facts, char out[static DIR_PATH_MAX],
                  struct error *err)
{
    struct buffer b = {.data = out, .cap = DIR_PATH_MAX};
    return template_render(&b, path, strlen(path), facts_lookup, facts, NULL, err);
}

static int expand_dest(const struct contract_file *f, struct facts *facts,
                       char out[static DIR_PATH_MAX], struct error *err)
{
    if (f->identity)
        return expand(f->dest, facts, out, err);
    snprintf(out, DIR_PATH_MAX, "%s", f->dest);
    return 0;
}

static int find_in_bundle(const struct facts *facts, const char *file, struct bundle_file *out,
                          struct error *err)
{
    if (bundle_find(&facts->bundle, file, out))
        return 0;
    return error_set(err, "%s: %s: it has no file %s", facts->source,
                     contract_fact_of(facts->contract, VALUE_BUNDLE)->name, file);
}

int render_check_bundle(struct facts *facts, struct error *err)
{
    const struct contract *c = facts->contract;
    char file[DIR_PATH_MAX];
    struct bundle_file found;
    for (unsigned i = 0; contract_fact_of(c, VALUE_BUNDLE) && i < c->file_count; i++)
        if (c->files[i].identity && (expand(c->files[i].identity, facts, file, err) < 0 ||
                                     find_in_bundle(facts, file, &found, err) < 0))
            return -1;
    return 0;
}

static int load_identity(const struct contract_file *f, struct facts *facts, int root,
                         struct buffer *out, struct error *err)
{
    char file[DIR_PATH_MAX], path[DIR_PATH_MAX + sizeof IDENTITY_DIR];
    if (expand(f->identity, facts, file, err) < 0)
        return -1;
    if (contract_fact_of(facts->contract, VALUE_BUNDLE)) {
        struct bundle_file found;
        if (find_in_bundle(facts, file, &found, err) < 0)
            return -1;
        buffer_add(out, found.bytes, found.len);
        return 0;
    }
    snprintf(path, sizeof path, IDENTITY_DIR "/%s", file);
    int got = resolve_read(root, path, out, err);
    if (got == 0)
        error_set(err, "%s: %s: this image has no identity for node %s (identity/%s is missing)",
                  facts->source, CONTRACT_NODE_FACT, facts_value(facts, CONTRACT_NODE_FACT), file);
    return got > 0 ? 0 : -1;
}

static int load_template(const struct contract_file *f, struct facts *facts, int root,
                         struct buffer *out, struct error *err)
{
    char path[DIR_PATH_MAX + sizeof TEMPLATE_DIR];
    struct buffer raw = BUFFER_FIXED(raw_bytes);
    snprintf(path, sizeof path, TEMPLATE_DIR "%s", f->dest);
    int got = resolve_read(root, path, &raw, err);
    if (got == 0)
        error_set(err, "%s is missing", path);
    if (got > 0 && template_render(out, raw.data, raw.len, facts_lookup, facts, NULL, err) < 0) {
        error_context(err, "%s", path);
        got = -1;
    }
    wipe(&raw);
    return got > 0 ? 0 : -1;
}

static int load(const struct contract_file *f, struct facts *facts, int root, struct buffer *out,
                struct error *err)
{
    return f->identity ? load_identity(f, facts, root, out, err)
                       : load_template(f, facts, root, out, err);
}

/* Where a file goes: a name and a temporary one in an open directory. */
struct place {
    struct dir *dir;
    char base[WORD_BASE_MAX + 1];
    char temp[WORD_BASE_MAX + sizeof "..nodebake"];
};

static int locate(const struct contract_file *f, struct facts *facts, struct dirs *dirs,
                  struct place *p, struct error *err)
{
    char path[DIR_PATH_MAX];
    const char *base;
    if (expand_dest(f, facts, path, err) < 0)
        return -1;
    p->dir = dirs_of_file(dirs, path, &base, err);
    if (!p->dir)
        return -1;
    if (snprintf(p->base, sizeof p->base, "%s", base) >= (int)sizeof p->base)
        return error_set(err, "%s: name too long", path);
    snprintf(p->temp, sizeof p->temp, ".%s.nodebake", base);
    return 0;
}

static int stage_one(const struct contract_file *f, struct facts *facts, struct dirs *dirs,
                     struct error *err)
{
    struct buffer text = BUFFER_FIXED(text_bytes);
    struct place p;
    int result = locate(f, facts, dirs, &p, err);
    if (result == 0)
        result = load(f, facts, dirs->root, &text, err);
    if (result == 0)
        result =
            file_stage(p.dir->fd, p.temp, text.data, text.len, f->mode, f->uid, f->gid, err) < 0
                ? error_context(err, "%s", p.dir->path)
                : 0;
    wipe(&text);
    return result;
}

/* Two names of a contract may turn out to be one. */
static int check_distinct(unsigned index, struct facts *facts, struct error *err)
{
    const struct contract_file *files = facts->contract->files;
    char mine[DIR_PATH_MAX], other[DIR_PATH_MAX];
    if (expand_dest(&files[index], facts, mine, err) < 0)
        return -1;
    for (unsigned i = 0; i < index; i++) {
        if (!files[i].identity && !files[index].identity)
            continue; /* contract_parse compared them */
        if (expand_dest(&files[i], facts, other, err) < 0)
            return -1;
        if (strcmp(mine, other) == 0)
            return error_set(err, "%s: lines %u and %u of the contract both install it", mine,
                             files[i].line, files[index].line);
    }
    return 0;
}

/* Who owns the link at the path, whose directory is followed; 0: root, or it is no link. */
static uid_t link_owner(int root, char *path)
{
    struct stat st;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int above AUTO_CLOSE = resolve_open(root, slash == path ? "/" : path, O_PATH | O_DIRECTORY);
    *slash = '/';
    if (above < 0 || fstatat(above, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0; /* what is not there will be made */
    return S_ISLNK(st.st_mode) ? st.st_uid : 0;
}

/* A user may have put a link where a directory of theirs was, and root's hand would be led. */
static int check_owner(unsigned index, struct facts *facts, int root, struct error *err)
{
    const struct contract_file *f = &facts->contract->files[index];
    char path[DIR_PATH_MAX];
    if (f->uid == 0)
        return 0;
    if (expand_dest(f, facts, path, err) < 0)
        return -1;
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        uid_t owner = link_owner(root, path);
        if (owner)
            return error_set(err,
                             "%s: a link of user %u; on the way to a file that is not root's "
                             "there are only links of root",
                             path, (unsigned)owner);
        *slash = '/';
    }
    return 0;
}

/* Takes away the staged files from `first` to before `end`. */
static void discard(unsigned first, unsigned end, struct facts *facts, struct dirs *dirs)
{
    for (unsigned i = first; i < end; i++) {
        struct error ignored = ERROR_INIT;
        struct place p;
        if (locate(&facts->contract->files[i], facts, dirs, &p, &ignored) == 0)
            unlinkat(p.dir->fd, p.temp, 0);
    }
}

int render_stage(struct facts *facts, struct dirs *dirs, struct error *err)
{
    const struct contract *c = facts->contract;
    for (unsigned i = 0; i < c->file_count; i++) {
        if (check_distinct(i, facts, err) < 0 || check_owner(i, facts, dirs->root, err) < 0 ||
            stage_one(&c->files[i], facts, dirs, err) < 0) {
            discard(0, i + 1, facts, dirs);
            return -1;
        }
    }
    return 0;
}

static int publish_one(const struct contract_file *f, struct facts *facts, struct dirs *dirs,
                       struct error *err)
{
    struct place p;
    if (locate(f, facts, dirs, &p, err) < 0)
        return -1;
    if (renameat(p.dir->fd, p.temp, p.dir->fd, p.base) < 0)
        return error_errno(err, "put %s/%s in place", p.dir->path, p.base);
    p.dir->dirty = true;
    return 0;
}

int render_publish(struct facts *facts, struct dirs *dirs, struct error *err)
{
    const struct contract *c = facts->contract;
    for (unsigned i = 0; i < c->file_count; i++) {
        bool last = i + 1 == c->file_count;
        if ((last && dirs_sync(dirs, err) < 0) || publish_one(&c->files[i], facts, dirs, err) < 0) {
            discard(i, c->file_count, facts, dirs);
            return -1;
        }
    }
    return dirs_sync(dirs, err);
}

int render_list(struct facts *facts, struct buffer *out, struct error *err)
{
    const struct contract *c = facts->contract;
    char dest[DIR_PATH_MAX];
    buffer_puts(out, "");
    for (unsigned i = 0; i < c->file_count; i++) {
        if (!c->files[i].identity)
            continue;
        if (expand_dest(&c->files[i], facts, dest, err) < 0)
            return -1;
        buffer_printf(out, "file %s\n", dest);
    }
    return out->overflow ? error_set(err, "the paths of the identity do not fit a stamp") : 0;
}

void render_discard(struct facts *facts, struct dirs *dirs)
{
    discard(0, facts->contract->file_count, facts, dirs);
}

int render_preview(struct facts *facts, int root,
                   void (*show)(const struct contract_file *file, const char *dest, size_t bytes),
                   struct error *err)
{
    const struct contract *c = facts->contract;
    for (unsigned i = 0; i < c->file_count; i++) {
        const struct contract_file *f = &c->files[i];
        struct buffer text = BUFFER_FIXED(text_bytes);
        char dest[DIR_PATH_MAX];
        int result = expand_dest(f, facts, dest, err);
        if (result == 0)
            result = load(f, facts, root, &text, err);
        if (result == 0)
            show(f, dest, text.len);
        wipe(&text);
        if (result < 0)
            return -1;
    }
    return 0;
}
