/* What the firmware says of the machine: /sys/class/dmi/id. */
#ifndef NB_FIRSTBOOT_DMI_H
#define NB_FIRSTBOOT_DMI_H

#include <stddef.h>

#include "common/attributes.h"

enum { DMI_FIELD_MAX = 128 };

/* Each field trimmed of white space, cut at DMI_FIELD_MAX - 1 bytes; empty when it is absent or
 * holds bytes outside printable ASCII. */
struct dmi {
    char sys_vendor[DMI_FIELD_MAX];
    char bios_vendor[DMI_FIELD_MAX];
    char product_name[DMI_FIELD_MAX];
    char product_uuid[DMI_FIELD_MAX];
    char board_asset_tag[DMI_FIELD_MAX];
};

/* Takes a field's text as the kernel gives it: what it holds after that is said above. */
void dmi_take(char out[static DMI_FIELD_MAX], const char *text, size_t len) NONNULL(2);

/* Reads the fields below `dir` (normally /sys/class/dmi/id). Their files stay open. */
void dmi_read(const char *dir, struct dmi *out) NONNULL(1, 2);

/* The field of that name ("product_uuid", "board_asset_tag"), or NULL when there is no such. */
const char *dmi_field(const struct dmi *dmi, const char *name) NONNULL(1, 2);

#endif
