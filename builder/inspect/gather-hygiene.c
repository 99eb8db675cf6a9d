/* What a system left behind when it ran: a clean image has none of it. It is only reported. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/dirt.h"
#include "builder/image/glob.h"
#include "builder/inspect/gather.h"

enum { EXAMPLES_MAX = 3, NAMES_MAX = 100 * 1000, MACHINE_ID_MAX = 4096 };

static struct trace *add_trace(struct report *r, const char *name, const char *label)
{
    struct trace *trace = APPEND(r->traces, r->trace_count, r->trace_cap);
    *trace = (struct trace){.name = name, .label = label};
    return trace;
}

static bool is_id(const char *text, size_t len)
{
    return len >= 32 && strspn(text, "0123456789abcdef") == 32 && (len == 32 || text[32] == '\n');
}

static const char *state_of(int found, const struct buffer *text)
{
    if (found <= 0)
        return found < 0 ? "unreadable" : "absent";
    if (text->len == 0)
        return "empty";
    if (strcmp(text->data, "uninitialized\n") == 0)
        return "uninitialized";
    return is_id(text->data, text->len) ? "set" : "strange";
}

static void find_machine_id(struct inspection *in)
{
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, "/etc/machine-id", MACHINE_ID_MAX, &text, &ignored);
    add_trace(in->report, "machineId", "machine-id")->state = heap_copy(state_of(found, &text));
}

/* What is looked for, and where it is noted. */
struct search {
    const struct manifest *manifest;
    struct trace *trace;
};

/* What the manifest lists was put there on purpose. */
static void note(void *ctx, const char *path, const struct disk_item *item)
{
    struct search *s = ctx;
    const struct manifest_item *listed = manifest_find(s->manifest, path);
    if (!dirt_counts(path, item) || (listed && listed->entry.type != ENTRY_GONE))
        return;
    s->trace->count++;
    s->trace->bytes += item->size;
    if (s->trace->examples.count < EXAMPLES_MAX)
        list_add(&s->trace->examples, path);
}

static int search_kind(const struct dirt_kind *kind, struct glob *glob, struct error *err)
{
    int result = 0;
    for (size_t p = 0; p < DIRT_PATTERNS_MAX && kind->patterns[p].text; p++) {
        struct error why = ERROR_INIT;
        if (glob_walk(glob, kind->patterns[p].text, &why) == 0)
            continue;
        *err = why;
        result = -1;
    }
    return result;
}

int gather_hygiene(struct inspection *in, struct error *err)
{
    struct glob glob = {.view = &in->view, .found = note, .left = NAMES_MAX};
    int result = 0;
    find_machine_id(in);
    for (size_t i = 0; i < dirt_kind_count; i++) {
        struct error why = ERROR_INIT;
        struct search search = {&in->manifest,
                                add_trace(in->report, dirt_kinds[i].name, dirt_kinds[i].label)};
        glob.ctx = &search;
        if (search_kind(&dirt_kinds[i], &glob, &why) == 0)
            continue;
        *err = why;
        result = -1;
    }
    return result;
}
