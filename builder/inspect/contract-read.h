/* The on-image contract, read for people: firstboot is who judges it. Lines that are not as
 * docs/contract.md says are passed over. */
#ifndef NB_BUILDER_CONTRACT_READ_H
#define NB_BUILDER_CONTRACT_READ_H

#include "builder/inspect/report.h"

/* Fills the report; its version is 0 when the text is no contract. */
void contract_read(const char *text, size_t len, struct contract_report *out) NONNULL(1, 3);

/* Fills the report; it is not there when the text is no whole stamp. */
void stamp_read(const char *text, size_t len, struct stamp_report *out) NONNULL(1, 3);

#endif
