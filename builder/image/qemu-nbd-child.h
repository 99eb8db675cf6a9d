/* The process of a qemu-nbd, and the socket to it. */
#ifndef NB_BUILDER_QEMU_NBD_CHILD_H
#define NB_BUILDER_QEMU_NBD_CHILD_H

#include <sys/types.h>

#include "common/attributes.h"
#include "common/error.h"

/* A child; its descriptors belong to the owner of the struct. */
struct nbd_child {
    pid_t pid;  /* 0: none, or waited for */
    int pidfd;  /* readable at its end */
    int errors; /* a file in memory: its standard error */
};

/* Starts qemu-nbd with the arguments behind its name (NULL at the end), and sets *socket to a
 * connection that it is going to serve. It is killed when the calling thread ends. On -1 the
 * caller cleans up what the struct holds by then. */
int nbd_child_start(const char *const *arguments, struct nbd_child *out, int *socket,
                    struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
