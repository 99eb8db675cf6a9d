#include "builder/lab/kubeconfig-port.h"

#include <string.h>

int kubeconfig_with_port(const char *text, uint16_t port, struct buffer *out, struct error *err)
{
    static const char key[] = "server: ";
    const char *at = strstr(text, key);
    if (!at || strstr(at + 1, key))
        return error_set(err, "not a kubeconfig with one server");
    at += strlen(key);
    buffer_add(out, text, (size_t)(at - text));
    buffer_printf(out, "https://127.0.0.1:%u", port);
    buffer_puts(out, at + strcspn(at, "\n"));
    return 0;
}
