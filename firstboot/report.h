/* What firstboot says: whole lines, each with `nodebake: ` before it. */
#ifndef NB_FIRSTBOOT_REPORT_H
#define NB_FIRSTBOOT_REPORT_H

#include "common/attributes.h"

enum { REPORT_BYTES_MAX = 900 }; /* of a line; the kernel's log takes little more */

enum report_level { REPORT_ERROR = 3, REPORT_NOTICE = 5 }; /* as syslog(2) numbers them */

/* From now on lines go to the kernel's log, so to the console too; where it cannot be opened they
 * stay on standard error. */
void report_to_kernel(void);

/* Says one line; bytes that are not printable ASCII become `?`, what is too long is cut. */
void report(enum report_level level, const char *fmt, ...) PRINTF(2, 3) NONNULL(2);

#endif
