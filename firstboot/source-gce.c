#include "firstboot/source-gce.h"

#include <stdio.h>
#include <string.h>

#include "firstboot/backoff.h"
#include "firstboot/http.h"
#include "firstboot/source.h"

/* One try is cut short so that a lost packet costs a try and not all the time there is. */
enum { TRY_MS = 5000, FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 1000, PATH_SIZE = 1024 };

static const char root[] = "/computeMetadata/v1/";
static const char flavor[] = "Google";

static uint32_t server_address = UINT32_C(0xa9fea9fe); /* 169.254.169.254 */
static uint16_t server_port = 80;

void source_gce_endpoint(uint32_t address, uint16_t port)
{
    server_address = address;
    server_port = port;
}

static bool backed(const struct dmi *dmi)
{
    return strcmp(dmi->product_name, "Google Compute Engine") == 0;
}

static bool has_flavor(const struct http_response *r)
{
    return r->header && r->header_len == sizeof flavor - 1 &&
           memcmp(r->header, flavor, sizeof flavor - 1) == 0;
}

static int take_value(const struct http_response *r, char value[static VALUE_MAX],
                      struct error *err)
{
    size_t len = r->body_len;
    if (len && r->body[len - 1] == '\n')
        len--;
    if (len >= VALUE_MAX)
        return error_set(err, "a value of %zu bytes, at most %d are allowed", len, VALUE_MAX - 1);
    if (memchr(r->body, '\0', len))
        return error_set(err, "a value with a NUL byte");
    memcpy(value, r->body, len);
    value[len] = '\0';
    return 1;
}

/* One try; as source.get, and after -1 *again says whether to go on. */
static int ask(const char *path, char value[static VALUE_MAX], struct deadline deadline,
               bool *again, struct error *err)
{
    struct http_request request = {.address = server_address,
                                   .port = server_port,
                                   .path = path,
                                   .header = "Metadata-Flavor: Google",
                                   .wanted = "Metadata-Flavor"};
    struct http_response r;
    if (http_get(&request, deadline_step(deadline, TRY_MS), &r, again, err) < 0)
        return -1;
    *again = r.status == 429 || r.status >= 500;
    if (*again || (r.status != 200 && r.status != 404))
        return error_set(err, "HTTP status %u", r.status);
    if (!has_flavor(&r))
        return error_set(err, "status %u without 'Metadata-Flavor: Google': not GCE's service",
                         r.status);
    return r.status == 200 ? take_value(&r, value, err) : 0;
}

static int get(const char *path, char value[static VALUE_MAX], struct deadline deadline,
               struct error *err)
{
    char full[PATH_SIZE];
    struct backoff backoff = {FIRST_PAUSE_MS, LONGEST_PAUSE_MS};
    struct error cause = ERROR_INIT;
    unsigned tries = 0;
    bool again;
    if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full)
        return error_set(err, "gce: %.60s...: path too long", path);
    do {
        int got = ask(full, value, deadline, &again, &cause);
        if (got >= 0)
            return got;
        tries++;
        if (!again)
            return error_set(err, "gce: %s: %s", path, cause.text);
    } while (deadline_sleep(deadline, backoff_pause(&backoff)));
    return error_set(err, "gce: %s: %s (gave up after %u tries)", path, cause.text, tries);
}

const struct source source_gce = {.name = "gce", .network = true, .backed = backed, .get = get};
