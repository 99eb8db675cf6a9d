#include "builder/package/apt-root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/sources.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { FILE_MAX = 4 << 20, FILES_MAX = 1024 };

/* The folder while it is filled. */
struct filling {
    const struct disk_writer *writer;
    struct disk *disk;
    struct apt_root *root;
    const char *architecture;
    struct sources sources;
    struct texts copied; /* paths of files that the folder has already */
    struct error *err;
};

/* ---- files ---- */

/* Makes the directory and those above it. */
static int make_folders(const struct filling *f, const char *path)
{
    char *copy AUTO_FREE = heap_copy(path);
    for (char *p = copy; p; p = p ? p + 1 : NULL) {
        p = strchr(p, '/');
        if (p)
            *p = '\0';
        if (*copy && mkdirat(f->root->dir, copy, 0700) < 0 && errno != EEXIST)
            return error_errno(f->err, "create %s", copy);
        if (p)
            *p = '/';
    }
    return 0;
}

/* `path` is that in the system, "/etc/apt/…". */
static int put(struct filling *f, const char *path, const char *bytes, size_t n)
{
    char *folder AUTO_FREE = heap_printf("%.*s", (int)(strrchr(path, '/') - path), path);
    if (f->copied.count == FILES_MAX)
        return error_set(f->err, "/etc/apt: more than %d files", FILES_MAX);
    if (make_folders(f, folder + (*folder == '/')) < 0)
        return -1;
    int fd AUTO_CLOSE =
        openat(f->root->dir, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, bytes, n) < 0)
        return error_errno(f->err, "write %s", path);
    texts_add(&f->copied, path);
    return 0;
}

static int copy(struct filling *f, const char *path)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (texts_have(&f->copied, path))
        return 0;
    if (f->writer->read(f->disk, path, FILE_MAX, &text, f->err) < 0)
        return -1;
    return put(f, path, text.data, text.len);
}

typedef int file_step(struct filling *f, const char *path);

static int with_file(struct filling *f, const char *path, file_step *step)
{
    int found = f->writer->exists(f->disk, path, f->err);
    return found > 0 ? step(f, path) : found;
}

/* apt looks at files of such names only; "" stands for those without a suffix. */
static bool has_suffix(const char *name, const char *const *suffixes)
{
    const char *dot = strrchr(name, '.');
    if (*name == '.')
        return false;
    for (; *suffixes; suffixes++)
        if (strcmp(dot ? dot : "", *suffixes) == 0)
            return true;
    return false;
}

static int with_folder(struct filling *f, const char *folder, const char *const *suffixes,
                       file_step *step)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (f->writer->list(f->disk, folder, &names, f->err) < 0)
        return -1;
    for (size_t i = 0; i < names.len; i += strlen(names.data + i) + 1) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, names.data + i);
        if (has_suffix(names.data + i, suffixes) && step(f, path) < 0)
            return -1;
    }
    return 0;
}

/* ---- repositories ---- */

static int read_sources(struct filling *f, const char *path)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (f->writer->read(f->disk, path, FILE_MAX, &text, f->err) < 0)
        return -1;
    return sources_read(path, (struct dpkg_text){text.data, text.len}, f->architecture, &f->sources,
                        f->err);
}

static bool is_reachable(const char *uri)
{
    static const char *const schemes[] = {
        "http:", "https:", "mirror:", "mirror+http:", "mirror+https:"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(uri, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* The first mirror that a list in the system names, as Debian's cloud images have one; empty when
 * there is none. */
static int find_mirror(struct filling *f, const char *path, struct buffer *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = f->writer->exists(f->disk, path, f->err);
    if (found <= 0)
        return found;
    if (f->writer->read(f->disk, path, FILE_MAX, &text, f->err) < 0)
        return -1;
    struct dpkg_text rest = {text.data, text.len}, line;
    while (!out->len && dpkg_next_line(&rest, &line)) {
        size_t n = 0;
        while (n < line.len && !strchr(" \t\r#", line.at[n]))
            n++;
        buffer_add(out, line.at, n);
    }
    return 0;
}

static int add_uri(struct filling *f, const struct source *source, const char *uri,
                   struct buffer *out)
{
    static const char list[] = "mirror+file:";
    struct buffer mirror AUTO_BUFFER = buffer_heap();
    const char *path = uri + sizeof list - 1;
    bool listed = strncmp(uri, list, sizeof list - 1) == 0 && *path == '/';
    if (listed && find_mirror(f, path + strspn(path, "/") - 1, &mirror) < 0)
        return -1;
    if (mirror.len)
        uri = mirror.data;
    if (is_reachable(uri))
        buffer_printf(out, " %s", uri);
    else
        buffer_printf(&f->root->passed, "%s%s (%s)", f->root->passed.len ? ", " : "", uri,
                      source->file);
    return 0;
}

static int add_key(struct filling *f, const struct source *source, const char *key,
                   struct buffer *out)
{
    if (*key != '/') {
        buffer_printf(out, " %s", key);
        return 0;
    }
    int found = strstr(key, "/..") ? 0 : f->writer->exists(f->disk, key, f->err);
    if (found == 0)
        return error_set(f->err, "%s: the base has no keyring %s", source->file, key);
    if (found < 0 || copy(f, key) < 0)
        return -1;
    buffer_printf(out, " %s%s", f->root->path, key);
    return 0;
}

static void add_list(struct buffer *out, const char *name, const struct texts *words)
{
    if (words->count)
        buffer_printf(out, "%s:", name);
    for (size_t i = 0; i < words->count; i++)
        buffer_printf(out, " %s", words->items[i]);
    if (words->count)
        buffer_puts(out, "\n");
}

/* Appends an entry for our apt, or nothing. */
static int add_source(struct filling *f, const struct source *source, struct buffer *out)
{
    struct buffer uris AUTO_BUFFER = buffer_heap(), keys AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < source->uris.count; i++)
        if (add_uri(f, source, source->uris.items[i], &uris) < 0)
            return -1;
    if (!uris.len)
        return 0;
    for (size_t i = 0; i < source->keys.count; i++)
        if (add_key(f, source, source->keys.items[i], &keys) < 0)
            return -1;
    buffer_printf(out, "Types: deb\nURIs:%s\n", uris.data);
    add_list(out, "Suites", &source->suites);
    add_list(out, "Components", &source->components);
    if (keys.len)
        buffer_printf(out, "Signed-By:%s\n", keys.data);
    else if (source->key_block)
        buffer_printf(out, "Signed-By:\n %s\n", source->key_block);
    if (source->check_valid_until)
        buffer_printf(out, "Check-Valid-Until: %s\n", source->check_valid_until);
    buffer_puts(out, "\n");
    return 0;
}

static int put_sources(struct filling *f)
{
    static const char *const suffixes[] = {".list", ".sources", NULL};
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (with_file(f, "/etc/apt/sources.list", read_sources) < 0 ||
        with_folder(f, "/etc/apt/sources.list.d", suffixes, read_sources) < 0)
        return -1;
    for (size_t i = 0; i < f->sources.count; i++)
        if (add_source(f, &f->sources.items[i], &text) < 0)
            return -1;
    if (!text.len)
        return error_set(f->err,
                         "/etc/apt/sources.list and sources.list.d of the base name no repository "
                         "that is reached by http or https%s%s",
                         f->root->passed.len ? ", only " : "", f->root->passed.data);
    return put(f, "/etc/apt/sources.list.d/base.sources", text.data, text.len);
}

/* ---- the rest ---- */

static int copy_rest(struct filling *f)
{
    static const struct {
        const char *file, *folder;
        const char *const suffixes[3];
    } kinds[] = {
        {"/etc/apt/trusted.gpg", "/etc/apt/trusted.gpg.d", {".gpg", ".asc", NULL}},
        {"/etc/apt/preferences", "/etc/apt/preferences.d", {"", ".pref", NULL}},
        {"/etc/apt/auth.conf", "/etc/apt/auth.conf.d", {".conf", NULL}},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (make_folders(f, kinds[i].folder + 1) < 0 || with_file(f, kinds[i].file, copy) < 0 ||
            with_folder(f, kinds[i].folder, kinds[i].suffixes, copy) < 0)
            return -1;
    return 0;
}

static int add_proxy(const struct filling *f, const char *scheme, const char *url,
                     struct buffer *text)
{
    for (const char *p = url; p && *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\\')
            return error_set(f->err, "proxy for %s: no URL", scheme);
    if (url)
        buffer_printf(text, "Acquire::%s::Proxy \"%s\";\n", scheme, url);
    return 0;
}

/* apt reads the file before this machine's own, which it keeps apt from. */
static int put_configuration(struct filling *f, const struct apt_access *access)
{
    static const char fixed[] = "Dir::Etc::main \"/dev/null\";\n"
                                "Dir::Etc::parts \"/dev/null\";\n"
                                "Dir::Etc::sourcelist \"/dev/null\";\n"
                                "APT::Sandbox::User \"root\";\n"
                                "APT::Install-Recommends \"false\";\n"
                                "APT::Cmd::Pattern-Only \"true\";\n"
                                "APT::Get::Remove \"false\";\n"
                                "APT::Get::Assume-Yes \"true\";\n"
                                "APT::Update::Error-Mode \"any\";\n"
                                "APT::Status-Fd \"1\";\n"
                                "Acquire::Languages \"none\";\n"
                                "Acquire::PDiffs \"false\";\n"
                                "Acquire::Retries \"1\";\n"
                                "Acquire::http::Timeout \"30\";\n"
                                "Acquire::https::Timeout \"30\";\n"
                                "quiet \"1\";\n";
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_printf(&text, "Dir \"%s/\";\nDir::State::status \"%s/var/lib/dpkg/status\";\n",
                  f->root->path, f->root->path);
    buffer_printf(&text, "APT::Architecture \"%s\";\nAPT::Architectures { \"%s\"; };\n%s",
                  f->architecture, f->architecture, fixed);
    if (add_proxy(f, "http", access->http_proxy, &text) < 0 ||
        add_proxy(f, "https", access->https_proxy, &text) < 0)
        return -1;
    return put(f, "/apt.conf", text.data, text.len);
}

static int fill(struct filling *f, struct dpkg_text status, const struct apt_access *access)
{
    static const char *const folders[] = {"var/lib/apt/lists/partial", APT_ROOT_ARCHIVES "/partial",
                                          "tmp"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (make_folders(f, folders[i]) < 0)
            return -1;
    if (put(f, "/var/lib/dpkg/status", status.at, status.len) < 0 || copy_rest(f) < 0 ||
        put_sources(f) < 0)
        return -1;
    return put_configuration(f, access);
}

int apt_root_make(const struct disk_writer *writer, struct disk *disk, struct dpkg_text status,
                  const struct apt_access *access, const char *folder, struct apt_root *out,
                  struct error *err)
{
    struct buffer architecture AUTO_BUFFER = buffer_heap();
    struct filling f = {.writer = writer, .disk = disk, .root = out, .err = err};
    *out = (struct apt_root){.dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                             .passed = buffer_heap()};
    if (out->dir < 0)
        return error_errno(err, "%s", folder);
    if (!dpkg_architecture(status.at, status.len, &architecture))
        return error_set(err, "the base's package database does not list dpkg itself");
    f.architecture = architecture.data;
    out->no_proxy = heap_copy(access->no_proxy);
    /* Not by its name: apt takes spaces in paths of keyrings for their ends. */
    snprintf(out->path, sizeof out->path, "/proc/%d/fd/%d", (int)getpid(), out->dir);
    int result = fill(&f, status, access);
    sources_free(&f.sources);
    texts_free(&f.copied);
    return result;
}

void apt_root_free(struct apt_root *root)
{
    if (root->dir >= 0)
        close(root->dir);
    root->dir = -1;
    free(root->no_proxy);
    root->no_proxy = NULL;
    buffer_free(&root->passed);
}
