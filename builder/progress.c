#include "builder/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, LINE_MAX_COLUMNS = 200 };
static const double REDRAW_SECONDS = 0.1;
static const double WORTH_TELLING_SECONDS = 2.0;

static bool quiet;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool on_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* One column less than there are, for a full last column wraps on some terminals. */
static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
        return 79;
    return size.ws_col > LINE_MAX_COLUMNS ? LINE_MAX_COLUMNS : size.ws_col - 1;
}

/* Draws over the line that stands there, and clears what is left of it. */
static void draw(const struct progress *p, double at)
{
    char line[LINE_MAX_COLUMNS + 1], bar[BAR_WIDTH + 1];
    if (p->total) {
        uint64_t done = p->done < p->total ? p->done : p->total;
        double part = (double)done / (double)p->total;
        int filled = (int)(part * BAR_WIDTH);
        memset(bar, '.', BAR_WIDTH);
        memset(bar, '#', (size_t)filled);
        bar[BAR_WIDTH] = '\0';
        snprintf(line, sizeof line, "%3d %% [%s] %s", (int)(part * 100), bar, p->label);
    } else {
        snprintf(line, sizeof line, "%5.0f s %s", at - p->started, p->label);
    }
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
}

struct progress progress_start(uint64_t total, const char *fmt, ...)
{
    struct progress p = {.total = total, .started = now()};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p.label, sizeof p.label, fmt, ap);
    va_end(ap);
    p.shown = p.started;
    if (quiet)
        return p;
    if (on_terminal())
        draw(&p, p.started);
    else
        fprintf(stderr, "%s\n", p.label);
    return p;
}

void progress_add(struct progress *p, uint64_t units)
{
    if (!p)
        return;
    p->done = units > UINT64_MAX - p->done ? UINT64_MAX : p->done + units;
    double at = now();
    if (quiet || at - p->shown < REDRAW_SECONDS || !on_terminal())
        return;
    p->shown = at;
    draw(p, at);
}

void progress_end(struct progress *p)
{
    double took = now() - p->started;
    if (quiet)
        return;
    if (on_terminal())
        fputs("\r\033[K", stderr);
    if (took >= WORTH_TELLING_SECONDS)
        fprintf(stderr, "%s: %.1f s\n", p->label, took);
    else if (on_terminal())
        fprintf(stderr, "%s\n", p->label);
}

void progress_quiet(void)
{
    quiet = true;
}
