/* Node labels, as the kubelet may set them on itself. Source: Kubernetes' label syntax and the
 * NodeRestriction admission plugin. */
#ifndef NB_BUILDER_LABELS_H
#define NB_BUILDER_LABELS_H

#include "common/attributes.h"
#include "common/error.h"

/* A key: [DNS name/]name, the name at most 63 of A-Z a-z 0-9 - _ . and alphanumeric at its ends;
 * in the name spaces of kubernetes.io and k8s.io only what a kubelet may set. */
int label_key_check(const char *key, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* A value: like a key's name, or empty. */
int label_value_check(const char *value, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
