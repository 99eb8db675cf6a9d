#include "builder/package/apt.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "builder/progress.h"

enum { OUTPUT_MAX = 16 << 20 };

/* A step of apt's, as it tells of it. */
struct telling {
    struct progress progress;
    char line[128]; /* the beginning of the one that comes */
    size_t len;
};

/* "dlstatus:2:49.4366:Retrieving file 2 of 2" */
static void take_line(struct telling *t)
{
    t->line[t->len] = '\0';
    const char *part = strncmp(t->line, "dlstatus:", 9) == 0 ? strchr(t->line + 9, ':') : NULL;
    double percent = part ? strtod(part + 1, NULL) : 0;
    uint64_t done = (uint64_t)((double)t->progress.total * percent / 100);
    progress_add(&t->progress, done > t->progress.done ? done - t->progress.done : 0);
    t->len = 0;
}

static void take(void *ctx, const char *bytes, size_t n)
{
    struct telling *t = ctx;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '\n')
            take_line(t);
        else if (t->len < sizeof t->line - 1)
            t->line[t->len++] = bytes[i];
}

static int complain(const struct apt_root *root, const struct buffer *out, const char *otherwise,
                    struct error *err)
{
    struct buffer said AUTO_BUFFER = buffer_heap();
    apt_complaint(root, (struct dpkg_text){out->data, out->len}, &said);
    return error_set(err, "the base's repositories: %.700s", said.len ? said.data : otherwise);
}

/* Runs apt in the folder; on -1 the error says why it failed. */
static int run(const struct apt_root *root, const char *const *argv, struct telling *telling,
               struct buffer *out, struct error *err)
{
    char *config AUTO_FREE = heap_printf("APT_CONFIG=%s/apt.conf", root->path);
    char *tmp AUTO_FREE = heap_printf("TMPDIR=%s/tmp", root->path);
    char *no_proxy AUTO_FREE = heap_printf("no_proxy=%s", root->no_proxy ? root->no_proxy : "");
    const char *const env[] = {config, tmp, "LC_ALL=C", root->no_proxy ? no_proxy : NULL, NULL};
    struct process apt = {.argv = argv,
                          .env = env,
                          .out = out,
                          .out_max = OUTPUT_MAX,
                          .together = true,
                          .reader = telling ? take : NULL,
                          .reader_ctx = telling};
    int status = 0;
    if (!process_found(argv[0]))
        return error_set(
            err,
            "this machine has no %s, which packages from the base's repositories need: "
            "install it (Debian: apt)",
            argv[0]);
    if (process_run(&apt, &status, err) < 0)
        return error_context(err, "packages from the base's repositories");
    return status ? complain(root, out, argv[1], err) : 0;
}

/* argv[0..] and the names behind it; the array is the caller's. */
static const char **with_names(const char *const *argv, const char *const *names, size_t n)
{
    size_t count = 0;
    while (argv[count])
        count++;
    const char **all = heap_array(count + n + 1, sizeof *all);
    memcpy(all, argv, count * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[count++] = names[i];
    return all;
}

int apt_update(const struct apt_root *root, struct error *err)
{
    static const char *const argv[] = {"apt-get", "update", NULL};
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct telling telling = {.progress = progress_start(0, "read the base's repositories")};
    int result = run(root, argv, &telling, &out, err);
    progress_end(&telling.progress);
    /* Before 2.1.15 apt goes on without what it could not read. */
    if (result == 0 && strstr(out.data, "Failed to fetch"))
        result = complain(root, &out, argv[1], err);
    return result;
}

/* ---- names ---- */

/* Is there a version that could be installed? `policy` is apt-cache's text:
 *     NAME:
 *       Installed: (none)
 *       Candidate: 3.2.2-2 */
static bool has_candidate(struct dpkg_text policy, const char *name, bool *known)
{
    static const char candidate[] = "  Candidate: ";
    char *head AUTO_FREE = heap_printf("%s:", name);
    struct dpkg_text line;
    bool here = false;
    *known = false;
    while (dpkg_next_line(&policy, &line)) {
        if (line.len && *line.at != ' ')
            here = dpkg_text_is(line, head);
        *known = *known || here;
        if (here && line.len >= sizeof candidate - 1 &&
            memcmp(line.at, candidate, sizeof candidate - 1) == 0)
            return !dpkg_text_is(line, "  Candidate: (none)");
    }
    return false;
}

static int check_names(const struct apt_root *root, const char *const *names, size_t n,
                       struct error *err)
{
    static const char *const policy[] = {"apt-cache", "policy", "--", NULL};
    const char **argv AUTO_FREE = with_names(policy, names, n);
    struct buffer out AUTO_BUFFER = buffer_heap(), unknown AUTO_BUFFER = buffer_heap();
    if (run(root, argv, NULL, &out, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool known;
        if (!has_candidate((struct dpkg_text){out.data, out.len}, names[i], &known))
            buffer_printf(&unknown, "%s%s%s", unknown.len ? ", " : "", names[i],
                          known ? " (only others provide it, or the base's pins forbid it)" : "");
    }
    if (!unknown.len)
        return 0;
    return error_set(err, "the base's repositories have no package %s%s%s%s", unknown.data,
                     root->passed.len ? " (passed over, for they are not reached by http: " : "",
                     root->passed.data, root->passed.len ? ")" : "");
}

/* ---- files ---- */

/* 'http://deb.debian.org/…/htop_3.2.2-2_amd64.deb' htop_3.2.2-2_amd64.deb 152212 SHA256:… */
static void add_file(struct dpkg_text line, struct apt_files *out)
{
    char *copy AUTO_FREE = heap_printf("%.*s", (int)line.len, line.at);
    char *name = *copy == '\'' ? strchr(copy + 1, '\'') : NULL;
    if (!name || name[1] != ' ')
        return;
    name += 2;
    char *size = strchr(name, ' ');
    if (!size)
        return;
    *size++ = '\0';
    struct apt_file file = {heap_copy(name), strtoull(size, NULL, 10)};
    out->bytes += file.size;
    *APPEND(out->items, out->count, out->cap) = file;
}

int apt_choose(const struct apt_root *root, const char *const *names, size_t n,
               struct apt_files *out, struct error *err)
{
    static const char *const install[] = {"apt-get", "install", "--print-uris", "--", NULL};
    const char **argv AUTO_FREE = with_names(install, names, n);
    struct buffer said AUTO_BUFFER = buffer_heap();
    struct dpkg_text line;
    *out = (struct apt_files){0};
    if (check_names(root, names, n, err) < 0 || run(root, argv, NULL, &said, err) < 0)
        return -1;
    struct dpkg_text rest = {said.data, said.len};
    while (dpkg_next_line(&rest, &line))
        add_file(line, out);
    return 0;
}

int apt_fetch(const struct apt_root *root, const char *const *names, size_t n,
              const struct apt_files *files, struct error *err)
{
    static const char *const install[] = {"apt-get", "install", "--download-only", "--", NULL};
    const char **argv AUTO_FREE = with_names(install, names, n);
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct telling telling = {.progress =
                                  progress_start(files->bytes, "fetch %zu packages, %.1f MB",
                                                 files->count, (double)files->bytes / 1e6)};
    int result = run(root, argv, &telling, &out, err);
    progress_end(&telling.progress);
    return result;
}

void apt_files_free(struct apt_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].name);
    free(files->items);
    *files = (struct apt_files){0};
}
