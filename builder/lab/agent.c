#include "builder/lab/agent.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/control.h"
#include "builder/lab/link.h"
#include "builder/pki/kubeconfig.h"
#include "common/cleanup.h"

/* An answer is JSON, with output in base64. */
enum { ANSWER_MAX = 48 << 20, POLL_NS = 200000000 };

/* The agent may still answer somebody who gave up waiting: guest-sync tells where our own answers
 * begin. */
static int synchronise(int fd, double until, struct error *err)
{
    static unsigned calls;
    long long id = (long long)getpid() * 4096 + ++calls % 4096;
    char *sync AUTO_FREE =
        heap_printf("{\"execute\": \"guest-sync\", \"arguments\": {\"id\": %lld}}\n", id);
    if (link_write(fd, until, sync, strlen(sync), err) < 0)
        return -1;
    for (;;) {
        struct buffer line AUTO_BUFFER = buffer_heap();
        if (link_read_line(fd, until, ANSWER_MAX, &line, err) < 0)
            return -1;
        json_t *answer AUTO_JSON = json_loadb(line.data, line.len, 0, NULL);
        const json_t *got = json_object_get(answer, "return");
        if (json_is_integer(got) && json_integer_value(got) == id)
            return 0;
    }
}

static int open_agent(int dirfd, const char *name, double until, int *out, struct error *err)
{
    int fd AUTO_CLOSE = -1;
    if (link_connect(dirfd, name, until, &fd, err) < 0)
        return -1;
    if (synchronise(fd, until, err) < 0)
        return -1;
    *out = steal_fd(&fd);
    return 0;
}

bool agent_answers(int dirfd, const char *name, double seconds)
{
    struct error ignored = ERROR_INIT;
    int fd AUTO_CLOSE = -1;
    return open_agent(dirfd, name, link_now() + seconds, &fd, &ignored) == 0;
}

int agent_ask(int dirfd, const char *name, const char *command, json_t *arguments, json_t **answer,
              struct error *err)
{
    double until = link_now() + AGENT_SECONDS;
    int fd AUTO_CLOSE = -1;
    struct buffer line AUTO_BUFFER = buffer_heap();
    json_t *request AUTO_JSON = json_pack("{s:s}", "execute", command);
    if (arguments)
        json_object_set(request, "arguments", arguments);
    char *text AUTO_FREE = json_dumps(request, JSON_COMPACT);
    char *sent AUTO_FREE = heap_printf("%s\n", text ? text : "");
    if (open_agent(dirfd, name, until, &fd, err) < 0 ||
        link_write(fd, until, sent, strlen(sent), err) < 0 ||
        link_read_line(fd, until, ANSWER_MAX, &line, err) < 0) {
        error_context(err, "the guest agent");
        return -1;
    }
    json_t *all AUTO_JSON = json_loadb(line.data, line.len, 0, NULL);
    json_t *got = json_object_get(all, "return");
    const char *why = json_string_value(json_object_get(json_object_get(all, "error"), "desc"));
    if (!got) {
        error_set(err, "the guest agent: %s: %s", command, why ? why : "a strange answer");
        return -1;
    }
    *answer = json_incref(got);
    return 0;
}

static int decode(const json_t *text, struct buffer *out, struct error *err)
{
    size_t n = json_string_length(text);
    const char *bytes = json_string_value(text);
    if (!bytes || !n)
        return 0;
    unsigned char *plain AUTO_FREE = heap_array(n / 4 + 1, 3);
    int got = n % 4 == 0 ? EVP_DecodeBlock(plain, (const unsigned char *)bytes, (int)n) : -1;
    if (got < 0)
        return error_set(err, "the guest agent: output that is not base64");
    /* The padding counts as bytes there. */
    size_t len = (size_t)got - (bytes[n - 1] == '=') - (bytes[n - 2] == '=');
    buffer_add(out, plain, len);
    return 0;
}

int agent_read_status(const json_t *answer, struct agent_result *result, struct error *err)
{
    const json_t *code = json_object_get(answer, "exitcode");
    const json_t *number = json_object_get(answer, "signal");
    if (!json_is_boolean(json_object_get(answer, "exited")))
        return error_set(err, "the guest agent: guest-exec-status: a strange answer");
    if (json_is_false(json_object_get(answer, "exited")))
        return 0;
    result->status = json_is_integer(code) ? (int)json_integer_value(code)
                                           : 128 + (int)json_integer_value(number);
    result->cut = json_is_true(json_object_get(answer, "out-truncated")) ||
                  json_is_true(json_object_get(answer, "err-truncated"));
    if (decode(json_object_get(answer, "out-data"), &result->out, err) < 0 ||
        decode(json_object_get(answer, "err-data"), &result->err, err) < 0)
        return -1;
    return 1;
}

static int begin(int dirfd, const char *name, char *const *argv, size_t n,
                 const struct buffer *input, json_int_t *pid, struct error *err)
{
    json_t *answer AUTO_JSON = NULL;
    json_t *list = json_array();
    for (size_t i = 1; i < n; i++)
        if (json_array_append_new(list, json_string(argv[i])) < 0) {
            json_decref(list);
            return error_set(err, "'%s' is not UTF-8", argv[i]);
        }
    json_t *arguments AUTO_JSON =
        json_pack("{s:s, s:o, s:b}", "path", argv[0], "arg", list, "capture-output", 1);
    if (!arguments)
        return error_set(err, "'%s' is not UTF-8", argv[0]);
    if (input) {
        struct buffer coded AUTO_BUFFER = buffer_heap();
        base64_print(input->data ? input->data : "", input->len, &coded);
        json_object_set_new(arguments, "input-data", json_string(coded.data ? coded.data : ""));
    }
    if (agent_ask(dirfd, name, "guest-exec", arguments, &answer, err) < 0)
        return -1;
    *pid = json_integer_value(json_object_get(answer, "pid"));
    return 0;
}

int agent_run(int dirfd, const char *name, char *const *argv, size_t n, const struct buffer *input,
              unsigned seconds, struct agent_result *result, struct error *err)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    double until = link_now() + seconds;
    json_int_t pid = 0;
    result->out = buffer_heap();
    result->err = buffer_heap();
    if (begin(dirfd, name, argv, n, input, &pid, err) < 0)
        return -1;
    for (;;) {
        json_t *answer AUTO_JSON = NULL, *of AUTO_JSON = json_pack("{s:I}", "pid", pid);
        if (agent_ask(dirfd, name, "guest-exec-status", of, &answer, err) < 0)
            return -1;
        int ended = agent_read_status(answer, result, err);
        if (ended != 0)
            return ended < 0 ? -1 : 0;
        if (seconds && link_now() > until)
            return error_set(err, "%s: not done after %u seconds", argv[0], seconds);
        nanosleep(&pause, NULL);
    }
}

void agent_result_free(struct agent_result *result)
{
    buffer_free(&result->out);
    buffer_free(&result->err);
}
