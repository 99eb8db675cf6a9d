/* A metadata service over HTTP: where it is, and how long it is asked. */
#ifndef NB_FIRSTBOOT_SERVICE_H
#define NB_FIRSTBOOT_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/answers.h"
#include "firstboot/clock.h"
#include "firstboot/http.h"
#include "firstboot/source.h"

enum { SERVICE_PATH_MAX = 1000 }; /* of a path of the contract, in bytes */

/* One try to get the value at a path, cut short so that a lost packet costs a try only. What is
 * neither ANSWER_VALUE nor ANSWER_NONE sets the error. */
typedef enum answer service_ask(const char *path, struct source_value *value,
                                struct deadline deadline, struct error *err);

/* Tries until there is an answer or the deadline has passed; as struct source's get. */
int service_get(const char *name, const char *path, service_ask *ask, struct source_value *value,
                struct deadline deadline, struct error *err) NONNULL(1, 2, 3, 4, 6) MUST_CHECK;

/* Sends one request (its address is filled in) and looks its answer up in the table. *served is set
 * by an answer with a value. `mark` is what the wanted header has to say, NULL: nothing. The error
 * as with service_ask. */
enum answer service_request(enum question asked, struct http_request *request, const char *mark,
                            bool *served, struct deadline deadline, struct http_response *out,
                            struct error *err) NONNULL(2, 4, 6, 7) MUST_CHECK;

/* The same for the value at `root` and `path` (up to its `#`): the body without a newline at its
 * end. `root` has at most 31 bytes. */
enum answer service_ask_value(enum question asked, const char *root, const char *path,
                              struct http_request *request, const char *mark, bool *served,
                              struct deadline deadline, struct source_value *value,
                              struct error *err) NONNULL(2, 3, 4, 6, 8, 9) MUST_CHECK;

/* The body of an answer without a newline at its end. */
struct source_value service_value(const struct http_response *response) NONNULL(1);

/* For tests: asks there from now on instead of 169.254.169.254:80; address in host byte order. */
void service_endpoint(uint32_t address, uint16_t port);

#endif
