#include "builder/interrupt.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

static char *volatile unfinished[INTERRUPT_FILES_MAX];
static size_t unfinished_count;
static volatile pid_t running;

/* Only what is safe in a handler. SA_RESETHAND: the signal sent again ends the program. */
static void remove_unfinished(int number)
{
    if (running > 0)
        kill(running, SIGKILL);
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
