#include "firstboot/dmi.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"

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

static void field_set(char out[static DMI_FIELD_MAX], const char *text, size_t len)
{
    while (len && is_space(text[len - 1]))
        len--;
    while (len && is_space(*text)) {
        text++;
        len--;
    }
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return;
    if (len > DMI_FIELD_MAX - 1)
        len = DMI_FIELD_MAX - 1;
    memcpy(out, text, len);
}

static void field_read(int dir, const char *name, char out[static DMI_FIELD_MAX])
{
    int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char text[4096]; /* sysfs gives a page at most, in one read */
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n > 0)
        field_set(out, text, (size_t)n);
}

void dmi_read(const char *dir, struct dmi *out)
{
    memset(out, 0, sizeof *out);
    int fd AUTO_CLOSE = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        field_read(fd, fields[i].name, (char *)out + fields[i].at);
}

const char *dmi_field(const struct dmi *dmi, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return (const char *)dmi + fields[i].at;
    return NULL;
}
