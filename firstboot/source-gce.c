#include <string.h>
#include <strings.h>

#include "firstboot/service.h"
#include "firstboot/source.h"

static bool backed(const struct dmi *dmi)
{
    return strcmp(dmi->product_name, "Google Compute Engine") == 0;
}

static enum answer ask(const char *path, struct source_value *value, struct deadline deadline,
                       struct error *err)
{
    static bool served;
    struct http_request request = {.header = "Metadata-Flavor: Google",
                                   .wanted = "Metadata-Flavor"};
    return service_ask_value(ASKED_GCE, "/computeMetadata/v1/", path, &request, "Google", &served,
                             deadline, value, err);
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
        int got = service_get("gce", "instance/attributes/block-project-ssh-keys", ask, value,
                              deadline, err);
        if (got < 0 || (got > 0 && !says_no(*value)))
            return got < 0 ? -1 : 0;
    }
    return service_get("gce", path, ask, value, deadline, err);
}

const struct source source_gce = {
    .name = "gce", .network = true, .instance = "instance/id", .backed = backed, .get = get};
