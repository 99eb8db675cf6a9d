/* Commands inside a machine, by QEMU's guest agent: over a channel that needs no network. */
#ifndef NB_BUILDER_LAB_AGENT_H
#define NB_BUILDER_LAB_AGENT_H

#include <jansson.h>
#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Output that the agent keeps of one command, and what it is sent. */
enum { AGENT_OUTPUT_MAX = 16 << 20, AGENT_INPUT_MAX = 4 << 20, AGENT_SECONDS = 30 };

/* What a command left. */
struct agent_result {
    int status; /* exit status; 128 and the signal when it died of one */
    struct buffer out, err;
    bool cut; /* there was more output than the agent keeps */
};

/* Is somebody there? Waits at most `seconds`. */
bool agent_answers(int dirfd, const char *name, double seconds) NONNULL(2);

/* Asks the agent behind the socket `name` in the directory; the caller frees *answer (json_decref),
 * what stands under "return". */
int agent_ask(int dirfd, const char *name, const char *command, json_t *arguments, json_t **answer,
              struct error *err) NONNULL(2, 3, 5, 6) MUST_CHECK;

/* Reads one answer of the agent: that of guest-exec-status into `result`, whose buffers are of
 * buffer_heap. 1: it has ended, 0: it runs. */
int agent_read_status(const json_t *answer, struct agent_result *result, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Runs a program there to its end; `input` may be NULL. `seconds` 0: waits as long as it takes. */
int agent_run(int dirfd, const char *name, char *const *argv, size_t n, const struct buffer *input,
              unsigned seconds, struct agent_result *result, struct error *err)
    NONNULL(2, 3, 7, 8) MUST_CHECK;

/* Frees what the struct holds. */
void agent_result_free(struct agent_result *result) NONNULL(1);
#define AUTO_AGENT_RESULT __attribute__((cleanup(agent_result_free)))

#endif
