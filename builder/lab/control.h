/* How clients talk to the supervisor: a request and an answer a connection, each one line of JSON.
 *
 *   {"op": "stop", "nodes": ["worker-0"]}      {"ok": true, …} or {"error": "text"} */
#ifndef NB_BUILDER_LAB_CONTROL_H
#define NB_BUILDER_LAB_CONTROL_H

#include <jansson.h>

#include "common/attributes.h"
#include "common/error.h"

/* Starting many machines takes the supervisor a while. */
enum { CONTROL_MAX = 1 << 20, CONTROL_SECONDS = 120 };

/* Asks the supervisor of the lab in the folder, and waits so many seconds for its answer, which the
 * caller frees. Its error is ours. The
 * request is taken over. */
int control_call(int dir, json_t *request, unsigned seconds, json_t **answer, struct error *err)
    NONNULL(4, 5) MUST_CHECK;

/* Frees *json; for AUTO_JSON. */
void control_json_free(json_t **json);
#define AUTO_JSON __attribute__((cleanup(control_json_free)))

/* Who handles a request: returns the answer, or NULL and the error. */
typedef json_t *control_handler(void *ctx, const char *op, const json_t *request,
                                struct error *err);

/* Takes a connection from the listening socket, reads its request, answers. A client that says
 * nothing is left after a moment. */
void control_serve(int listener, control_handler *handler, void *ctx) NONNULL(2);

#endif
