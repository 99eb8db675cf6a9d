#include "firstboot/asker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "firstboot/sandbox.h"

/* One write, which neither waits nor is split up. */
_Static_assert(sizeof(struct answer) < 65536, "an answer fits into a pipe");

static void fill(struct answer *a, const struct facts *f)
{
    memcpy(a->instance, f->instance, sizeof a->instance);
    memcpy(a->values, f->values, sizeof a->values);
    memcpy(a->bundle.bytes, f->bundle.bytes, f->bundle.len);
    a->bundle.len = f->bundle.len;
    memcpy(a->keys.text, f->keys.text, sizeof a->keys.text);
    a->keys.count = f->keys.count;
    a->keys.bad = f->keys.bad;
    a->keys.expiring = f->keys.expiring;
    a->keys.surplus = f->keys.surplus;
    a->keys.first_bad = f->keys.first_bad;
}

/* The second process: never returns. */
static void ask(int out, struct answer *a, struct facts *facts, struct steps *steps, asker_job *job,
                void *ctx)
{
    struct error err = ERROR_INIT;
    sandbox_close_all_but(out);
    a->unfiltered = sandbox_enter(&err) < 0;
    a->failed = job(ctx, facts, steps, &err) < 0;
    a->took_ms[0] = steps->took_ms[STEP_NETWORK];
    a->took_ms[1] = steps->took_ms[STEP_METADATA];
    snprintf(a->error, sizeof a->error, "%s", err.text);
    if (!a->failed)
        fill(a, facts);
    (void)!file_write_all(out, a, sizeof *a);
    explicit_bzero(a, sizeof *a);
    facts_wipe(facts);
    _exit(0);
}

/* Reads all of it, or what there is at the end or when time is up; -1 with errno. */
static int receive(int fd, struct answer *a, struct deadline deadline)
{
    size_t len = 0;
    while (len < sizeof *a) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, deadline_left_ms(deadline));
        ssize_t got = n > 0 ? read(fd, (char *)a + len, sizeof *a - len) : n;
        if (got < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ETIMEDOUT;
        else if (got == 0)
            errno = EPIPE;
        if (got <= 0)
            return -1;
        len += (size_t)got;
    }
    return 0;
}

static void wait_for(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
}

/* It ends by itself once it has wiped its memory, and its end of the pipe closes; one that was
 * taken over may stay. */
static int await(pid_t pid, int in, int received, struct error *err)
{
    int cause = errno, status = 0;
    struct pollfd end = {.fd = in};
    if (received == 0)
        (void)!poll(&end, 1, ASKER_GRACE_MS);
    kill(pid, SIGKILL);
    wait_for(pid, &status);
    if (received == 0)
        return 0;
    if (cause == EPIPE && WIFSIGNALED(status))
        return error_set(err, "the process that asks was killed by signal %d%s", WTERMSIG(status),
                         WTERMSIG(status) == SIGSYS ? ", for a system call that it may not make"
                                                    : "");
    errno = cause;
    return error_errno(err, "wait for the process that asks");
}

/* Any number will do here: it is only told. What is left of the time is the process's own. */
static void take_steps(const struct answer *a, struct steps *s)
{
    s->took_ms[STEP_NETWORK] = a->took_ms[0];
    s->took_ms[STEP_METADATA] = a->took_ms[1];
    s->last_ms = clock_now_ms();
}

static void run_undo(asker_undo *undo)
{
    pid_t pid = undo ? fork() : -1;
    if (pid == 0) {
        struct error ignored = ERROR_INIT;
        alarm(ASKER_GRACE_MS / 1000); /* which ends it */
        sandbox_close_all_but(-1);
        (void)!sandbox_enter(&ignored);
        undo();
        _exit(0);
    }
    if (pid > 0)
        wait_for(pid, NULL);
}

int asker_run(struct facts *facts, struct steps *steps, asker_job *job, asker_undo *undo, void *ctx,
              struct deadline deadline, struct error *err)
{
    static struct answer answer;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "%s: make a pipe", facts->source);
    pid_t pid = fork();
    if (pid == 0)
        ask(ends[1], &answer, facts, steps, job, ctx);
    int in AUTO_CLOSE = ends[0];
    close(ends[1]);
    if (pid < 0)
        return error_errno(err, "%s: start a process that asks", facts->source);
    deadline.at_ms += ASKER_GRACE_MS;
    int result = await(pid, in, receive(in, &answer, deadline), err);
    if (result < 0) {
        error_context(err, "%s", facts->source);
        run_undo(undo);
    } else {
        take_steps(&answer, steps);
        result = asker_take(&answer, facts, err);
    }
    explicit_bzero(&answer, sizeof answer);
    return result;
}

static bool ends(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static int take_bundle(const struct answer *a, struct facts *f, struct error *err)
{
    if (a->bundle.len > sizeof a->bundle.bytes)
        return error_set(err, "more bytes than a bundle may have");
    memcpy(f->bundle.bytes, a->bundle.bytes, a->bundle.len);
    f->bundle.len = a->bundle.len;
    return bundle_check(&f->bundle, err);
}

static int take_fact(const struct answer *a, unsigned i, struct facts *f, struct error *err)
{
    const struct contract_fact *fact = &f->contract->facts[i];
    if (fact->type == VALUE_SSHKEYS) {
        if (!ends(a->keys.text, sizeof a->keys.text) || !ssh_keys_valid(a->keys.text))
            return error_set(err, "%s: %s: no lines of public keys", f->source, fact->name);
        snprintf(f->keys.text, sizeof f->keys.text, "%s", a->keys.text);
        return 0;
    }
    if (fact->type == VALUE_BUNDLE)
        return take_bundle(a, f, err) < 0 ? error_context(err, "%s: %s", f->source, fact->name) : 0;
    if (!ends(a->values[i], VALUE_MAX))
        return error_set(err, "%s: %s: a value without an end", f->source, fact->name);
    if (value_check_fact(fact->type, a->values[i], err) < 0)
        return error_context(err, "%s: %s", f->source, fact->name);
    snprintf(f->values[i], VALUE_MAX, "%s", a->values[i]);
    return 0;
}

int asker_take(const struct answer *a, struct facts *f, struct error *err)
{
    if (!ends(a->error, sizeof a->error) || !ends(a->instance, sizeof a->instance))
        return error_set(err, "%s: an answer without an end", f->source);
    f->unfiltered = a->unfiltered;
    if (a->failed)
        return error_set(err, "%s", a->error);
    for (unsigned i = 0; i < f->contract->fact_count; i++)
        if (take_fact(a, i, f, err) < 0)
            return -1;
    if (a->instance[0] && value_check(VALUE_TOKEN, a->instance, err) < 0)
        return error_context(err, "%s: instance", f->source);
    snprintf(f->instance, sizeof f->instance, "%s", a->instance);
    f->keys.count = a->keys.count;
    f->keys.bad = a->keys.bad;
    f->keys.expiring = a->keys.expiring;
    f->keys.surplus = a->keys.surplus;
    f->keys.first_bad = a->keys.first_bad;
    return 0;
}
