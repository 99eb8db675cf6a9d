/* QEMU: its command line for a machine, and its monitor. */
#ifndef NB_BUILDER_LAB_QEMU_H
#define NB_BUILDER_LAB_QEMU_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"
#include "builder/texts.h"
#include "common/attributes.h"
#include "common/error.h"

struct qemu_args {
    const struct node *node;
    const char *uuid;
    unsigned memory; /* MiB */
    unsigned cpus;
    bool aws; /* AWS's firmware (Nitro); else GCE's */
    bool kvm;
};

/* How many CPUs a machine gets on a host of `host` CPUs: two, or one where more than two emulated
 * machines share a CPU of the host, and would wait for each other's other half. */
unsigned qemu_cpus(bool kvm, size_t machines, long host);

/* Appends the command line; its files are in the working directory that QEMU gets. */
void qemu_arguments(const struct qemu_args *args, struct texts *out) NONNULL(1, 2);

/* Presses the machine's power button, by the monitor behind the socket (a path). */
int qemu_power_button(const char *socket, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
