#include "firstboot/source-gce.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

static int take_value(const struct http_response *r, struct source_value *value)
{
    *value = (struct source_value){r->body, r->body_len};
    if (value->len && value->bytes[value->len - 1] == '\n')
        value->len--;
    return 1;
}

/* One try; as source.get, and after -1 *again says whether to go on. */
static int ask(const char *path, struct source_value *value, struct deadline deadline, bool *again,
               struct error *err)
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
    return r.status == 200 ? take_value(&r, value) : 0;
}

static int get_one(const char *path, struct source_value *value, struct deadline deadline,
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

/* What is not plainly no counts as yes: then there are fewer keys. */
static bool says_no(struct source_value value)
{
    static const char *const words[] = {"", "0", "f", "n", "no", "false"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == value.len && strncasecmp(words[i], value.bytes, value.len) == 0)
            return true;
    return false;
}

/* An instance may shut out the keys that its whole project has. */
static int get(const char *path, struct source_value *value, struct deadline deadline,
               struct error *err)
{
    if (strcmp(path, "project/attributes/ssh-keys") == 0) {
        int got = get_one("instance/attributes/block-project-ssh-keys", value, deadline, err);
        if (got < 0 || (got > 0 && !says_no(*value)))
            return got < 0 ? -1 : 0;
    }
    return get_one(path, value, deadline, err);
}

const struct source source_gce = {.name = "gce", .network = true, .backed = backed, .get = get};
