/* A bundle that is taken has a node, and each of its files once, inside its bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firstboot/bundle.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As base64 it is what metadata would have. */
static void read_base64(const uint8_t *data, size_t size)
{
    static struct bundle b;
    struct error err = ERROR_INIT;
    char *text = exact_copy(data, size);
    b.len = 0;
    if ((bundle_add(&b, text, size, &err) < 0) != (err.text[0] != '\0') || b.len > sizeof b.bytes)
        abort();
    if (b.len && bundle_check(&b, &err) == 0 && bundle_is_of(&b, "", &err) == 0)
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bundle *b = malloc(sizeof *b);
    struct bundle_file file;
    struct error err = ERROR_INIT;
    read_base64(data, size);
    if (!b)
        abort();
    b->len = size < sizeof b->bytes ? size : sizeof b->bytes;
    if (b->len)
        memcpy(b->bytes, data, b->len);
    int result = bundle_check(b, &err);
    if ((result < 0) != (err.text[0] != '\0'))
        abort();
    if (result == 0 && bundle_find(b, "worker-0.pem", &file) &&
        (file.bytes < b->bytes || file.bytes + file.len >= b->bytes + b->len))
        abort();
    free(b);
    return 0;
}
