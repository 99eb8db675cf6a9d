#include "firstboot/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

/* Whole UDP packets to that port: nothing else on the link wakes the program. */
static int filter(int fd, uint16_t port)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* the protocol */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* the fragment's offset */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* the header's length */
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),  /* the port */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int packet_open(int index, uint16_t port)
{
    /* Protocol 0: it hears nothing before the filter stands and it is bound to its link. */
    int fd AUTO_CLOSE = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_ll self = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
    int on = 1;
    if (fd < 0 || filter(fd, port) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&self, sizeof self) < 0)
        return -1;
    return steal_fd(&fd);
}

int packet_broadcast(int fd, int index, const void *packet, size_t len)
{
    struct sockaddr_ll all = {.sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_IP),
                              .sll_ifindex = index,
                              .sll_halen = ETH_ALEN};
    memset(all.sll_addr, 0xff, ETH_ALEN);
    ssize_t n = sendto(fd, packet, len, MSG_NOSIGNAL, (struct sockaddr *)&all, sizeof all);
    return n == (ssize_t)len ? 0 : -1;
}

/* One control message was asked for, so the first one is it. */
static bool checksum_filled_in(struct msghdr *message)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(message);
    struct tpacket_auxdata aux;
    if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
        c->cmsg_len < CMSG_LEN(sizeof aux))
        return true;
    memcpy(&aux, CMSG_DATA(c), sizeof aux);
    return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
}

ssize_t packet_receive(int fd, void *packet, size_t size, bool *udp_sum)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    for (;;) {
        struct iovec part = {.iov_base = packet, .iov_len = size};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &message, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n >= 0 && message.msg_flags & MSG_TRUNC)
            continue;
        if (n >= 0)
            *udp_sum = checksum_filled_in(&message);
        return n;
    }
}
