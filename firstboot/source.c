#include "firstboot/source.h"

#include <string.h>

static const struct source *const sources[] = {&source_aws, &source_gce};

const struct source *source_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        if (strcmp(sources[i]->name, name) == 0)
            return sources[i];
    return NULL;
}
