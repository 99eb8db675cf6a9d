/* chrony's configuration. */
#ifndef NB_BUILDER_CHRONY_H
#define NB_BUILDER_CHRONY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"

/* Appends the text of a chrony.conf with its servers, pools and peers as comments; clocks of the
 * machine, and what DHCP gives, stay. */
void chrony_without_servers(const char *text, size_t len, struct buffer *out) NONNULL(1, 3);

/* Does a chrony.conf take servers from the folder? */
bool chrony_reads(const char *text, size_t len, const char *folder) NONNULL(1, 3);

#endif
