#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/ssh-key-fixture.h"
#include "firstboot/asker.h"

static char text[] = "nodebake-contract 1\ncluster c\nrole r\nuser ops\ndeadline 60\n"
                     "on-failure continue\nfact NODE_NAME label\nfact TOKEN token\n"
                     "fact KEYS sshkeys\n";
static struct contract contract;
static struct facts facts;
static struct steps steps;
static struct answer answer;
static struct error err;

static int setup(void **state)
{
    (void)state;
    static char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    assert_int_equal(contract_parse(copy, sizeof text - 1, &contract, &err), 0);
    facts_init(&facts, &contract, "gce");
    memset(&answer, 0, sizeof answer);
    strcpy(answer.values[0], "worker-0");
    strcpy(answer.values[1], "abc.def");
    strcpy(answer.keys.text, KEY_ED25519 " ann\n");
    strcpy(answer.instance, "4711");
    return 0;
}

static int take(void)
{
    return asker_take(&answer, &facts, &err);
}

static void a_sound_answer_is_taken(void **state)
{
    (void)state;
    answer.keys.bad = 3;
    assert_int_equal(take(), 0);
    assert_string_equal(facts_value(&facts, "NODE_NAME"), "worker-0");
    assert_string_equal(facts_value(&facts, "KEYS"), KEY_ED25519 " ann\n");
    assert_string_equal(facts.instance, "4711");
    assert_int_equal(facts.keys.bad, 3);
    assert_string_equal(facts.keys.user, "ops");
}

/* The process may have been taken over by what it read. */
static void nothing_in_an_answer_is_trusted(void **state)
{
    (void)state;
    strcpy(answer.values[0], "../../etc");
    assert_int_equal(take(), -1);
    assert_memory_equal(err.text, "gce: NODE_NAME: '../../etc' is not a DNS label", 40);
    setup(NULL);
    answer.values[0][0] = '\0';
    assert_int_equal(take(), -1);
    setup(NULL);
    strcpy(answer.values[1], "a\nb");
    assert_int_equal(take(), -1);
    assert_memory_equal(err.text, "gce: TOKEN: a value that is not 1 to", 36);
    setup(NULL);
    memset(answer.values[1], 'x', sizeof answer.values[1]);
    assert_int_equal(take(), -1);
    assert_string_equal(err.text, "gce: TOKEN: a value without an end");
    setup(NULL);
    strcpy(answer.keys.text, "command=\"id\" " KEY_ED25519 "\n");
    assert_int_equal(take(), -1);
    assert_string_equal(err.text, "gce: KEYS: no lines of public keys");
    setup(NULL);
    memset(answer.keys.text, 'x', sizeof answer.keys.text);
    assert_int_equal(take(), -1);
    setup(NULL);
    memset(answer.error, 'x', sizeof answer.error);
    answer.failed = true;
    assert_int_equal(take(), -1);
    assert_string_equal(err.text, "gce: an answer without an end");
    setup(NULL);
    strcpy(answer.instance, "a b");
    assert_int_equal(take(), -1);
    setup(NULL);
    memset(answer.instance, '1', sizeof answer.instance);
    assert_int_equal(take(), -1);
}

static int fills(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)e, (void)s;
    strcpy(f->values[0], ctx);
    strcpy(f->values[1], "t");
    return 0;
}

static int refuses(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)ctx, (void)f, (void)s;
    return error_set(e, "gce: nobody answers");
}

static int crashes(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)ctx, (void)f, (void)s, (void)e;
    syscall(SYS_exit_group, 0); /* a sanitizer's _exit would do more than is allowed */
    return 0;
}

static int opens(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)ctx, (void)f, (void)s, (void)e;
    return access("/etc/passwd", R_OK);
}

static int hangs(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)ctx, (void)f, (void)s, (void)e;
    deadline_sleep(deadline_in(60000), 60000);
    return 0;
}

/* What a process that was taken over may do: its answer is there, or its end of the pipe closed,
 * and it stays. */
static int lingers(void *ctx, struct facts *f, struct steps *s, struct error *e)
{
    (void)f, (void)s, (void)e;
    for (int fd = 0; fd < 1024; fd++)
        if (ctx)
            (void)!write(fd, &answer, sizeof answer);
        else
            close(fd);
    poll(NULL, 0, 60000);
    return 0;
}

static int run(asker_job *job, const char *ctx)
{
    struct deadline d = deadline_in(job == hangs ? 50 - ASKER_GRACE_MS : 20000);
    return asker_run(&facts, &steps, job, NULL, (void *)(uintptr_t)ctx, d, &err);
}

static void a_second_process_asks(void **state)
{
    (void)state;
    assert_int_equal(run(fills, "worker-7"), 0);
    assert_string_equal(facts_value(&facts, "NODE_NAME"), "worker-7");
    assert_int_equal(run(fills, "Worker_7"), -1);
    assert_int_equal(run(refuses, NULL), -1);
    assert_string_equal(err.text, "gce: nobody answers");
    assert_int_equal(run(crashes, NULL), -1);
    assert_string_equal(err.text, "gce: wait for the process that asks: Broken pipe");
    assert_int_equal(run(opens, NULL), -1);
    assert_string_equal(err.text,
                        "gce: the process that asks was killed by signal 31, for a system "
                        "call that it may not make");
    assert_int_equal(run(hangs, NULL), -1);
    assert_string_equal(err.text, "gce: wait for the process that asks: Connection timed out");
    time_t began = time(NULL);
    assert_int_equal(run(lingers, "answers"), 0);
    assert_int_equal(run(lingers, NULL), -1);
    assert_true(time(NULL) - began < 30);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_answer_is_taken),
        TEST(nothing_in_an_answer_is_trusted),
        TEST(a_second_process_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
