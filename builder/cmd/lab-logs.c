#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/agent.h"
#include "common/cleanup.h"

enum { JOURNAL_SECONDS = 120 };
static const double AGENT_WAIT_SECONDS = 3;

static int print_console(const struct lab_client *lab, const char *node, struct error *err)
{
    char *log AUTO_FREE = lab_file(node, "console.log");
    char chunk[8192];
    ssize_t n;
    int fd AUTO_CLOSE = openat(lab->dir, log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, "%s was never started", node);
    if (fd < 0)
        return error_errno(err, "open %s/%s", lab->path, log);
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        fwrite(chunk, 1, (size_t)n, stdout);
    return n < 0 ? error_errno(err, "read %s/%s", lab->path, log) : 0;
}

static int print_journal(const struct lab_client *lab, const char *node, bool wanted,
                         struct error *err)
{
    static char *const argv[] = {(char *)"journalctl", (char *)"--no-pager", (char *)"--boot",
                                 (char *)"--output=short-iso"};
    struct agent_result result AUTO_AGENT_RESULT = {0};
    char *socket AUTO_FREE = lab_file(node, "agent");
    if (!agent_answers(lab->dir, socket, AGENT_WAIT_SECONDS)) {
        if (wanted)
            return error_set(err,
                             "the guest agent of %s does not answer; its console is had with "
                             "--console",
                             node);
        fprintf(stderr,
                "nodebake: the guest agent of %s does not answer: this was its console "
                "only\n",
                node);
        return 0;
    }
    if (!wanted)
        printf("\n---- journal of %s ----\n", node);
    if (agent_run(lab->dir, socket, argv, ARRAY_LEN(argv), NULL, JOURNAL_SECONDS, &result, err) < 0)
        return error_context(err, "%s", node);
    fwrite(result.out.data ? result.out.data : "", 1, result.out.len, stdout);
    if (result.cut)
        fprintf(stderr, "nodebake: %s: of the journal only the first part came\n", node);
    if (result.status)
        return error_set(err, "%s: journalctl: exit status %d: %.200s", node, result.status,
                         result.err.data ? result.err.data : "");
    return 0;
}

static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    json_t *status AUTO_JSON = NULL;
    const json_t *about;
    const char *node = args->operands[0];
    bool console = args_flag(args, "console"), journal = args_flag(args, "journal");
    if (lab_find(args, &lab, err) < 0 || lab_ask(&lab, "status", NULL, &status, err) < 0 ||
        lab_node(status, node, &about, err) < 0)
        return -1;
    if ((console || !journal) && print_console(&lab, node, err) < 0)
        return -1;
    return journal || !console ? print_journal(&lab, node, journal && !console, err) : 0;
}

const struct command cmd_lab_logs = {
    .name = "lab logs",
    .operands = "NODE",
    .summary = "Prints the console and the journal of a machine of the lab",
    .details =
        "Of the last boot. The journal comes by the guest agent, without a network; of a machine\n"
        "whose agent does not answer the console is all there is.\n",
    .options = {OPTION_CLUSTER,
                OPTION_STATE,
                {"console", NULL, "only the console"},
                {"journal", NULL, "only the journal"}},
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
