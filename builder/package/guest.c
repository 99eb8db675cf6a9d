#include "builder/package/guest.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/progress.h"

#define FOLDER "/var/cache/nodebake-debs"
#define POLICY "/usr/sbin/policy-rc.d"
#define ASIDE  POLICY ".nodebake"
#define KEYS   "/etc/ssh"

/* Installing is under way. */
struct guest {
    const struct disk_writer *writer;
    struct disk *disk;
    const struct choices *choices;
    time_t mtime;
    bool policy;        /* the system has one of its own, which is put aside */
    struct buffer keys; /* names in /etc/ssh before */
    struct error *err;
};

/* A vector of arguments that grows. */
struct argv {
    const char **items;
    size_t count, cap;
};

static void add(struct argv *argv, const char *word)
{
    *APPEND(argv->items, argv->count, argv->cap) = word;
}

static int run(const struct guest *g, const char *const *argv, struct buffer *out)
{
    struct buffer unread AUTO_BUFFER = buffer_heap();
    return g->writer->run(g->disk, argv, out ? out : &unread, g->err);
}
#define RUN(g, ...) run(g, (const char *const[]){__VA_ARGS__, NULL}, NULL)

/* The environment that dpkg and scripts want. */
static void add_environment(struct argv *argv)
{
    static const char *const words[] = {
        "/usr/bin/env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true", "LC_ALL=C.UTF-8"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        add(argv, words[i]);
}

static char *inside(const struct deb *deb)
{
    return heap_printf(FOLDER "/%s.deb", deb->name);
}

static int put_debs(const struct guest *g)
{
    for (size_t i = 0; i < g->choices->count; i++) {
        const struct deb *deb = g->choices->items[i].deb;
        char *path AUTO_FREE = inside(deb);
        struct entry entry = {.path = path, .type = ENTRY_FILE, .mode = 0644, .host = deb->path};
        if (g->writer->put(g->disk, &entry, g->mtime, NULL, g->err) < 0)
            return -1;
    }
    return 0;
}

/* invoke-rc.d and deb-systemd-invoke ask it: 101 forbids. */
static int forbid_services(struct guest *g)
{
    static char text[] = "#!/bin/sh\nexit 101\n";
    static char path[] = POLICY;
    int found = g->writer->exists(g->disk, POLICY, g->err);
    if (found < 0 || (found && RUN(g, "/bin/mv", POLICY, ASIDE) < 0))
        return -1;
    g->policy = found > 0;
    struct entry entry = {
        .path = path, .type = ENTRY_FILE, .mode = 0755, .text = text, .len = sizeof text - 1};
    return g->writer->put(g->disk, &entry, g->mtime, NULL, g->err);
}

static int install(const struct guest *g)
{
    struct argv argv = {0};
    char **paths AUTO_FREE = heap_array(g->choices->count, sizeof *paths);
    add_environment(&argv);
    add(&argv, "dpkg");
    add(&argv, "--log=/dev/null");
    add(&argv, "--force-confold");
    add(&argv, "-i");
    for (size_t i = 0; i < g->choices->count; i++)
        add(&argv, paths[i] = inside(g->choices->items[i].deb));
    add(&argv, NULL);
    int result = run(g, argv.items, NULL);
    for (size_t i = 0; i < g->choices->count; i++)
        free(paths[i]);
    free(argv.items);
    return result;
}

/* What nobody asked for may go again by `apt autoremove`. */
static int mark_dependencies(const struct guest *g)
{
    struct argv argv = {0};
    add_environment(&argv);
    add(&argv, "apt-mark");
    add(&argv, "auto");
    size_t before = argv.count;
    for (size_t i = 0; i < g->choices->count; i++)
        if (!g->choices->items[i].wanted && !g->choices->items[i].upgrade)
            add(&argv, g->choices->items[i].deb->name);
    bool some = argv.count > before;
    add(&argv, NULL);
    int found = some ? g->writer->exists(g->disk, "/usr/bin/apt-mark", g->err) : 0;
    int result = found > 0 ? run(g, argv.items, NULL) : found;
    free(argv.items);
    return result;
}

static int check_audit(const struct guest *g)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    static const char *const argv[] = {"/usr/bin/dpkg", "--audit", NULL};
    if (run(g, argv, &out) < 0)
        return -1;
    if (out.len)
        return error_set(g->err, "dpkg --audit: %s", out.data);
    return 0;
}

/* ---- afterwards ---- */

static bool lists(const struct buffer *names, const char *wanted)
{
    for (const char *name = names->data; name < names->data + names->len; name += strlen(name) + 1)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

/* Host keys would be the same on all nodes. */
static int remove_host_keys(const struct guest *g)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (g->writer->list(g->disk, KEYS, &names, g->err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf(KEYS "/%s", name);
        if (strncmp(name, "ssh_host_", 9) == 0 && !lists(&g->keys, name) &&
            RUN(g, "/bin/rm", "-f", path) < 0)
            return -1;
    }
    return 0;
}

static int clean(const struct guest *g)
{
    if (RUN(g, "/bin/rm", "-rf", FOLDER, POLICY, "/var/log/dpkg.log", "/var/log/alternatives.log",
            "/var/log/apt/term.log", "/var/log/apt/history.log", "/var/cache/ldconfig/aux-cache",
            "/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin") < 0 ||
        remove_host_keys(g) < 0)
        return -1;
    return g->policy ? RUN(g, "/bin/mv", ASIDE, POLICY) : 0;
}

int guest_install(const struct disk_writer *writer, struct disk *disk,
                  const struct choices *choices, time_t mtime, struct error *err)
{
    struct guest g = {.writer = writer,
                      .disk = disk,
                      .choices = choices,
                      .mtime = mtime,
                      .keys = buffer_heap(),
                      .err = err};
    struct progress progress =
        progress_start(0, "install %zu packages in the guest", choices->count);
    int result = -1;
    if (writer->list(disk, KEYS, &g.keys, err) == 0 && put_debs(&g) == 0 &&
        forbid_services(&g) == 0 && install(&g) == 0 && mark_dependencies(&g) == 0 &&
        check_audit(&g) == 0 && clean(&g) == 0)
        result = 0;
    progress_end(&progress);
    buffer_free(&g.keys);
    return result;
}
