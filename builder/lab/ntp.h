/* The time for the lab's machines, which no server outside can tell them, at the metadata service's
 * address as on Compute Engine. SNTP: RFC 4330, section 4 (packet) and 6 (server). */
#ifndef NB_BUILDER_LAB_NTP_H
#define NB_BUILDER_LAB_NTP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/attributes.h"
#include "common/error.h"

enum { NTP_SIZE = 48, NTP_PORT = 123 };

/* Writes the answer to a client's packet of `size` bytes that came at the time `now`. -1: it is
 * none of a client, and gets no answer. */
int ntp_answer(const uint8_t *packet, size_t size, const struct timespec *now,
               uint8_t answer[NTP_SIZE]) NONNULL(1, 3, 4) MUST_CHECK;

/* Answers at the IPv4 address and port (0: any free one) with this host's clock, for ever; says on
 * stderr where. Returns only with an error. */
int ntp_serve(const char *address, uint16_t port, struct error *err) NONNULL(1, 3) MUST_CHECK;

#endif
