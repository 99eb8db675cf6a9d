/* What sshd of a base is told: keys only. Pure functions on its configuration. */
#ifndef NB_BUILDER_SSHD_H
#define NB_BUILDER_SSHD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"

#define SSHD_CONFIG "/etc/ssh/sshd_config"
#define SSHD_FOLDER "/etc/ssh/sshd_config.d"
#define SSHD_DROPIN SSHD_FOLDER "/00-nodebake.conf"

/* Does a file in SSHD_FOLDER settle what sshd_settings says: is the folder included before anything
 * that says otherwise? */
bool sshd_takes_dropins(const char *config, size_t len) NONNULL(1);

/* Appends our settings; `root_keys`: root may log in by key, else not at all. */
void sshd_settings(bool root_keys, struct buffer *out) NONNULL(2);

#endif
