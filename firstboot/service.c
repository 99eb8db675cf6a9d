#include "firstboot/service.h"

#include <stdio.h>
#include <string.h>

#include "firstboot/backoff.h"

enum { TRY_MS = 5000, FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 1000 };

static uint32_t server_address = UINT32_C(0xa9fea9fe); /* 169.254.169.254 */
static uint16_t server_port = 80;

void service_endpoint(uint32_t address, uint16_t port)
{
    server_address = address;
    server_port = port;
}

int service_get(const char *name, const char *path, service_ask *ask, struct source_value *value,
                struct deadline deadline, struct error *err)
{
    struct backoff backoff = {FIRST_PAUSE_MS, LONGEST_PAUSE_MS};
    struct error cause = ERROR_INIT, last = ERROR_INIT;
    unsigned tries = 0;
    if (strlen(path) > SERVICE_PATH_MAX)
        return error_set(err, "%s: %.60s...: path too long", name, path);
    do {
        enum answer got = ask(path, value, deadline_step(deadline, TRY_MS), &last);
        if (got == ANSWER_VALUE || got == ANSWER_NONE)
            return got == ANSWER_VALUE;
        /* What the deadline cut off says less than what was answered before. */
        if (!tries++ || got == ANSWER_STOP || deadline_left_ms(deadline) > 0)
            cause = last;
        if (got == ANSWER_STOP)
            return error_set(err, "%s: %s: %s", name, path, cause.text);
    } while (deadline_sleep(deadline, backoff_pause(&backoff)));
    return error_set(err, "%s: %s: %s (gave up after %u tries)", name, path, cause.text, tries);
}

enum answer service_request(enum question asked, struct http_request *request, const char *mark,
                            bool *served, struct deadline deadline, struct http_response *out,
                            struct error *err)
{
    bool again;
    request->address = server_address;
    request->port = server_port;
    if (http_ask(request, deadline, out, &again, err) < 0)
        return again ? ANSWER_AGAIN : ANSWER_STOP;
    bool genuine = !mark || (out->header && out->header_len == strlen(mark) &&
                             memcmp(out->header, mark, out->header_len) == 0);
    enum answer answer = answer_of(asked, out->status, genuine, *served);
    if (answer == ANSWER_VALUE)
        *served = true;
    else if (answer != ANSWER_NONE && !genuine && (out->status == 200 || out->status == 404))
        error_set(err, "status %u without '%s: %s': not the service that was asked for",
                  out->status, request->wanted, mark);
    else if (answer != ANSWER_NONE)
        error_set(err, "HTTP status %u", out->status);
    return answer;
}

struct source_value service_value(const struct http_response *response)
{
    struct source_value value = {response->body, response->body_len};
    if (value.len && value.bytes[value.len - 1] == '\n')
        value.len--;
    return value;
}

enum answer service_ask_value(enum question asked, const char *root, const char *path,
                              struct http_request *request, const char *mark, bool *served,
                              struct deadline deadline, struct source_value *value,
                              struct error *err)
{
    char full[SERVICE_PATH_MAX + 32];
    struct http_response r;
    snprintf(full, sizeof full, "%s%.*s", root, (int)strcspn(path, "#"), path);
    request->path = full;
    enum answer answer = service_request(asked, request, mark, served, deadline, &r, err);
    if (answer == ANSWER_VALUE)
        *value = service_value(&r);
    return answer;
}
