/* The lab: the cluster's machines under QEMU, in a private network, as an ordinary user.
 *
 *   client ── control ── supervisor ─┬─ machines (QEMU), dnsmasq, haproxy
 *                                    └─ metadata service, probe, relay of the loopback port
 *
 * The supervisor is process 1 of a pid namespace, and lives in a user and network namespace of its
 * own: whatever it started is gone when it is. Its working directory is the lab's folder. */
#ifndef NB_BUILDER_LAB_LAB_H
#define NB_BUILDER_LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/cluster/cluster.h"
#include "builder/digest.h"

/* Files of the lab's folder. Those of a machine are in nodes/NAME/. */
#define LAB_LOCK          "nodebake-lab.lock"
#define LAB_CONTROL       "control"
#define LAB_PROCESS       "supervisor.json"
#define LAB_LOG           "supervisor.log"
#define LAB_KUBECONFIG    "kubeconfig"
#define LAB_DHCP_CONFIG   "dnsmasq.conf"
#define LAB_DHCP_LEASES   "dnsmasq.leases"
#define LAB_DHCP_LOG      "dnsmasq.log"
#define LAB_BALANCER      "haproxy.cfg"
#define LAB_BALANCER_LOG  "haproxy.log"
#define LAB_BALANCER_SOCK "haproxy"
#define LAB_METADATA_LOG  "metadata.log"
#define LAB_NTP_LOG       "ntp.log"
#define LAB_NODES         "nodes"

#define LAB_METADATA_ADDRESS "169.254.169.254"

struct machine;

struct lab {
    const struct cluster *cluster;
    char **bundles; /* identities for the metadata of its nodes; see bundle_all */
    int dir;        /* the folder */
    int lock;       /* held while the supervisor runs */
    int listener;   /* of the loopback port, in the host's network */
    uint16_t port;
    bool kubeconfig;                                   /* LAB_KUBECONFIG is there */
    bool kvm;                                          /* hardware virtualisation works here */
    char digest[DIGEST_HEX_MAX];                       /* of the cluster file */
    struct machine *machines;                          /* one a node of the cluster, in its order */
    pid_t dhcp, balancer, metadata, ntp, probe, relay; /* 0: to be started again */
    double services_due;                               /* of link_now: when it is */
    int probe_fd;                                      /* where the probe writes what it sees */
    int signals;                                       /* signalfd */
    int control;                                       /* the listening socket */
    bool ending, over; /* machines are being powered off for `lab down`; all is done */
};

#endif
