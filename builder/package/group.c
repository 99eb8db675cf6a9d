#include "builder/package/group.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/tree/tree.h"

static char *copy(struct dpkg_text text)
{
    return heap_printf("%.*s", (int)text.len, text.at);
}

static bool add_link(struct group *group, const char *name, struct dpkg_text link)
{
    if (group->link_count == GROUP_LINKS_MAX || !*name || strchr(name, '/') || *name == '.')
        return false;
    struct group_link *new = &group->links[group->link_count++];
    *new = (struct group_link){.name = heap_copy(name), .link = copy(link)};
    return tree_path_clean(new->link);
}

/* The status, the master's link, and two lines a slave, up to an empty one. */
static bool read_links(struct dpkg_text *rest, const char *name, struct group *out)
{
    struct dpkg_text line, link;
    if (!dpkg_next_line(rest, &line) || !dpkg_next_line(rest, &link) || !add_link(out, name, link))
        return false;
    out->automatic = dpkg_text_is(line, "auto");
    while (dpkg_next_line(rest, &line) && line.len) {
        char *slave AUTO_FREE = copy(line);
        if (!dpkg_next_line(rest, &link) || !add_link(out, slave, link))
            return false;
    }
    return true;
}

static char *add_path(struct group *group, struct dpkg_text line)
{
    char *path = copy(line);
    *APPEND(group->paths, group->path_count, group->path_cap) = path;
    return path;
}

/* A choice: its path, its priority, and a path for each slave, which may be empty. */
static bool read_choice(struct dpkg_text *rest, struct dpkg_text path, struct group *out,
                        long *best)
{
    struct dpkg_text line;
    if (!dpkg_next_line(rest, &line) || line.len == 0 || line.len > 10)
        return false;
    char *digits AUTO_FREE = copy(line);
    long priority = strtol(digits, NULL, 10);
    bool better = priority > *best;
    for (size_t i = 0; i < out->link_count; i++) {
        if (i > 0 && !dpkg_next_line(rest, &path))
            return false;
        const char *text = add_path(out, path);
        if ((*text || i == 0) && !tree_path_clean(text))
            return false;
        if (!better)
            continue;
        free(out->links[i].path);
        out->links[i].path = heap_copy(text);
    }
    *best = better ? priority : *best;
    return true;
}

bool group_read(struct dpkg_text text, const char *name, struct group *out)
{
    struct dpkg_text line;
    long best = LONG_MIN;
    *out = (struct group){0};
    if (!read_links(&text, name, out))
        return false;
    while (dpkg_next_line(&text, &line) && line.len)
        if (!read_choice(&text, line, out, &best))
            return false;
    return true;
}

void group_free(struct group *group)
{
    for (size_t i = 0; i < group->link_count; i++) {
        free(group->links[i].name);
        free(group->links[i].link);
        free(group->links[i].path);
    }
    for (size_t i = 0; i < group->path_count; i++)
        free(group->paths[i]);
    free(group->paths);
    *group = (struct group){0};
}
