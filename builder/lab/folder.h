/* The lab's folder: who may use it, and what is removed of it. */
#ifndef NB_BUILDER_LAB_FOLDER_H
#define NB_BUILDER_LAB_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/error.h"

/* Opens it; with `make`, makes it, for its owner only, and refuses one with other things in it or
 * of somebody else. Without, a folder that is not a lab's is an error that says that there is no
 * lab. */
int lab_folder_open(const char *path, bool make, int *fd, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Takes the lock that a supervisor holds. 1: taken, 0: one runs. */
int lab_folder_lock(int dir, int *lock, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Notes the supervisor, by its id here and the time of its start. */
int lab_folder_note(int dir, pid_t pid, struct error *err) NONNULL(3) MUST_CHECK;

/* Kills the supervisor that is noted there, if it is that process still; true when it did. */
bool lab_folder_kill(int dir);

/* Waits a while until it has ended, with all it started; its lock may be free before. */
void lab_folder_await_end(int dir);

/* Removes what a supervisor leaves when it is killed; logs, disks and consoles stay. */
void lab_folder_sweep(int dir);

/* Removes all that is the lab's, and the folder itself when nothing else is in it; with something
 * else *rest is true. */
int lab_folder_remove(int dir, const char *path, bool *rest, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Removes one that no machine was ever in. */
void lab_folder_remove_unused(int dir, const char *path) NONNULL(2);

#endif
