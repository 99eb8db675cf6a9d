/* Does every file equal the manifest? */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/dirt.h"
#include "builder/inspect/certificates.h"
#include "builder/inspect/credentials.h"
#include "builder/inspect/gather.h"
#include "builder/pki/x509.h"
#include "builder/progress.h"

enum { SUM_SHOWN = 12 /* hex digits */ };

/* What Linux itself writes, beside firstboot's templates, when a machine comes up for the first
 * time; and its accounts, of which it may get more (from cloud-init, from packages): their modes
 * have to stay. */
static const char *const written_by_boot[] = {"/etc/machine-id"};
static const char *const accounts[] = {"/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow"};

/* Labels come from the machine's policy. */
static const char *const foreign_xattrs[] = {"security.selinux"};

/* One file being compared. */
struct comparison {
    struct inspection *in;
    const struct manifest_item *item;
    const struct disk_item *found;
    struct progress *progress;
    struct digest *digest;
    struct buffer *content;    /* of a small file, for the search for certificates */
    size_t problems, expected; /* differences that have to be, because it was booted */
};

static bool is_one_of(const char *path, const char *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(path, all[i]) == 0)
            return true;
    return false;
}

static bool is_written_by_boot(const struct comparison *c)
{
    const struct report *r = c->in->report;
    const char *path = c->item->entry.path;
    for (size_t i = 0; i < r->contract.template_count; i++)
        if (strcmp(path, r->contract.templates[i].dest) == 0)
            return true;
    return is_one_of(path, written_by_boot, ARRAY_LEN(written_by_boot));
}

static bool has_to_differ(const struct comparison *c, const char *kind)
{
    bool content = strcmp(kind, "content") == 0;
    if (!c->in->report->stamp.there || (!content && strcmp(kind, "mode") != 0))
        return false;
    return is_written_by_boot(c) ||
           (content && is_one_of(c->item->entry.path, accounts, ARRAY_LEN(accounts)));
}

/* Takes note of a difference. On a machine that came up, some of them have to be. */
static void differs(struct comparison *c, const char *kind, const char *fmt, ...) PRINTF(3, 4);
static void differs(struct comparison *c, const char *kind, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list ap;
    if (has_to_differ(c, kind)) {
        c->expected++;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->problems++;
    report_problem(c->in->report, kind, c->item->entry.path, "%s", text);
}

static const char *type_of(mode_t mode)
{
    return S_ISREG(mode)   ? "file"
           : S_ISDIR(mode) ? "directory"
           : S_ISLNK(mode) ? "link"
                           : "special file";
}

static bool same_type(enum entry_type type, mode_t mode)
{
    switch (type) {
    case ENTRY_DIR:
        return S_ISDIR(mode);
    case ENTRY_LINK:
        return S_ISLNK(mode);
    case ENTRY_FILE:
    case ENTRY_HARDLINK:
        return S_ISREG(mode);
    case ENTRY_GONE:
        break;
    }
    return false;
}

static void compare_owner(struct comparison *c)
{
    const struct entry *e = &c->item->entry;
    const struct disk_item *f = c->found;
    if (e->type != ENTRY_LINK && (f->mode & 07777) != e->mode)
        differs(c, "mode", "has mode %04o instead of %04o", f->mode & 07777U, e->mode & 07777U);
    if (f->uid != e->uid || f->gid != e->gid)
        differs(c, "owner", "belongs to %u:%u instead of %u:%u", f->uid, f->gid, e->uid, e->gid);
}

static const struct xattr *find_xattr(const struct xattr *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

/* A directory of the base keeps those that it has. */
static bool may_be_there(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign_xattrs); i++)
        if (strcmp(name, foreign_xattrs[i]) == 0)
            return true;
    return c->item->entry.type == ENTRY_DIR;
}

static void compare_xattrs(struct comparison *c)
{
    const struct entry *e = &c->item->entry;
    const struct disk_item *f = c->found;
    for (size_t i = 0; i < e->xattr_count; i++) {
        const struct xattr *wanted = &e->xattrs[i];
        const struct xattr *x = find_xattr(f->xattrs, f->xattr_count, wanted->name);
        if (!x)
            differs(c, "xattr", "lacks the extended attribute %s", wanted->name);
        else if (x->len != wanted->len || memcmp(x->value, wanted->value, x->len) != 0)
            differs(c, "xattr", "has another extended attribute %s", wanted->name);
    }
    for (size_t i = 0; i < f->xattr_count; i++)
        if (!find_xattr(e->xattrs, e->xattr_count, f->xattrs[i].name) &&
            !may_be_there(c, f->xattrs[i].name))
            differs(c, "xattr", "has the extended attribute %s, too", f->xattrs[i].name);
}

static int take_bytes(void *ctx, const void *bytes, size_t n, struct error *err)
{
    struct comparison *c = ctx;
    if (c->found->size <= PEM_MAX)
        buffer_add(c->content, bytes, n);
    progress_add(c->progress, n);
    return digest_add(c->digest, bytes, n, err);
}

static int hash_content(struct comparison *c, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    const struct disk_view *view = &c->in->view;
    if (digest_begin("sha256", &c->digest, err) < 0 ||
        view->writer->stream(view->disk, c->item->entry.path, take_bytes, c, err) < 0)
        return -1;
    return digest_finish(c->digest, hex, err);
}

static void compare_content(struct comparison *c)
{
    char hex[DIGEST_HEX_MAX];
    struct error why = ERROR_INIT;
    struct buffer content AUTO_BUFFER = buffer_heap();
    c->content = &content;
    int result = hash_content(c, hex, &why);
    digest_free(c->digest);
    c->digest = NULL;
    c->content = NULL;
    if (result < 0) {
        differs(c, "unreadable", "cannot be read: %s", why.text);
        return;
    }
    if (c->found->size != c->item->size)
        differs(c, "content", "has size %llu instead of %llu", (unsigned long long)c->found->size,
                (unsigned long long)c->item->size);
    else if (strcmp(hex, c->item->sha256) != 0)
        differs(c, "content", "has other content: SHA-256 %.*s… instead of %.*s…", SUM_SHOWN, hex,
                SUM_SHOWN, c->item->sha256);
    const struct credential as = {.path = c->item->entry.path,
                                  .mode = c->found->mode & 07777,
                                  .uid = c->found->uid,
                                  .gid = c->found->gid};
    certificates_read(as.path, content.data, content.len, c->in->now, c->in->report);
    credentials_read(&as, content.data, content.len, c->in->report);
}

/* A further name of a file: it has to be the same file. */
static void compare_hardlink(struct comparison *c)
{
    struct error ignored = ERROR_INIT;
    struct disk_item file AUTO_ITEM = {.target = NULL};
    const struct disk_view *view = &c->in->view;
    const char *target = c->item->entry.target;
    int found = view->writer->look(view->disk, target, &file, &ignored);
    if (found <= 0 || file.id != c->found->id)
        differs(c, "target", "is no hard link to %s", target);
}

static void compare_found(struct comparison *c)
{
    const struct entry *e = &c->item->entry;
    if (!same_type(e->type, c->found->mode)) {
        differs(c, "type", "is a %s instead of a %s", type_of(c->found->mode),
                entry_type_name(e->type));
        return;
    }
    if (e->type == ENTRY_HARDLINK) {
        compare_hardlink(c);
        return;
    }
    compare_owner(c);
    compare_xattrs(c);
    if (e->type == ENTRY_LINK && strcmp(c->found->target, e->target) != 0)
        differs(c, "target", "leads to %s instead of %s", c->found->target, e->target);
    if (e->type == ENTRY_FILE)
        compare_content(c);
}

/* What was taken away is there: on a machine that came up it has to be, if it is what every machine
 * makes anew. */
static void compare_gone(struct comparison *c, bool there)
{
    if (!there)
        return;
    if (c->in->report->stamp.there && dirt_kind_of(c->item->entry.path))
        c->expected++;
    else
        differs(c, "present", "was removed from the base, and is there again");
}

static void compare_item(struct inspection *in, const struct manifest_item *item,
                         struct progress *progress)
{
    struct error why = ERROR_INIT;
    struct disk_item found AUTO_ITEM = {.target = NULL};
    struct comparison c = {.in = in, .item = item, .found = &found, .progress = progress};
    int there = in->view.writer->look(in->view.disk, item->entry.path, &found, &why);
    if (there < 0)
        differs(&c, "unreadable", "cannot be read: %s", why.text);
    else if (item->entry.type == ENTRY_GONE)
        compare_gone(&c, there > 0);
    else if (there == 0)
        differs(&c, "missing", "is missing");
    else
        compare_found(&c);
    if (!c.problems && c.expected)
        list_add(&in->report->booted_paths, item->entry.path);
    else if (!c.problems)
        in->report->same_count++;
}

int gather_files(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    (void)err;
    for (size_t i = 0; i < in->manifest.count; i++)
        r->file_bytes += in->manifest.items[i].size;
    r->file_count = in->manifest.count;
    struct progress progress =
        progress_start(r->file_bytes, "read %zu files of %s", r->file_count, r->path);
    for (size_t i = 0; i < in->manifest.count; i++)
        compare_item(in, &in->manifest.items[i], &progress);
    progress_end(&progress);
    return 0;
}
