/* What a contract may allow of AWS's metadata service beyond its second version. */
#ifndef NB_FIRSTBOOT_SOURCE_AWS_H
#define NB_FIRSTBOOT_SOURCE_AWS_H

#include <stdbool.h>

/* May a service that has no tokens (IMDSv1) be asked without one? Not before this says so. */
void source_aws_allow_v1(bool allowed);

/* Wipes the token; the next request asks for a new one, of a service that has answered nothing. */
void source_aws_forget(void);

#endif
