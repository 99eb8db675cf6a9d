#include "firstboot/dhcp-client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buffer.h"
#include "common/cleanup.h"
#include "firstboot/backoff.h"
#include "firstboot/netlink.h"
#include "firstboot/packet.h"

enum {
    FIRST_PAUSE_MS = 100,
    LONGEST_PAUSE_MS = 1000,
    REQUEST_TRIES = 4,
    PACKETS_A_TURN = 16,
    OTHERS_FIRST_MS = 2000
};

/* One interface; free while index is 0. */
struct conversation {
    int index;
    char name[INTERFACE_NAME_MAX];
    bool seen;    /* in the newest list of interfaces */
    bool carrier; /* fd is open and the conversation runs */
    int fd;
    struct dhcp_id id;
    bool requesting; /* `offer` has been taken up */
    struct dhcp_answer offer;
    unsigned tries;
    struct backoff backoff;
    int64_t next_ms;         /* when to say it again */
    int64_t not_before_ms;   /* others come first until then */
    const char *passed_over; /* why its lease was no use; NULL: it had none */
    const char *trouble;     /* why the last answer was no use; NULL when there was none */
};

static struct conversation all[INTERFACES_MAX];

/* Of each in `all`: its index, once its link was set up here. */
static int own[INTERFACES_MAX];
static int *raised = own;

void dhcp_client_raised(int list[static INTERFACES_MAX])
{
    raised = list;
}

static struct conversation *find(int index)
{
    for (size_t i = 0; i < INTERFACES_MAX; i++)
        if (all[i].index == index)
            return &all[i];
    return NULL;
}

static void say_again_from(struct conversation *c, bool requesting)
{
    c->requesting = requesting;
    c->tries = 0;
    c->backoff = (struct backoff){FIRST_PAUSE_MS, LONGEST_PAUSE_MS};
    if (!requesting)
        c->id.xid = random_number();
}

static void speak(struct conversation *c)
{
    uint8_t packet[DHCP_PACKET_SIZE];
    if (c->requesting && c->tries++ == REQUEST_TRIES)
        say_again_from(c, false);
    dhcp_build(&c->id, c->requesting ? &c->offer : NULL, packet);
    if (packet_broadcast(c->fd, c->index, packet, sizeof packet) < 0)
        c->trouble = strerror(errno);
    c->next_ms = clock_now_ms() + backoff_pause(&c->backoff);
}

static void hang_up(struct conversation *c)
{
    cleanup_close(&c->fd);
    c->carrier = false;
}

static void update(int nl, const struct interface *i)
{
    struct conversation *c = find(i->index);
    if (!c) {
        c = find(0);
        if (!c)
            return;
        *c = (struct conversation){.index = i->index, .fd = -1};
    }
    c->seen = true;
    memcpy(c->name, i->name, sizeof c->name);
    memcpy(c->id.mac, i->mac, sizeof c->id.mac);
    /* Once only: somebody who sets the link down again has a reason. */
    int *up = &raised[c - all];
    if (!i->up && !*up) {
        *up = interface_set_up(nl, i->index, true) == 0 ? i->index : 0;
        c->trouble = *up ? NULL : strerror(errno);
    }
    if (!i->carrier) {
        hang_up(c);
    } else if (!c->carrier) {
        c->fd = packet_open(i->index, DHCP_CLIENT_PORT);
        c->carrier = c->fd >= 0;
        c->trouble = c->carrier ? NULL : strerror(errno);
        say_again_from(c, false);
        c->next_ms = c->not_before_ms;
    }
}

static int refresh(int nl, struct error *err)
{
    static struct interface_list list;
    if (interface_list(nl, &list) < 0)
        return error_errno(err, "list the network interfaces");
    for (size_t i = 0; i < INTERFACES_MAX; i++)
        all[i].seen = false;
    for (size_t i = 0; i < list.count; i++)
        update(nl, &list.items[i]);
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        if (all[i].index && !all[i].seen) {
            hang_up(&all[i]);
            all[i].index = raised[i] = 0;
        }
    }
    return 0;
}

/* Acts on one sound answer; true when it is the lease. */
static bool act(struct conversation *c, const struct dhcp_answer *answer)
{
    bool ours = c->requesting && answer->server == c->offer.server;
    if (answer->type == DHCP_ACK && ours && answer->address == c->offer.address)
        return true;
    if (answer->type == DHCP_OFFER && !c->requesting) {
        c->offer = *answer;
        say_again_from(c, true);
        speak(c);
    } else if (answer->type == DHCP_NAK && ours) {
        c->trouble = "the server takes its offer back";
        struct backoff slower = c->backoff;
        say_again_from(c, false);
        c->backoff = slower;
    }
    return false;
}

static bool hear(struct conversation *c, struct dhcp_answer *answer)
{
    uint8_t packet[2048];
    bool udp_sum;
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        ssize_t n = packet_receive(c->fd, packet, sizeof packet, &udp_sum);
        if (n < 0)
            return false;
        const char *why = dhcp_parse(packet, (size_t)n, udp_sum, &c->id, answer);
        if (why)
            c->trouble = why;
        else if (act(c, answer))
            return true;
    }
    return false;
}

/* Says what is due; how long nothing will be, in milliseconds. */
static int speak_due(struct deadline deadline)
{
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        struct conversation *c = &all[i];
        if (!c->index || !c->carrier)
            continue;
        if (c->next_ms <= clock_now_ms())
            speak(c);
        if (c->next_ms < deadline.at_ms)
            deadline.at_ms = c->next_ms;
    }
    return deadline_left_ms(deadline);
}

/* One turn of the loop: 1 when *answer is the lease of interface *index. */
static int turn(int nl, int events, struct deadline deadline, int *index,
                struct dhcp_answer *answer, struct error *err)
{
    struct pollfd fds[INTERFACES_MAX + 1];
    int pause = speak_due(deadline);
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        bool listen = all[i].index && all[i].carrier;
        fds[i] = (struct pollfd){.fd = listen ? all[i].fd : -1, .events = POLLIN};
    }
    fds[INTERFACES_MAX] = (struct pollfd){.fd = events, .events = POLLIN};
    if (poll(fds, INTERFACES_MAX + 1, pause) <= 0)
        return 0;
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        if (fds[i].revents && hear(&all[i], answer)) {
            *index = all[i].index;
            return 1;
        }
    }
    if (!fds[INTERFACES_MAX].revents)
        return 0;
    char ignored[64]; /* what changed is asked for as a whole */
    while (recv(events, ignored, sizeof ignored, MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == ENOBUFS)
        continue;
    return refresh(nl, err);
}

static int nothing_came(int64_t waited_ms, struct error *err)
{
    char text[512] = "";
    struct buffer b = BUFFER_FIXED(text);
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        const struct conversation *c = &all[i];
        if (!c->index)
            continue;
        buffer_printf(&b, "%s%s: %s", b.len ? "; " : "", c->name,
                      c->passed_over ? c->passed_over
                      : c->carrier   ? "no DHCP lease"
                                     : "no link");
        if (c->trouble && !c->passed_over)
            buffer_printf(&b, " (%s)", c->trouble);
    }
    return error_set(err, "no network after %lld ms: %s", (long long)waited_ms,
                     b.len ? text : "there is no Ethernet interface");
}

int dhcp_client_run(int nl, struct deadline deadline, int *index, struct dhcp_answer *lease,
                    struct error *err)
{
    int events AUTO_CLOSE = netlink_open(RTMGRP_LINK); /* before the list: no change is missed */
    static int64_t start;                              /* of the first run: those after it go on */
    int end = 0;
    if (events < 0)
        return error_errno(err, "open an rtnetlink socket");
    if (!dhcp_client_interfaces())
        start = clock_now_ms();
    if (refresh(nl, err) < 0)
        return -1;
    while (end == 0 && deadline_left_ms(deadline) > 0)
        end = turn(nl, events, deadline, index, lease, err);
    if (end == 0)
        end = nothing_came(clock_now_ms() - start, err);
    for (size_t i = 0; i < INTERFACES_MAX; i++)
        if (all[i].index)
            hang_up(&all[i]);
    return end < 0 ? -1 : 0;
}

unsigned dhcp_client_interfaces(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < INTERFACES_MAX; i++)
        n += all[i].index != 0;
    return n;
}

void dhcp_client_pass_over(int index, const char *why)
{
    struct conversation *c = find(index);
    if (!c)
        return;
    c->not_before_ms = clock_now_ms() + OTHERS_FIRST_MS;
    c->passed_over = why;
}

void dhcp_client_down(int nl)
{
    for (size_t i = 0; i < INTERFACES_MAX; i++) {
        /* Best effort: an interface that is gone needs nothing. */
        if (raised[i] && interface_set_up(nl, raised[i], false) == 0)
            raised[i] = 0;
        all[i].index = 0;
    }
}
