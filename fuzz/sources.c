/* Lists of repositories, in both formats. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/package/sources.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check(const char *file, const char *text, size_t size)
{
    struct sources sources AUTO_SOURCES = {0};
    struct error err = ERROR_INIT;
    int result = sources_read(file, (struct dpkg_text){text, size}, "amd64", &sources, &err);
    require((result < 0) == (err.text[0] != '\0'));
    require(sources.count <= SOURCES_MAX);
    for (size_t i = 0; i < sources.count; i++) {
        const struct source *source = &sources.items[i];
        require(source->uris.count && source->suites.count);
        for (size_t k = 0; k < source->suites.count; k++)
            require(source->suites.items[k][strcspn(source->suites.items[k], " \t\n")] == '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = exact_copy(data, size);
    check("a.list", text, size);
    check("a.sources", text, size);
    free(text);
    return 0;
}
