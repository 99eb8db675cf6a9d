/* Admin's kubeconfig for a lab. */
#ifndef NB_BUILDER_LAB_KUBECONFIG_PORT_H
#define NB_BUILDER_LAB_KUBECONFIG_PORT_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Appends the kubeconfig `text` with its server replaced by https://127.0.0.1:port. */
int kubeconfig_with_port(const char *text, uint16_t port, struct buffer *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

#endif
