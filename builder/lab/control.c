#include "builder/lab/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "builder/heap.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "common/cleanup.h"

/* Clients send at once. */
static const double REQUEST_SECONDS = 2;

void control_json_free(json_t **json)
{
    json_decref(*json);
}

static int send_line(int fd, double until, const json_t *json, struct error *err)
{
    char *text AUTO_FREE = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        return error_set(err, "a name that is not UTF-8");
    char *line AUTO_FREE = heap_printf("%s\n", text);
    return link_write(fd, until, line, strlen(line), err);
}

static json_t *read_line(int fd, double until, struct error *err)
{
    struct buffer line AUTO_BUFFER = buffer_heap();
    if (link_read_line(fd, until, CONTROL_MAX, &line, err) < 0)
        return NULL;
    json_t *json = json_loadb(line.data, line.len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        error_set(err, "not a line of JSON");
        return NULL;
    }
    return json;
}

int control_call(int dir, json_t *request, unsigned seconds, json_t **answer, struct error *err)
{
    json_t *sent AUTO_JSON = request;
    double until = link_now() + seconds;
    int fd AUTO_CLOSE = -1;
    if (link_connect(dir, LAB_CONTROL, until, &fd, err) < 0 || send_line(fd, until, sent, err) < 0)
        return error_context(err, "the lab's supervisor");
    json_t *got AUTO_JSON = read_line(fd, until, err);
    if (!got)
        return error_context(err, "the lab's supervisor");
    const char *why = json_string_value(json_object_get(got, "error"));
    if (why)
        return error_set(err, "%s", why);
    *answer = json_incref(got);
    return 0;
}

void control_serve(int listener, control_handler *handler, void *ctx)
{
    struct error err = ERROR_INIT, ignored = ERROR_INIT;
    double until = link_now() + REQUEST_SECONDS;
    int fd AUTO_CLOSE = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    json_t *request AUTO_JSON = read_line(fd, until, &err), *answer AUTO_JSON = NULL;
    const char *op = json_string_value(json_object_get(request, "op"));
    if (request && !op)
        error_set(&err, "a request without op");
    if (op)
        answer = handler(ctx, op, request, &err);
    if (!answer && !*err.text)
        error_set(&err, "a name that is not UTF-8");
    if (!answer)
        answer = json_pack("{s:s}", "error", err.text);
    if (send_line(fd, link_now() + REQUEST_SECONDS, answer, &ignored) < 0)
        return; /* the client is gone */
}
