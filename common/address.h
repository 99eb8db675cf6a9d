/* Names and addresses as Kubernetes and the clouds write them, and the typed values of facts. */
#ifndef NB_COMMON_ADDRESS_H
#define NB_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

enum {
    VALUE_MAX = 256
}; /* the longest value of a fact but SSH keys and bundles, its NUL included */

/* An IPv4 network: address in host byte order, prefix length 0 to 32. */
struct cidr {
    uint32_t address;
    unsigned prefix;
};

/* Reads dotted-quad IPv4 (no leading zeros) into host byte order; false if it is not one. */
bool ipv4_parse(const char *text, uint32_t *address) NONNULL(1, 2);

/* Reads A.B.C.D/N whose host bits are all zero; false if it is not one. */
bool cidr_parse(const char *text, struct cidr *cidr) NONNULL(1, 2);

/* Does `outer` hold all of `inner`? */
bool cidr_contains(struct cidr outer, struct cidr inner);

/* Do the two networks share an address? */
bool cidr_overlaps(struct cidr a, struct cidr b);

/* A DNS label (RFC 1123): 1 to 63 of a-z 0-9 and inner hyphens. */
bool dns_label_valid(const char *text) NONNULL(1);

/* A DNS subdomain (RFC 1123): labels joined by dots, at most 253 bytes. */
bool dns_name_valid(const char *text) NONNULL(1);

/* The types that a fact can have; the names stand in value_type_name. */
enum value_type {
    VALUE_LABEL,   /* DNS label: a host or node name */
    VALUE_NAME,    /* DNS subdomain */
    VALUE_IPV4,    /* dotted quad */
    VALUE_CIDR,    /* IPv4 network, host bits zero */
    VALUE_TOKEN,   /* 1 to 255 printable ASCII bytes but space, quotes, backslash, $ and ` */
    VALUE_SSHKEYS, /* lines of authorized_keys; see ssh-key.h */
    VALUE_BUNDLE,  /* a node's identity in base64, a secret; see docs/contract.md */
    VALUE_TYPES
};

/* The contract's word for a type: "label", "name", "ipv4", "cidr", "token", "sshkeys", "bundle".
 */
const char *value_type_name(enum value_type type);

/* Finds a type by its word; false if there is none of that name. */
bool value_type_parse(const char *word, enum value_type *type) NONNULL(1, 2);

/* Checks that `text` is a value of the type; the error says what would be right. Of a bundle only
 * base64 and length are looked at, and nothing is shown. */
int value_check(enum value_type type, const char *text, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* The same for a machine's fact, of which a token may be a password: it is not shown either. */
int value_check_fact(enum value_type type, const char *text, struct error *err)
    NONNULL(2, 3) MUST_CHECK;

#endif
