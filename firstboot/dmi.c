#include "firstboot/dmi.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    size_t at;
} fields[] = {
    {"sys_vendor", offsetof(struct dmi, sys_vendor)},
    {"bios_vendor", offsetof(struct dmi, bios_vendor)},
    {"product_name", offsetof(struct dmi, product_name)},
    {"product_uuid", offsetof(struct dmi, product_uuid)},
    {"board_asset_tag", offsetof(struct dmi, board_asset_tag)},
};

static _Bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void dmi_take(char out[static DMI_FIELD_MAX], const char *text, size_t len)
{
    while (len && is_space(text[len - 1]))
        len--;
    while (len && is_space(*text)) {
        text++;
        len--;
    }
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            len = 0;
    if (len > DMI_FIELD_MAX - 1)
        len = DMI_FIELD_MAX - 1;
    memcpy(out, text, len);
    memset(out + len, 0, DMI_FIELD_MAX - len);
}

/* The file stays open: this is done once, at every boot, and the end of the process closes all five
 * without a system call each. */
static void field_read(const char *dir, const char *name, char out[static DMI_FIELD_MAX])
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return;
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char text[4096]; /* sysfs gives a page at most, in one read */
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n > 0)
        dmi_take(out, text, (size_t)n);
}

void dmi_read(const char *dir, struct dmi *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        field_read(dir, fields[i].name, (char *)out + fields[i].at);
}

const char *dmi_field(const struct dmi *dmi, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return (const char *)dmi + fields[i].at;
    return NULL;
}
