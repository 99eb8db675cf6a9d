#include "builder/package/apt-root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/apt-fill.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { FILES_MAX = 1024 };

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
int fill_put(struct filling *f, const char *path, const char *bytes, size_t n)
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

int fill_copy(struct filling *f, const char *path)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (texts_have(&f->copied, path))
        return 0;
    if (f->writer->read(f->disk, path, FILL_FILE_MAX, &text, f->err) < 0)
        return -1;
    return fill_put(f, path, text.data, text.len);
}

int fill_with_file(struct filling *f, const char *path, fill_step *step)
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

int fill_with_folder(struct filling *f, const char *folder, const char *const *suffixes,
                     fill_step *step)
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
        if (make_folders(f, kinds[i].folder + 1) < 0 ||
            fill_with_file(f, kinds[i].file, fill_copy) < 0 ||
            fill_with_folder(f, kinds[i].folder, kinds[i].suffixes, fill_copy) < 0)
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
    return fill_put(f, "/apt.conf", text.data, text.len);
}

static int fill(struct filling *f, struct dpkg_text status, const struct apt_access *access)
{
    static const char *const folders[] = {"var/lib/apt/lists/partial", APT_ROOT_ARCHIVES "/partial",
                                          "tmp"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (make_folders(f, folders[i]) < 0)
            return -1;
    if (fill_put(f, "/var/lib/dpkg/status", status.at, status.len) < 0 || copy_rest(f) < 0 ||
        fill_sources(f) < 0)
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
