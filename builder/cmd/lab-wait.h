/* Waiting for machines of the lab. */
#ifndef NB_BUILDER_CMD_LAB_WAIT_H
#define NB_BUILDER_CMD_LAB_WAIT_H

#include <jansson.h>
#include <stdbool.h>

#include "builder/cmd/lab-common.h"
#include "common/attributes.h"
#include "common/error.h"

/* What is to be waited for, and whether it has come. */
enum lab_outcome { LAB_WAITS, LAB_DONE, LAB_FAILED };

/* Will a node become ready here? A worker does when some controller runs, and we may ask it. */
bool lab_has_api(const json_t *status) NONNULL(1);

/* How far the nodes of `wishes` are: done when all are ready, or, without an API, workers are up;
 * failed when one cannot come any further. *culprit is a node that is not done. */
enum lab_outcome lab_judge(const json_t *status, const json_t *wishes, const json_t **culprit)
    NONNULL(1, 2, 3);

/* From now on an interrupt ends the waiting of lab_wait, and nothing else. */
void lab_wait_listen(void);

/* Waits so many seconds, and shows the progress. The lab goes on when it fails. */
int lab_wait(const struct lab_client *lab, const json_t *wishes, unsigned seconds, bool quiet,
             struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

#endif
