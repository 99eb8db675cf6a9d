/* Lists a tar archive from standard input, a line an entry, sorted by path:
 *
 *   path type mode uid gid mtime size sha256 group target xattrs
 *
 * between tabs; "-" stands for what an entry has not. The names of one file form a group, which is
 * called by the first of them; all have the file's size and digest. Attributes are NAME=HEX,
 * between commas. Bytes below 33 and a backslash are shown as \ooo.
 *
 * usage: tar-list [--save PATH FILE] <ARCHIVE */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"

enum { CHUNK = 1 << 20, HEX_MAX = 2 * EVP_MAX_MD_SIZE + 1 };

struct item {
    char *path, *target, *xattrs;
    char *link; /* the path of the file of which this is another name, or NULL */
    const char *type;
    unsigned mode, uid, gid;
    long long mtime, size;
    char sha256[HEX_MAX];
    size_t next, first; /* the names of one file form a ring */
};

struct list {
    struct item *items;
    size_t count, cap;
    const char *save_path, *save_file;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "tar-list: %s: %s\n", what, why ? why : "failed");
    exit(1);
}

static const char *type_of(struct archive_entry *entry)
{
    static const struct {
        unsigned type;
        const char *word;
    } types[] = {{AE_IFDIR, "dir"},   {AE_IFREG, "file"}, {AE_IFLNK, "link"},   {AE_IFCHR, "char"},
                 {AE_IFBLK, "block"}, {AE_IFIFO, "fifo"}, {AE_IFSOCK, "socket"}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (archive_entry_filetype(entry) == types[i].type)
            return types[i].word;
    return "file"; /* another name of one: it has no type of its own */
}

/* "./etc/fstab" is /etc/fstab, "./" is /. */
static char *absolute(const char *name)
{
    size_t len = strlen(name);
    while (len > 0 && name[len - 1] == '/')
        len--;
    if (len > 0 && name[0] == '.' && (len == 1 || name[1] == '/'))
        name++, len--;
    while (len > 0 && *name == '/')
        name++, len--;
    return heap_printf("/%.*s", (int)len, name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *xattr_text(const char *name, const unsigned char *value, size_t len)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_printf(&text, "%s=", name);
    for (size_t i = 0; i < len; i++)
        buffer_printf(&text, "%02x", value[i]);
    return heap_copy(text.data);
}

static char *xattrs_of(struct archive_entry *entry)
{
    size_t n = 0;
    char **texts AUTO_FREE =
        heap_array((size_t)archive_entry_xattr_count(entry) + 1, sizeof *texts);
    const char *name;
    const void *value;
    size_t len;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK)
        texts[n++] = xattr_text(name, value, len);
    if (n == 0)
        return NULL;
    qsort(texts, n, sizeof *texts, by_text);
    struct buffer all AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < n; i++) {
        buffer_printf(&all, "%s%s", i ? "," : "", texts[i]);
        free(texts[i]);
    }
    return heap_copy(all.data);
}

static void read_content(struct archive *archive, const struct list *list, struct item *item)
{
    static char chunk[CHUNK];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    la_ssize_t n;
    bool save = list->save_path && strcmp(item->path, list->save_path) == 0;
    FILE *copy = save ? fopen(list->save_file, "w") : NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (save && !copy)
        die(list->save_file, "cannot be written");
    if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
        die("SHA-256", NULL);
    while ((n = archive_read_data(archive, chunk, sizeof chunk)) > 0) {
        EVP_DigestUpdate(md, chunk, (size_t)n);
        if (copy && fwrite(chunk, 1, (size_t)n, copy) != (size_t)n)
            die(list->save_file, "cannot be written");
    }
    if (n < 0)
        die(item->path, archive_error_string(archive));
    if (copy && fclose(copy) != 0)
        die(list->save_file, "cannot be written");
    EVP_DigestFinal_ex(md, digest, &digest_len);
    EVP_MD_CTX_free(md);
    for (unsigned i = 0; i < digest_len; i++)
        snprintf(item->sha256 + 2 * i, 3, "%02x", digest[i]);
}

static void add(struct list *list, struct archive *archive, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
    const char *target = archive_entry_symlink(entry);
    if (!name)
        die("a name", "is not UTF-8");
    struct item *item = APPEND(list->items, list->count, list->cap);
    *item = (struct item){.path = absolute(name),
                          .link = link ? absolute(link) : NULL,
                          .target = heap_copy(target),
                          .xattrs = xattrs_of(entry),
                          .type = type_of(entry),
                          .mode = (unsigned)archive_entry_perm(entry),
                          .uid = (unsigned)archive_entry_uid(entry),
                          .gid = (unsigned)archive_entry_gid(entry),
                          .mtime = (long long)archive_entry_mtime(entry),
                          .size = -1};
    if (strcmp(item->type, "char") == 0 || strcmp(item->type, "block") == 0)
        item->target = heap_printf("%u:%u", (unsigned)archive_entry_rdevmajor(entry),
                                   (unsigned)archive_entry_rdevminor(entry));
    if (strcmp(item->type, "file") != 0 || link)
        return;
    item->size = (long long)archive_entry_size(entry);
    read_content(archive, list, item);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

/* Each further name gets what its file has; the file may stand behind it. */
static void join_groups(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->items[i].next = list->items[i].first = i;
    for (size_t i = 0; i < list->count; i++) {
        struct item *item = &list->items[i];
        if (!item->link)
            continue;
        struct item key = {.path = item->link};
        struct item *file = bsearch(&key, list->items, list->count, sizeof key, by_path);
        if (!file || file->link)
            die(item->path, "is a hard link to nothing");
        struct item copy = *file;
        copy.path = item->path;
        copy.link = item->link;
        copy.first = i;
        file->next = i;
        *item = copy;
    }
    for (size_t i = 0; i < list->count; i++)
        for (size_t n = list->items[i].next; n != i; n = list->items[n].next)
            if (n < list->items[i].first)
                list->items[i].first = n;
}

static void print_text(const char *text)
{
    for (const char *p = text ? text : "-"; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '\\')
            printf("\\%03o", (unsigned char)*p);
        else
            putchar(*p);
}

static void print_item(const struct list *list, size_t i)
{
    const struct item *item = &list->items[i];
    print_text(item->path);
    printf("\t%s\t%04o\t%u\t%u\t%lld\t", item->type, item->mode, item->uid, item->gid, item->mtime);
    if (item->size < 0)
        putchar('-');
    else
        printf("%lld", item->size);
    printf("\t%s\t", item->sha256[0] ? item->sha256 : "-");
    print_text(item->next == i ? NULL : list->items[item->first].path);
    putchar('\t');
    print_text(item->target);
    putchar('\t');
    print_text(item->xattrs);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct list list = {.count = 0};
    if (argc == 4 && strcmp(argv[1], "--save") == 0) {
        list.save_path = argv[2];
        list.save_file = argv[3];
    } else if (argc != 1) {
        die("usage", "tar-list [--save PATH FILE] <ARCHIVE");
    }
    setlocale(LC_CTYPE, "C.UTF-8");
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    if (!archive || archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_open_fd(archive, 0, CHUNK) != ARCHIVE_OK)
        die("standard input", "is not a tar archive");
    int status;
    while ((status = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN)
        add(&list, archive, entry);
    if (status != ARCHIVE_EOF || list.count == 0)
        die("standard input", archive_error_string(archive));
    archive_read_free(archive);
    /* The zeros behind the end: who writes them must not find nobody there. */
    static char rest[CHUNK];
    while (read(0, rest, sizeof rest) > 0)
        continue;
    qsort(list.items, list.count, sizeof *list.items, by_path);
    join_groups(&list);
    for (size_t i = 0; i < list.count; i++)
        print_item(&list, i);
    return fflush(stdout) == 0 ? 0 : 1;
}
