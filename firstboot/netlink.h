/* Requests to the kernel over rtnetlink, one at a time. */
#ifndef NB_FIRSTBOOT_NETLINK_H
#define NB_FIRSTBOOT_NETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

/* One request: header, its fixed part, attributes. */
struct netlink_request {
    struct nlmsghdr head;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
        char bytes[128];
    } body;
};

/* Called with each message of the answer. */
typedef void netlink_answer(void *ctx, const struct nlmsghdr *message);

/* Opens a socket that hears of the groups (RTMGRP_…; 0: none); on -1 errno says why. */
int netlink_open(uint32_t groups) MUST_CHECK;

/* Begins a request of that type with `size` bytes of fixed part, all zero. */
void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, size_t size)
    NONNULL(1);

/* Appends an attribute of 4 bytes (a number in host order, or an address already in network
 * order), or of any bytes. Those of a caller always fit. */
void netlink_put32(struct netlink_request *r, uint16_t type, uint32_t value) NONNULL(1);
void netlink_put(struct netlink_request *r, uint16_t type, const void *bytes, size_t n)
    NONNULL(1, 3);

/* Sends it and waits for the kernel's acknowledgement, or for the end of a dump. `answer` may be
 * NULL. On -1 errno says why. */
int netlink_talk(int fd, struct netlink_request *r, netlink_answer *answer, void *ctx)
    NONNULL(2) MUST_CHECK;

/* The attribute of that type with at least `size` bytes, or NULL; `skip` is the size of the fixed
 * part of the message. */
const void *netlink_attribute(const struct nlmsghdr *message, size_t skip, uint16_t type,
                              size_t size) NONNULL(1);

#endif
