/* What a system left behind when it ran: a clean image has none of it. It is only reported. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/inspect/gather.h"
#include "builder/inspect/glob.h"

enum { PATTERNS_MAX = 6, EXAMPLES_MAX = 3, NAMES_MAX = 100 * 1000, MACHINE_ID_MAX = 4096 };

static const struct {
    const char *name, *label;
    const char *patterns[PATTERNS_MAX];
} rows[] = {
    {"sshHostKeys", "SSH host keys", {"/etc/ssh/ssh_host_*"}},
    {"randomSeed",
     "random seed",
     {"/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret",
      "/var/lib/urandom/random-seed"}},
    {"dhcpLeases",
     "DHCP leases",
     {"/var/lib/dhcp/*lease*", "/var/lib/dhclient/*lease*", "/var/lib/dhcpcd/*lease*",
      "/var/lib/NetworkManager/*lease*"}},
    {"cloudInit",
     "cloud-init state",
     {"/var/lib/cloud/instances/**", "/var/lib/cloud/data/**", "/var/lib/cloud/sem/**"}},
    {"logs", "logs", {"/var/log/**"}},
    {"packageCaches",
     "package caches",
     {"/var/cache/apt/archives/*.deb", "/var/cache/apt/*.bin", "/var/lib/apt/lists/**",
      "/var/cache/dnf/**", "/var/cache/yum/**"}},
    {"temporaryFiles", "temporary files", {"/tmp/**", "/var/tmp/**"}},
    {"crashDumps", "crash dumps", {"/var/crash/**", "/var/lib/systemd/coredump/**"}},
    {"shellHistories", "shell histories", {"/root/.*_history", "/home/*/.*_history"}},
    {"authorizedKeys",
     "authorized keys",
     {"/root/.ssh/authorized_keys*", "/home/*/.ssh/authorized_keys*"}},
};

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

/* Empty files, links, and the lock of the package lists are part of a stock image; what the
 * manifest lists was put there on purpose. */
static void note(void *ctx, const char *path, const struct disk_item *item)
{
    struct search *s = ctx;
    const char *name = strrchr(path, '/') + 1;
    if (!S_ISREG(item->mode) || item->size == 0 || strcmp(name, "lock") == 0 ||
        manifest_find(s->manifest, path))
        return;
    s->trace->count++;
    s->trace->bytes += item->size;
    if (s->trace->examples.count < EXAMPLES_MAX)
        list_add(&s->trace->examples, path);
}

int gather_hygiene(struct inspection *in, struct error *err)
{
    struct glob glob = {.view = &in->view, .found = note, .left = NAMES_MAX};
    int result = 0;
    find_machine_id(in);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct search search = {&in->manifest, add_trace(in->report, rows[i].name, rows[i].label)};
        glob.ctx = &search;
        for (size_t p = 0; p < PATTERNS_MAX && rows[i].patterns[p]; p++) {
            struct error why = ERROR_INIT;
            if (glob_walk(&glob, rows[i].patterns[p], &why) == 0)
                continue;
            *err = why;
            result = -1;
        }
    }
    return result;
}
