/* Programs and functions that run in the lab's background, and end with its supervisor. */
#ifndef NB_BUILDER_LAB_CHILD_H
#define NB_BUILDER_LAB_CHILD_H

#include <sys/types.h>

#include "common/attributes.h"
#include "common/error.h"

/* Starts the program (looked for as by process_run) with `dir` as its working directory (NULL:
 * ours); its output goes to the file `log` there, which begins anew. */
int child_spawn(const char *const *argv, const char *dir, const char *log, pid_t *pid,
                struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* Runs the function in a child that has the standard streams and `keep` (-1: none), no other
 * descriptor; its errors and output go to the file `log` (NULL: where ours go). The child's exit
 * status is what the function returns. */
int child_fork(int (*function)(void *ctx), void *ctx, int keep, const char *log, pid_t *pid,
               struct error *err) NONNULL(1, 5, 6) MUST_CHECK;

/* The last line of a log, for people; empty when there is none. */
void child_last_words(const char *dir, const char *log, char *text, size_t n) NONNULL(2, 3);

#endif
