/* Strict text files, a line at a time: printable ASCII, every line bounded and ended by a newline.
 */
#ifndef NB_FIRSTBOOT_LINES_H
#define NB_FIRSTBOOT_LINES_H

#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

enum { LINE_MAX_BYTES = 1000 }; /* the longest line, its newline not counted */

/* A position in a text. */
struct lines {
    char *next;
    char *end;
    unsigned number; /* of the line that was returned last; the first is 1 */
};

/* Begins at the first line of len bytes, which the reader is allowed to change. */
struct lines lines_of(char *text, size_t len);

/* The next line, its newline replaced by a NUL: 1, 0 at the end, -1 when it is malformed. The
 * error does not name the line. */
int lines_next(struct lines *l, char **line, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Is it empty or a comment? */
_Bool line_skipped(const char *line) NONNULL(1);

/* Splits it at single spaces, each of which becomes a NUL; the number of fields, 0 when one is
 * empty, max + 1 when there are more. */
unsigned line_split(char *line, char **field, unsigned max) NONNULL(1, 2);

#endif
