/* What apt says went wrong. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/apt.h"

enum { COMPLAINT_MAX = 600 };

static bool begins(struct dpkg_text line, const char *with)
{
    return line.len >= strlen(with) && memcmp(line.at, with, strlen(with)) == 0;
}

static bool ends(struct dpkg_text line, const char *with)
{
    size_t n = strlen(with);
    return line.len >= n && memcmp(line.at + line.len - n, with, n) == 0;
}

/* They say that there is an error, not which. */
static bool is_idle(struct dpkg_text line)
{
    static const char *const idle[] = {
        "E: Some index files failed to download",
        "W: Some index files failed to download",
        "E: Unable to fetch some archives",
        "E: Failed to fetch some archives",
        "E: Unable to correct problems",
        "E: Aborting install",
        "E: Packages need to be removed but remove",
        "W: Download is performed unsandboxed",
    };
    for (size_t i = 0; i < ARRAY_LEN(idle); i++)
        if (begins(line, idle[i]))
            return true;
    return false;
}

/* Appends the line with single spaces, and without the name of our folder. */
static void add(const struct apt_root *root, struct dpkg_text line, struct buffer *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    size_t skip = strlen(root->path);
    for (size_t i = 0; i < line.len; i++) {
        struct dpkg_text rest = {line.at + i, line.len - i};
        bool space = (unsigned char)line.at[i] <= ' ';
        if (skip && begins(rest, root->path))
            i += skip - 1;
        else if (!space)
            buffer_add(&text, &line.at[i], 1);
        else if (text.len && text.data[text.len - 1] != ' ')
            buffer_puts(&text, " ");
    }
    while (text.len && strchr(" ;.", text.data[text.len - 1]))
        text.data[--text.len] = '\0';
    if (text.len && !strstr(out->data, text.data) && out->len < COMPLAINT_MAX)
        buffer_printf(out, "%s%s", out->len ? "; " : "", text.data);
}

/* Below such a head stand lines that are indented. */
static const char *list_of(struct dpkg_text line)
{
    if (ends(line, "packages will be REMOVED:"))
        return "these packages of the base would have to go:";
    if (ends(line, "packages have unmet dependencies:"))
        return "";
    return NULL;
}

static void add_listed(const struct apt_root *root, struct dpkg_text *rest, const char *head,
                       struct buffer *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct dpkg_text line;
    buffer_puts(&text, head);
    while (rest->len && *rest->at == ' ' && dpkg_next_line(rest, &line))
        buffer_printf(&text, "%.*s", (int)line.len, line.at);
    add(root, (struct dpkg_text){text.data, text.len}, out);
}

void apt_complaint(const struct apt_root *root, struct dpkg_text said, struct buffer *out)
{
    struct dpkg_text line;
    while (dpkg_next_line(&said, &line)) {
        const char *head = list_of(line);
        if (head)
            add_listed(root, &said, head, out);
        else if ((begins(line, "E: ") || begins(line, "W: ")) && !is_idle(line))
            add(root, (struct dpkg_text){line.at + 3, line.len - 3}, out);
    }
}
