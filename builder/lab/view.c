#include "builder/lab/view.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/link.h"

enum { COLUMNS_DEFAULT = 79, MINUTE = 60, HOUR = 3600 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

void view_span(long s, struct buffer *out)
{
    s = s < 0 ? 0 : s;
    if (s < MINUTE)
        buffer_printf(out, "%ld s", s);
    else if (s < HOUR)
        buffer_printf(out, "%ld min %ld s", s / MINUTE, s % MINUTE);
    else
        buffer_printf(out, "%ld h %ld min", s / HOUR, s % HOUR / MINUTE);
}

static long seconds_in_state(const json_t *node, time_t now)
{
    return (long)(now - (time_t)json_integer_value(json_object_get(node, "since")));
}

void view_table(const json_t *status, time_t now, struct buffer *out)
{
    const json_t *nodes = json_object_get(status, "nodes"), *node;
    size_t i;
    buffer_printf(out, "%-16s %-11s %-12s %-16s %-13s %s\n", "NODE", "ROLE", "STATE", "ADDRESS",
                  "SINCE", "");
    for (i = 0; i < json_array_size(nodes) && (node = json_array_get(nodes, i)); i++) {
        struct buffer span AUTO_BUFFER = buffer_heap();
        view_span(seconds_in_state(node, now), &span);
        buffer_printf(out, "%-16s %-11s %-12s %-16s %-13s %s\n", text_of(node, "name"),
                      text_of(node, "role"), text_of(node, "state"), text_of(node, "address"),
                      span.data, text_of(node, "why"));
    }
    /* Nothing at the ends of lines. */
    size_t kept = 0;
    for (size_t k = 0; k < out->len; k++) {
        if (out->data[k] == '\n')
            while (kept && out->data[kept - 1] == ' ')
                kept--;
        out->data[kept++] = out->data[k];
    }
    out->len = kept;
    out->data[kept] = '\0';
}

static const json_t *find(const json_t *status, const char *name)
{
    const json_t *nodes = json_object_get(status, "nodes"), *node;
    size_t i;
    for (i = 0; i < json_array_size(nodes) && (node = json_array_get(nodes, i)); i++)
        if (strcmp(text_of(node, "name"), name) == 0)
            return node;
    return NULL;
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
        return COLUMNS_DEFAULT;
    return size.ws_col - 1;
}

static void draw(struct view *view, const json_t *status, time_t now)
{
    struct buffer all AUTO_BUFFER = buffer_heap();
    if (view->drawn)
        buffer_printf(&all, "\033[%zuA", view->drawn);
    for (size_t i = 0; i < view->count; i++) {
        const json_t *node = find(status, view->names[i]);
        struct buffer line AUTO_BUFFER = buffer_heap(), span AUTO_BUFFER = buffer_heap();
        view_span(seconds_in_state(node, now), &span);
        buffer_printf(&line, "%-16s %-12s %-12s %s", view->names[i], text_of(node, "state"),
                      span.data, text_of(node, "why"));
        buffer_printf(&all, "\r%.*s\033[K\n", columns(), line.data);
    }
    view->drawn = view->count;
    fputs(all.data, stderr);
}

static void tell(struct view *view, const json_t *status)
{
    for (size_t i = 0; i < view->count; i++) {
        const json_t *node = find(status, view->names[i]);
        const char *state = text_of(node, "state"), *why = text_of(node, "why");
        bool failed = strcmp(state, "failed") == 0;
        if (strcmp(view->shown[i], state) == 0)
            continue;
        snprintf(view->shown[i], sizeof view->shown[i], "%s", state);
        fprintf(stderr, "%5.0f s  %s: %s%s%s\n", link_now() - view->begun, view->names[i], state,
                failed ? ": " : "", failed ? why : "");
    }
}

void view_progress(struct view *view, const json_t *status, time_t now)
{
    if (view->quiet)
        return;
    if (view->terminal)
        draw(view, status, now);
    else
        tell(view, status);
}
