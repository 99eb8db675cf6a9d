/* How far a machine has come, by what it writes on its serial console. */
#ifndef NB_BUILDER_LAB_CONSOLE_H
#define NB_BUILDER_LAB_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

enum { CONSOLE_LINE_MAX = 400 };

enum console_phase {
    CONSOLE_BOOTING,
    CONSOLE_FINISHED, /* firstboot is done, systemd goes on */
    CONSOLE_LOGIN,    /* asks who wants to log in */
    CONSOLE_REFUSED,  /* firstboot gave up; `cause` says why */
    CONSOLE_PANIC,    /* the kernel did */
};

/* Zeroed at each start of the machine. */
struct console {
    enum console_phase phase;
    char line[CONSOLE_LINE_MAX];    /* as far as it has come, printable */
    char last[CONSOLE_LINE_MAX];    /* the last whole one that says something */
    char cause[CONSOLE_LINE_MAX];   /* of CONSOLE_REFUSED and CONSOLE_PANIC */
    char kubelet[CONSOLE_LINE_MAX]; /* why it cannot join, as far as it says so; or empty */
    size_t len;
    bool returned; /* to the line's begin */
    int escape;    /* inside a terminal's escape sequence */
};

/* Takes what the machine wrote, in pieces of any size. */
void console_take(struct console *console, const char *bytes, size_t n) NONNULL(1, 2);

/* Puts '?' for what is not printable ASCII: texts of others go to terminals, and into JSON. */
void console_printable(char *text) NONNULL(1);

#endif
