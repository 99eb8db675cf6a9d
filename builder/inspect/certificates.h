/* Certificates in files: PEM texts, and kubeconfigs, which hold them in base64. Keys are passed
 * over. */
#ifndef NB_BUILDER_CERTIFICATES_H
#define NB_BUILDER_CERTIFICATES_H

#include "builder/inspect/report.h"

enum { CERTIFICATES_MAX = 256 };

/* Adds those of the file at the path to the report, at most CERTIFICATES_MAX in all, and a problem
 * for each that is not valid at the time. */
void certificates_read(const char *path, const char *text, size_t len, time_t now,
                       struct report *report) NONNULL(1, 2, 5);

#endif
