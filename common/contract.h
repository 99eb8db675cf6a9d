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
    CONTRACT_DEADLINE_MAX = 600, /* seconds */
};

#define CONTRACT_NODE_FACT "NODE_NAME"

#endif
