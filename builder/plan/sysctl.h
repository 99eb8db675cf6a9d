/* Files of sysctl.d(5). */
#ifndef NB_BUILDER_SYSCTL_H
#define NB_BUILDER_SYSCTL_H

#include <stdbool.h>

#include "common/attributes.h"

/* Do the two keys mean one parameter, or is `pattern` (which may hold *, ? and […]) one that
 * matches `key`? Of each, '.' and '/' may have changed places. net.ipv4.ip_forward has other names:
 * they match it. */
bool sysctl_key_matches(const char *pattern, const char *key) NONNULL(1, 2);

/* The value that the text (with a NUL behind it) gives the parameter, the last one if it gives
 * several, or NULL. The caller frees it. */
char *sysctl_value(const char *text, const char *key) NONNULL(1, 2);

/* Hands over each key and value of the text; ends with the first answer that is not 0, and returns
 * it. */
typedef int sysctl_visit(void *ctx, const char *key, const char *value);
int sysctl_each(const char *text, sysctl_visit *visit, void *ctx) NONNULL(1, 2);

#endif
