#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/agent.h"

enum { AGENT_WAIT_SECONDS = 5 };

static int read_input(struct buffer *input, struct error *err)
{
    char chunk[8192];
    ssize_t n;
    while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0) {
        buffer_add(input, chunk, (size_t)n);
        if (input->len > AGENT_INPUT_MAX)
            return error_set(err, "standard input: more than %d MiB", AGENT_INPUT_MAX >> 20);
    }
    return n < 0 ? error_errno(err, "read standard input") : 0;
}

static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    struct buffer input AUTO_BUFFER = buffer_heap();
    struct agent_result result AUTO_AGENT_RESULT = {0};
    const char *node = args->operands[0];
    size_t skip = strcmp(args->operands[1], "--") == 0 ? 2 : 1;
    bool with_input = args_flag(args, "stdin");
    if (args->operand_count == skip)
        return error_set(err, "an argument is missing: the command to run in %s", node);
    if (lab_find(args, &lab, err) < 0 || lab_running(&lab, node, err) < 0)
        return -1;
    char *socket AUTO_FREE = lab_file(node, "agent");
    if (!agent_answers(lab.dir, socket, AGENT_WAIT_SECONDS))
        return error_set(err,
                         "the guest agent of %s does not answer: it boots still, or its image "
                         "lacks the agent (cluster.yaml: packages: [qemu-guest-agent])",
                         node);
    if (with_input && read_input(&input, err) < 0)
        return -1;
    if (agent_run(lab.dir, socket, args->operands + skip, args->operand_count - skip,
                  with_input ? &input : NULL, 0, &result, err) < 0)
        return error_context(err, "%s", node);
    fwrite(result.out.data ? result.out.data : "", 1, result.out.len, stdout);
    fwrite(result.err.data ? result.err.data : "", 1, result.err.len, stderr);
    if (result.cut)
        fprintf(stderr, "nodebake: %s: more output than the guest agent keeps was lost\n", node);
    return result.status;
}

const struct command cmd_lab_exec = {
    .name = "lab exec",
    .operands = "NODE [--] COMMAND [ARGUMENT]...",
    .summary = "Runs a command in a machine of the lab, as root",
    .details =
        "By QEMU's guest agent, which needs no network. Output comes when the command has ended.\n"
        "The exit status is that of the command; 128 and the signal when it died of one.\n",
    .options = {OPTION_CLUSTER,
                OPTION_STATE,
                {"stdin", NULL, "give it our standard input, up to 4 MiB"}},
    .operands_min = 2,
    .operands_max = SIZE_MAX,
    .passes_on = true,
    .run = run,
};
