/* The answer of an HTTP/1.1 server (RFC 9112), as far as it has arrived: a pure function over
 * bytes. */
#ifndef NB_FIRSTBOOT_HTTP_RESPONSE_H
#define NB_FIRSTBOOT_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

/* Pointers into the bytes that were parsed; no NUL ends them. */
struct http_response {
    unsigned status;    /* 200 to 999 */
    const char *header; /* value of the wanted header, without white space around it, or NULL */
    size_t header_len;
    const char *body;
    size_t body_len;
};

/* Reads the answer: 1 when *out is all of it, 0 when more bytes are needed, -1 when it is not one
 * that is understood (the error says why). `closed`: the server has ended the connection, nothing
 * follows. `wanted` is the name of a header, in any case, or NULL. Without a Content-Length the
 * body ends with the connection; bytes behind the body are ignored; chunked bodies are refused. */
int http_response_parse(const char *bytes, size_t len, bool closed, const char *wanted,
                        struct http_response *out, struct error *err) NONNULL(1, 5, 6) MUST_CHECK;

#endif
