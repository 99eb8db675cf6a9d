#include "firstboot/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/cleanup.h"

int netlink_open(uint32_t groups)
{
    int fd AUTO_CLOSE = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = groups};
    struct timeval patience = {.tv_sec = 5};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        bind(fd, (struct sockaddr *)&self, sizeof self) < 0)
        return -1;
    return steal_fd(&fd);
}

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, size_t size)
{
    static uint32_t sequence;
    memset(r, 0, sizeof *r);
    r->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
    r->head.nlmsg_type = type;
    r->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    r->head.nlmsg_seq = ++sequence;
}

void netlink_put(struct netlink_request *r, uint16_t type, const void *bytes, size_t n)
{
    size_t at = NLMSG_ALIGN(r->head.nlmsg_len);
    if (at + RTA_SPACE(n) > sizeof *r)
        return;
    struct rtattr head = {.rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type};
    memcpy((char *)r + at, &head, sizeof head);
    memcpy((char *)r + at + RTA_LENGTH(0), bytes, n);
    r->head.nlmsg_len = (uint32_t)(at + RTA_LENGTH(n));
}

void netlink_put32(struct netlink_request *r, uint16_t type, uint32_t value)
{
    netlink_put(r, type, &value, sizeof value);
}

/* NLMSG_NEXT and RTA_NEXT count without a sign where `left` has none: behind a last element without
 * its padding it would be huge. Both align to 4 bytes. */
static const void *next(const void *element, size_t size, int *left)
{
    size = NLMSG_ALIGN(size);
    *left -= (int)size;
    return (const char *)element + size;
}

/* 1: it was the last message, 0: more follow, -1: the kernel refused (errno). */
static int take(const struct nlmsghdr *m, const struct nlmsghdr *request, netlink_answer *answer,
                void *ctx)
{
    if (m->nlmsg_seq != request->nlmsg_seq)
        return 0;
    if (m->nlmsg_type == NLMSG_DONE)
        return 1;
    if (m->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *status = NLMSG_DATA(m);
        if (m->nlmsg_len < NLMSG_LENGTH(sizeof *status)) {
            errno = EBADMSG;
            return -1;
        }
        errno = -status->error;
        return status->error ? -1 : 1;
    }
    if (answer)
        answer(ctx, m);
    return 0;
}

int netlink_talk(int fd, struct netlink_request *r, netlink_answer *answer, void *ctx)
{
    static _Alignas(struct nlmsghdr) char buffer[32768];
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(fd, r, r->head.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        return -1;
    for (;;) {
        socklen_t size = sizeof kernel;
        ssize_t got =
            recvfrom(fd, buffer, sizeof buffer, MSG_TRUNC, (struct sockaddr *)&kernel, &size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got > (ssize_t)sizeof buffer)
            errno = EMSGSIZE;
        if (got < 0 || got > (ssize_t)sizeof buffer)
            return -1;
        if (kernel.nl_pid != 0) /* somebody else's: only the kernel is believed */
            continue;
        int left = (int)got;
        for (const struct nlmsghdr *m = (const void *)buffer; NLMSG_OK(m, left);
             m = next(m, m->nlmsg_len, &left)) {
            int end = take(m, &r->head, answer, ctx);
            if (end)
                return end < 0 ? -1 : 0;
        }
    }
}

const void *netlink_attribute(const struct nlmsghdr *message, size_t skip, uint16_t type,
                              size_t size)
{
    size_t head = NLMSG_SPACE(skip);
    if (message->nlmsg_len < head)
        return NULL;
    int left = (int)(message->nlmsg_len - head);
    const struct rtattr *a = (const void *)((const char *)message + head);
    for (; RTA_OK(a, left); a = next(a, a->rta_len, &left))
        if ((a->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(a) >= size)
            return RTA_DATA(a);
    return NULL;
}
