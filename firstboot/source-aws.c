#include "firstboot/source-aws.h"

#include <string.h>
#include <strings.h>

#include "firstboot/service.h"
#include "firstboot/source.h"

/* A token is some 60 bytes. user-data is at most 16 KiB by AWS's own rule. */
enum { TOKEN_MAX = 512, USER_DATA_MAX = 16384 };

#define TOKEN_HEADER "X-aws-ec2-metadata-token"

static struct {
    bool v1; /* may be asked without a token */
    bool served;
    char header[sizeof TOKEN_HEADER + 2 + TOKEN_MAX]; /* "": no token */
} imds;

void source_aws_allow_v1(bool allowed)
{
    imds.v1 = allowed;
}

void source_aws_forget(void)
{
    explicit_bzero(imds.header, sizeof imds.header);
    imds.served = false;
}

/* EC2's own form of a UUID begins ec2; firmware may give its first field byte by byte from behind.
 */
static bool is_ec2_uuid(const char *uuid)
{
    return strncasecmp(uuid, "ec2", 3) == 0 ||
           (strlen(uuid) > 8 && uuid[8] == '-' && strncasecmp(uuid + 6, "ec", 2) == 0 &&
            uuid[4] == '2');
}

/* Nitro names Amazon; Xen names itself, and its machines have Amazon's UUIDs. */
static bool backed(const struct dmi *dmi)
{
    return strcmp(dmi->sys_vendor, "Amazon EC2") == 0 ||
           strcmp(dmi->bios_vendor, "Amazon EC2") == 0 ||
           (strcmp(dmi->sys_vendor, "Xen") == 0 && is_ec2_uuid(dmi->product_uuid));
}

/* It becomes a header line; it is a secret, so the error does not show it. */
static int take_token(struct source_value token, struct error *err)
{
    bool good = token.len > 0 && token.len < TOKEN_MAX;
    for (size_t i = 0; good && i < token.len; i++)
        good = token.bytes[i] > ' ' && token.bytes[i] <= '~';
    if (!good)
        return error_set(err, "a token of %zu bytes that is none", token.len);
    memcpy(imds.header, TOKEN_HEADER ": ", sizeof TOKEN_HEADER + 1);
    memcpy(imds.header + sizeof TOKEN_HEADER + 1, token.bytes, token.len);
    imds.header[sizeof TOKEN_HEADER + 1 + token.len] = '\0';
    return 0;
}

static enum answer fetch_token(struct deadline deadline, struct error *err)
{
    struct http_request request = {
        .method = "PUT", .path = "/latest/api/token", .header = TOKEN_HEADER "-ttl-seconds: 900"};
    struct http_response r;
    enum question asked = imds.v1 ? ASKED_AWS_TOKEN_V1 : ASKED_AWS_TOKEN;
    enum answer answer = service_request(asked, &request, NULL, &imds.served, deadline, &r, err);
    if (answer == ANSWER_VALUE && take_token(service_value(&r), err) < 0)
        answer = ANSWER_STOP;
    if (answer == ANSWER_STOP || answer == ANSWER_AGAIN)
        error_context(err, "token");
    return answer;
}

static enum answer ask(const char *path, struct source_value *value, struct deadline deadline,
                       struct error *err)
{
    if (!*imds.header) {
        enum answer token = fetch_token(deadline, err);
        if (token != ANSWER_VALUE && token != ANSWER_NONE)
            return token;
    }
    struct http_request request = {.header = *imds.header ? imds.header : NULL};
    enum answer answer = service_ask_value(ASKED_AWS, "/latest/", path, &request, NULL,
                                           &imds.served, deadline, value, err);
    if (answer == ANSWER_TOKEN)
        explicit_bzero(imds.header, sizeof imds.header);
    return answer;
}

/* The value of the first line NAME=VALUE; everything else in user-data is somebody else's. */
static int find_line(const char *name, struct source_value *value)
{
    const char *at = value->bytes, *end = at + value->len;
    size_t n = strlen(name);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((line_end ? line_end : end) - at);
        if (len > n && memcmp(at, name, n) == 0 && at[n] == '=') {
            *value = (struct source_value){at + n + 1, len - n - 1};
            if (value->len && value->bytes[value->len - 1] == '\r')
                value->len--;
            return 1;
        }
        at += line_end ? len + 1 : len;
    }
    return 0;
}

static int get(const char *path, struct source_value *value, struct deadline deadline,
               struct error *err)
{
    const char *name = strchr(path, '#');
    int got = service_get("aws", path, ask, value, deadline, err);
    if (got <= 0 || !name)
        return got;
    if (value->len > USER_DATA_MAX)
        return error_set(err, "aws: %s: %zu bytes, at most %d are allowed", path, value->len,
                         USER_DATA_MAX);
    return find_line(name + 1, value);
}

const struct source source_aws = {.name = "aws",
                                  .network = true,
                                  .instance = "meta-data/instance-id",
                                  .backed = backed,
                                  .get = get,
                                  .wipe = source_aws_forget};
