#include "builder/lab/console.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI };

static const char mark[] = "nodebake: ";

/* What firstboot or the kubelet's unit says, in one line. */
static void hear(struct console *c, const char *said)
{
    static const char failed[] = "firstboot: ", kubelet[] = "kubelet: ";
    if (strncmp(said, kubelet, strlen(kubelet)) == 0)
        snprintf(c->kubelet, sizeof c->kubelet, "%s", said);
    if (strncmp(said, failed, strlen(failed)) == 0) {
        c->phase = CONSOLE_REFUSED;
        snprintf(c->cause, sizeof c->cause, "%s", said);
    } else if (strncmp(said, "node ", 5) == 0 &&
               (strstr(said, " is ready") || strstr(said, " was finished before")))
        c->phase = CONSOLE_FINISHED;
}

static void end_line(struct console *c)
{
    const char *said = strstr(c->line, mark);
    if (said)
        hear(c, said + strlen(mark));
    else if (strstr(c->line, "Kernel panic - not syncing")) {
        c->phase = CONSOLE_PANIC;
        snprintf(c->cause, sizeof c->cause, "%s", strstr(c->line, "Kernel panic"));
    }
    if (c->len)
        memcpy(c->last, c->line, c->len + 1);
    c->len = 0;
    c->line[0] = '\0';
    c->returned = false;
}

/* Colours and the like are left out. */
static bool in_escape(struct console *c, unsigned char byte)
{
    if (byte == 0x1b) {
        c->escape = ESCAPE_BEGUN;
        return true;
    }
    if (c->escape == ESCAPE_BEGUN) {
        c->escape = byte == '[' ? ESCAPE_CSI : ESCAPE_NONE;
        return true;
    }
    if (c->escape == ESCAPE_CSI) {
        if (byte >= 0x40 && byte <= 0x7e)
            c->escape = ESCAPE_NONE;
        return true;
    }
    return false;
}

void console_take(struct console *c, const char *bytes, size_t n)
{
    static const char prompt[] = " login:";
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (in_escape(c, byte))
            continue;
        if (byte == '\n') {
            end_line(c);
            continue;
        }
        /* What follows is drawn over the line, unless it ends here. */
        if (byte == '\r')
            c->returned = true;
        if (byte >= ' ' && c->returned) {
            c->returned = false;
            c->len = 0;
        }
        if (byte < ' ' || byte > '~' || c->len + 1 == sizeof c->line)
            continue;
        c->line[c->len++] = (char)byte;
        c->line[c->len] = '\0';
        if (byte == ':' && c->len > strlen(prompt) && c->phase != CONSOLE_REFUSED &&
            strcmp(c->line + c->len - strlen(prompt), prompt) == 0)
            c->phase = CONSOLE_LOGIN;
    }
}

void console_printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}
