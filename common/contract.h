/* The bounds of the on-image contract, which the builder keeps and firstboot enforces. Source:
 * docs/contract.md. */
#ifndef NB_COMMON_CONTRACT_H
#define NB_COMMON_CONTRACT_H

enum {
    CONTRACT_VERSION = 1,
    CONTRACT_BYTES_MAX = 65536,
    CONTRACT_SOURCES_MAX = 8,
    CONTRACT_FACTS_MAX = 32,
    CONTRACT_FROMS_MAX = 64,
    CONTRACT_IDENTITIES_MAX = 32,
    CONTRACT_TEMPLATES_MAX = 128,
    CONTRACT_UNITS_MAX = 64,
    CONTRACT_FORGETS_MAX = 32,
    CONTRACT_DEADLINE_MAX = 600, /* seconds */
    /* A bundle, in bytes: as base64 it fits AWS's 16384 bytes of user-data with what else is there.
     */
    CONTRACT_BUNDLE_MAX = 12000,
};

/* What a machine does that firstboot could not finish; in the contract `continue`, `poweroff`,
 * `shell`. */
enum on_failure { ON_FAILURE_CONTINUE, ON_FAILURE_POWEROFF, ON_FAILURE_SHELL };

#define CONTRACT_NODE_FACT "NODE_NAME"

/* The first line of a bundle, and the one behind its files. */
#define CONTRACT_BUNDLE_BEGIN "nodebake-identity 1"
#define CONTRACT_BUNDLE_END   "end"

#endif
