#include "builder/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/heap.h"

enum { GONE_MS = 2000, STEP_MS = 5 };

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

static char *volatile unfinished[INTERRUPT_FILES_MAX];
static size_t unfinished_count;
static volatile pid_t running;

/* A killed program may still be inside a call that makes a file. One that hangs in the kernel for
 * longer is left alone. */
static void end_running(void)
{
    pid_t child = running;
    if (child <= 0)
        return;
    kill(child, SIGKILL);
    for (int waited = 0; waited < GONE_MS; waited += STEP_MS) {
        if (waitpid(child, NULL, WNOHANG) != 0)
            return;
        poll(NULL, 0, STEP_MS);
    }
}

/* Only what is safe in a handler. SA_RESETHAND: the signal sent again ends the program. */
static void remove_unfinished(int number)
{
    end_running();
    for (size_t i = 0; i < INTERRUPT_FILES_MAX; i++)
        if (unfinished[i])
            unlink(unfinished[i]);
    raise(number);
}

/* What is ignored stays so: under nohup a build goes on when its terminal is gone. */
static void set_handlers(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler,
                               .sa_flags = handler == SIG_DFL ? 0 : (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

void interrupt_removes(const char *path)
{
    for (size_t i = 0; i < INTERRUPT_FILES_MAX; i++) {
        if (unfinished[i])
            continue;
        unfinished[i] = heap_copy(path);
        if (unfinished_count++ == 0)
            set_handlers(remove_unfinished);
        return;
    }
}

void interrupt_keeps(const char *path)
{
    for (size_t i = 0; i < INTERRUPT_FILES_MAX; i++) {
        char *noted = unfinished[i];
        if (!noted || strcmp(noted, path) != 0)
            continue;
        unfinished[i] = NULL; /* before it is freed: a signal may come in between */
        free(noted);
        if (--unfinished_count == 0)
            set_handlers(SIG_DFL);
        return;
    }
}

void interrupt_kills(pid_t child)
{
    running = child;
}

void interrupt_wait(sigset_t *before)
{
    sigset_t wait;
    sigemptyset(&wait);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaddset(&wait, signals[i]);
    sigprocmask(SIG_BLOCK, &wait, before);
}

void interrupt_go_on(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}
