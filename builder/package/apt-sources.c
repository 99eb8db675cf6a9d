#include <string.h>

#include "builder/heap.h"
#include "builder/package/apt-fill.h"

static int read_sources(struct filling *f, const char *path)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (f->writer->read(f->disk, path, FILL_FILE_MAX, &text, f->err) < 0)
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
    if (f->writer->read(f->disk, path, FILL_FILE_MAX, &text, f->err) < 0)
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
    if (found < 0 || fill_copy(f, key) < 0)
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

int fill_sources(struct filling *f)
{
    static const char *const suffixes[] = {".list", ".sources", NULL};
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (fill_with_file(f, "/etc/apt/sources.list", read_sources) < 0 ||
        fill_with_folder(f, "/etc/apt/sources.list.d", suffixes, read_sources) < 0)
        return -1;
    for (size_t i = 0; i < f->sources.count; i++)
        if (add_source(f, &f->sources.items[i], &text) < 0)
            return -1;
    if (!text.len)
        return error_set(f->err,
                         "/etc/apt/sources.list and sources.list.d of the base name no repository "
                         "that is reached by http or https%s%s",
                         f->root->passed.len ? ", only " : "", f->root->passed.data);
    return fill_put(f, "/etc/apt/sources.list.d/base.sources", text.data, text.len);
}
