/* What an interrupted program must not leave behind: unfinished images hold keys. */
#ifndef NB_BUILDER_INTERRUPT_H
#define NB_BUILDER_INTERRUPT_H

#include <signal.h>
#include <sys/types.h>

#include "common/attributes.h"

enum { INTERRUPT_FILES_MAX = 64 };

/* From now on SIGHUP, SIGINT and SIGTERM remove this file, too, before they end the program; a
 * signal that is ignored (nohup) stays ignored. The path is copied. Of more than
 * INTERRUPT_FILES_MAX at a time the last ones would stay. */
void interrupt_removes(const char *path) NONNULL(1);

/* The file is finished or gone. Without files signals end the program as usual. */
void interrupt_keeps(const char *path) NONNULL(1);

/* From now on they end this child, too, lest it goes on without us; 0: none. */
void interrupt_kills(pid_t child);

/* The signals wait until interrupt_go_on, as between a child's start and interrupt_kills. */
void interrupt_wait(sigset_t *before) NONNULL(1);
void interrupt_go_on(const sigset_t *before) NONNULL(1);

#endif
