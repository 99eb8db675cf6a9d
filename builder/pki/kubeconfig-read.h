/* A kubeconfig as somebody wrote it, by nodebake, with kubectl or by hand: what its current context
 * leads to. */
#ifndef NB_BUILDER_KUBECONFIG_READ_H
#define NB_BUILDER_KUBECONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { KUBECONFIG_ITEMS_MAX = 64 }; /* clusters, users, contexts: of each */

/* A certificate or key: embedded, or in a file. What is embedded goes first. */
struct kubeconfig_part {
    struct buffer data; /* PEM; empty: not embedded */
    char *file;         /* as it is written, or NULL */
};

struct kubeconfig_read {
    char *server;
    bool insecure; /* nobody checks whose server it is */
    struct kubeconfig_part ca, cert, key;
    char *token; /* or NULL */
    bool other;  /* the user logs in in another way besides: a password, exec, as, … */
};

/* Reads the text; errors begin with the name, and with the line where there is one. They show no
 * secret: a key that is not known is not cited. */
int kubeconfig_parse(const char *name, const char *text, size_t len, struct kubeconfig_read *out,
                     struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Wipes and frees what the struct holds. */
void kubeconfig_read_free(struct kubeconfig_read *config) NONNULL(1);
#define AUTO_KUBECONFIG __attribute__((cleanup(kubeconfig_read_free)))

#endif
