/* The conversation that the tests of DHCP are about. */
#ifndef NB_FIRSTBOOT_DHCP_FIXTURE_H
#define NB_FIRSTBOOT_DHCP_FIXTURE_H

#include "firstboot/dhcp.h"

static const struct dhcp_id id = {0x12345678, {2, 0, 0, 0, 0, 1}};

enum { ADDRESS = 0x0af00014, SERVER = 0x0af00001 };

#endif
