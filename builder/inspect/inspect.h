/* Images, looked into without a change of a byte. */
#ifndef NB_BUILDER_INSPECT_H
#define NB_BUILDER_INSPECT_H

#include <stdio.h>

#include "builder/image/disk.h"
#include "builder/inspect/report.h"

/* Fills a report, whose path and format are set, of the image. `writer` may be NULL: the first that
 * can open it. `now` is what certificates are judged by. */
int inspect_image(const struct disk_file *file, const struct disk_writer *writer, time_t now,
                  struct report *report, struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

/* Prints the report for people. */
void report_print(const struct report *report, FILE *out) NONNULL(1, 2);

/* Prints it as JSON. Format: docs/inspect.md. */
int report_print_json(const struct report *report, FILE *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
