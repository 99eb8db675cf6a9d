#include "builder/lab/ntp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

/* Where the fields of a packet are. */
enum {
    LEAP_VERSION_MODE = 0,
    STRATUM = 1,
    POLL = 2,
    PRECISION = 3,
    REFERENCE_ID = 12,
    REFERENCE_TIME = 16,
    ORIGIN_TIME = 24,
    RECEIVE_TIME = 32,
    TRANSMIT_TIME = 40,
    TIME_SIZE = 8
};

enum { VERSION_MASK = 0x38, VERSION_MIN = 1, VERSION_MAX = 4, CLIENT = 3, SERVER = 4 };
/* Of a clock that hears of others: 2 to 15. A precision of 2^-20 s. */
enum { OUR_STRATUM = 2, OUR_PRECISION = 0xEC };

/* Times count seconds since 1900 and, in the lower half, parts of one. */
static void put_time(uint8_t *at, const struct timespec *time)
{
    const uint64_t since_1900 = 2208988800U, billion = 1000000000U;
    uint64_t seconds = (uint64_t)time->tv_sec + since_1900;
    uint64_t value = (seconds & UINT32_MAX) << 32 | ((uint64_t)time->tv_nsec << 32) / billion;
    for (int i = TIME_SIZE - 1; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

int ntp_answer(const uint8_t *packet, size_t size, const struct timespec *now,
               uint8_t answer[NTP_SIZE])
{
    if (size < NTP_SIZE)
        return -1;
    unsigned version = (packet[LEAP_VERSION_MODE] & VERSION_MASK) >> 3;
    if ((packet[LEAP_VERSION_MODE] & 7) != CLIENT || version < VERSION_MIN || version > VERSION_MAX)
        return -1;
    memset(answer, 0, NTP_SIZE);
    answer[LEAP_VERSION_MODE] = (uint8_t)(version << 3 | SERVER);
    answer[STRATUM] = OUR_STRATUM;
    answer[POLL] = packet[POLL];
    answer[PRECISION] = OUR_PRECISION;
    memcpy(answer + REFERENCE_ID, (const uint8_t[]){127, 127, 1, 0}, 4);
    put_time(answer + REFERENCE_TIME, now);
    memcpy(answer + ORIGIN_TIME, packet + TRANSMIT_TIME, TIME_SIZE);
    put_time(answer + RECEIVE_TIME, now);
    put_time(answer + TRANSMIT_TIME, now);
    return 0;
}

int ntp_serve(const char *address, uint16_t port, struct error *err)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t own_size = sizeof own;
    if (inet_pton(AF_INET, address, &own.sin_addr) != 1)
        return error_set(err, "%s: not an IPv4 address", address);
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof own) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &own_size) < 0)
        return error_errno(err, "the time service at %s:%u", address, port);
    fprintf(stderr, "ntp: listening on %s:%u\n", address, ntohs(own.sin_port));
    for (;;) {
        uint8_t packet[NTP_SIZE], answer[NTP_SIZE];
        struct sockaddr_in peer;
        socklen_t peer_size = sizeof peer;
        ssize_t size = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&peer, &peer_size);
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (size < 0 || ntp_answer(packet, (size_t)size, &now, answer) < 0)
            continue;
        /* Who does not get it asks again. */
        sendto(fd, answer, sizeof answer, 0, (const struct sockaddr *)&peer, peer_size);
    }
}
