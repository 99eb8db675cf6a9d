/* What an interrupted program must not leave behind: unfinished images hold keys. */
#ifndef NB_BUILDER_INTERRUPT_H
#define NB_BUILDER_INTERRUPT_H

#include <stddef.h>
#include <sys/types.h>

#include "common/attributes.h"

/* From now on SIGHUP, SIGINT and SIGTERM remove these files before they end the program; a
 * signal that is ignored (nohup) stays ignored. The paths stay the caller's and must last until
 * interrupt_forget. */
void interrupt_removes(char *const *paths, size_t n) NONNULL(1);

/* From now on they end this child, too, lest it goes on without us; 0: none. */
void interrupt_kills(pid_t child);

/* The files are finished or gone: signals end the program as usual. */
void interrupt_forget(void);

#endif
