#include "builder/image/format.h"

#include <stdio.h>
#include <string.h>

const struct format format_raw = {.name = "raw", .suffix = ".raw"};

static const struct format *const formats[] = {&format_raw, &format_qcow2, &format_gce};

const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

const char *format_names(void)
{
    static char names[128];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(formats) && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", formats[i]->name);
    return names;
}
