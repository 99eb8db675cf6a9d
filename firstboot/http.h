/* A small HTTP/1.1 client: one request a connection, IPv4, no redirects, no TLS. */
#ifndef NB_FIRSTBOOT_HTTP_H
#define NB_FIRSTBOOT_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/clock.h"
#include "firstboot/http-response.h"

/* GCE has values of up to 256 KiB; memory that no answer fills is never touched. */
enum { HTTP_RESPONSE_MAX = 270336, HTTP_REQUEST_MAX = 1536 };

struct http_request {
    uint32_t address; /* host byte order */
    uint16_t port;
    const char *method; /* "PUT", which sends no body; NULL: GET */
    const char *path;   /* from its first '/': printable ASCII without spaces */
    const char *header; /* one line to send, "NAME: VALUE", or NULL */
    const char *wanted; /* name of a header of the answer, or NULL */
};

/* Asks. On 0 *out (any status from 200) stays valid until the next call. After -1 *again says
 * whether another try may help: the server could not be reached, did not answer in time or broke
 * off; an answer that makes no sense, or is larger than HTTP_RESPONSE_MAX, will not get better. */
int http_ask(const struct http_request *request, struct deadline deadline,
             struct http_response *out, bool *again, struct error *err)
    NONNULL(1, 3, 4, 5) MUST_CHECK;

/* Wipes what the answers left in memory. */
void http_wipe(void);

#endif
