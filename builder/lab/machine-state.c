/* What is known of a machine, and what follows. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/lab/machine.h"

static const char *const names[] = {
    [MACHINE_ABSENT] = "absent",      [MACHINE_BOOTING] = "booting",
    [MACHINE_FINISHED] = "firstboot", [MACHINE_UP] = "up",
    [MACHINE_READY] = "ready",        [MACHINE_PARTITIONED] = "partitioned",
    [MACHINE_STOPPING] = "stopping",  [MACHINE_STOPPED] = "stopped",
    [MACHINE_KILLED] = "killed",      [MACHINE_FAILED] = "failed",
};

const char *machine_state_name(enum machine_state state)
{
    return names[state];
}

/* Of one that runs. What the API says of a node before it is up is of an earlier boot. */
static enum machine_state running_state(const struct machine *m)
{
    if (m->stop_asked)
        return MACHINE_STOPPING;
    if (m->console.phase == CONSOLE_REFUSED || m->console.phase == CONSOLE_PANIC)
        return MACHINE_FAILED;
    if (m->partitioned)
        return MACHINE_PARTITIONED;
    if (m->console.phase == CONSOLE_LOGIN || m->agent)
        return (strcmp(m->node->role, "controller") == 0 ? m->healthy : m->node_ready)
                   ? MACHINE_READY
                   : MACHINE_UP;
    return m->console.phase == CONSOLE_FINISHED ? MACHINE_FINISHED : MACHINE_BOOTING;
}

void machine_judge(struct machine *m, time_t now)
{
    enum machine_state state = m->pid ? running_state(m) : m->created ? m->ended : MACHINE_ABSENT;
    if (state != m->state || !m->since)
        m->since = now;
    m->state = state;
}

const char *machine_why(const struct machine *m)
{
    switch (m->state) {
    case MACHINE_FAILED:
        return m->pid ? m->console.cause : m->end_why;
    case MACHINE_KILLED:
    case MACHINE_STOPPED:
        return m->end_why;
    case MACHINE_UP:
        return *m->console.kubelet ? m->console.kubelet : m->health_why;
    case MACHINE_BOOTING:
    case MACHINE_FINISHED:
    case MACHINE_STOPPING:
        return m->console.last;
    default:
        return "";
    }
}

void machine_listen(struct machine *m)
{
    char chunk[8192];
    ssize_t n;
    while (m->console_fd >= 0 && (n = read(m->console_fd, chunk, sizeof chunk)) > 0)
        console_take(&m->console, chunk, (size_t)n);
}
