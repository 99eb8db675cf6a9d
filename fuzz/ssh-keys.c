/* Keys that are taken from metadata are lines that authorized_keys may hold. */
#include <stdint.h>
#include <stdlib.h>

#include "firstboot/ssh-keys.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ssh_keys keys;
    char *text = exact_copy(data, size);
    ssh_keys_init(&keys, "ops");
    ssh_keys_take(&keys, text, size);
    if (!ssh_keys_valid(keys.text) || (keys.count == 0) != (keys.text[0] == '\0'))
        abort();
    free(text);
    return 0;
}
