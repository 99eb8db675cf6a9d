/* Kubeconfigs of anybody's making. What is taken leads to a server, and is checked to its end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig-check.h"
#include "builder/pki/kubeconfig-read.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* A line each, whatever is in the file. */
static void require_lines(const struct texts *faults, int any)
{
    require(!any || faults->count > 0);
    for (size_t i = 0; i < faults->count; i++)
        require(strncmp(faults->items[i], "k:", 2) == 0 && !strpbrk(faults->items[i], "\n\r\033"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct kubeconfig_wanted worker = {
        .file = "k", .server = "https://a", .source = "c", .stem = "w", .folder = -1};
    static const struct kubeconfig_wanted token = {
        .file = "k", .server = "https://a", .source = "c", .token = "t", .folder = -1};
    struct error err = ERROR_INIT;
    struct kubeconfig_read config AUTO_KUBECONFIG = {0};
    struct texts of_worker AUTO_TEXTS = {0}, of_token AUTO_TEXTS = {0};
    char *text = exact_copy(data, size);
    const struct buffer whole = {.data = text, .len = size, .cap = size};
    int result = kubeconfig_parse("k", text, size, &config, &err);
    require((result < 0) == (*err.text != '\0') && (result < 0 || *config.server));
    kubeconfig_check(&whole, &worker, &of_worker);
    kubeconfig_check(&whole, &token, &of_token);
    require_lines(&of_worker, result < 0);
    require_lines(&of_token, result < 0);
    free(text);
    return 0;
}
