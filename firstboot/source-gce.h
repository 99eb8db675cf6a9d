/* For tests: another place for GCE's metadata service. */
#ifndef NB_FIRSTBOOT_SOURCE_GCE_H
#define NB_FIRSTBOOT_SOURCE_GCE_H

#include <stdint.h>

/* Asks there from now on instead of 169.254.169.254:80; address in host byte order. */
void source_gce_endpoint(uint32_t address, uint16_t port);

#endif
