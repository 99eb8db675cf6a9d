#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"
#include "builder/process.h"
#include "common/cleanup.h"

enum { COMPLAINT_MAX = 200 };

/* By descriptor: the tools would take a '?' in a path for the begin of options, and NAME=VALUE for
 * the label of a device. */
char *ext4_tool_name(int fd, const struct partition *partition)
{
    return heap_printf("/proc/%d/fd/%d?offset=%llu", (int)getpid(), fd,
                       (unsigned long long)partition->start);
}

/* Standard output as it comes, of which the first complaint is kept. */
struct complaint {
    char line[COMPLAINT_MAX]; /* the one that is read, or the complaint */
    size_t len;
    bool found;
};

static void judge_line(struct complaint *c)
{
    c->line[c->len] = '\0';
    /* Questions it answers itself: "Inode 12 is a zero-length directory.  Clear? no" */
    char *question = strstr(c->line, "? no");
    if (question) {
        while (question > c->line && strncmp(question, "  ", 2) != 0)
            question--;
        if (question > c->line)
            *question = '\0';
    }
    size_t len = strlen(c->line);
    if (len && c->line[len - 1] == '.')
        c->line[len - 1] = '\0';
    c->found = c->len && strncmp(c->line, "Pass ", 5) != 0;
    if (!c->found)
        c->len = 0;
}

static void read_output(void *ctx, const char *bytes, size_t n)
{
    struct complaint *c = ctx;
    for (size_t i = 0; i < n && !c->found; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\n')
            judge_line(c);
        else if (c->len < sizeof c->line - 1)
            c->line[c->len++] = byte < ' ' || byte > '~' ? ' ' : (char)byte;
    }
}

int ext4_check_whole(const char *raw, const struct partition *partition, struct error *err)
{
    int fd AUTO_CLOSE = open(raw, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", raw);
    char *name AUTO_FREE = ext4_tool_name(fd, partition);
    struct complaint complaint = {.len = 0};
    /* A time that lies in its future is no damage; at the last second of all nothing does. */
    struct process p = {.argv = (const char *const[]){"e2fsck", "-f", "-n", name, NULL},
                        .env = (const char *const[]){"LC_ALL=C", "E2FSCK_TIME=4294967295",
                                                     "E2FSCK_CONFIG=/dev/null", NULL},
                        .reader = read_output,
                        .reader_ctx = &complaint};
    if (process_run(&p, NULL, err) == 0)
        return 0;
    if (complaint.found)
        return error_set(err,
                         "the file system of partition %u is not consistent: %s; run e2fsck "
                         "-f on it",
                         partition->number, complaint.line);
    return error_context(err, "check the file system of partition %u", partition->number);
}
