/* A machine of the lab: QEMU, its disk and what is known of it. Everything of it is in nodes/NAME/
 * of the lab's folder, which is the working directory:
 *
 *   disk.qcow2   what the machine wrote; lies on the built image, which stays clean
 *   image        which image that is
 *   uuid         the instance's id: kept until the machine is relaunched
 *   console.log  of this boot; console.log.1 of the one before; console, agent, qmp: sockets */
#ifndef NB_BUILDER_LAB_MACHINE_H
#define NB_BUILDER_LAB_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "builder/cluster/cluster.h"
#include "builder/lab/console.h"
#include "common/attributes.h"
#include "common/error.h"

enum machine_state {
    MACHINE_ABSENT,   /* was never started, or its disk is gone */
    MACHINE_BOOTING,  /* up to firstboot */
    MACHINE_FINISHED, /* firstboot is done, services start */
    MACHINE_UP,       /* can be logged into, or the agent answers */
    MACHINE_READY,    /* Kubernetes says so, or the balancer's health check */
    MACHINE_PARTITIONED,
    MACHINE_STOPPING,
    MACHINE_STOPPED,
    MACHINE_KILLED,
    MACHINE_FAILED,
};

enum { MACHINE_WHY_MAX = 400 };

struct machine {
    const struct node *node;
    bool aws; /* its firmware says that it is one of AWS's; else of GCE's */
    /* What was done to it. */
    pid_t pid; /* of QEMU; 0: it does not run */
    bool created, partitioned, kill_asked, stop_asked;
    double stop_until; /* of link_now: when a machine that is to stop is killed */
    time_t started;
    enum machine_state ended; /* why it does not run: STOPPED, KILLED, FAILED */
    char end_why[MACHINE_WHY_MAX];
    /* What was seen of it since it was started. */
    struct console console;
    int console_fd; /* console.log; -1: not open */
    bool agent, healthy, node_ready;
    char health_why[MACHINE_WHY_MAX]; /* what the balancer or the API says while it is not ready */
    /* What follows: machine_judge. */
    enum machine_state state;
    time_t since;
};

/* The word for a state: "booting". */
const char *machine_state_name(enum machine_state state) __attribute__((returns_nonnull));

/* Works the state out; `since` moves when it changes. */
void machine_judge(struct machine *machine, time_t now) NONNULL(1);

/* What the machine does, or why it fails: cause, health or last line of the console; never NULL. */
const char *machine_why(const struct machine *machine) NONNULL(1);

/* Which image a file is, as a line that changes when the file does. The caller frees it. */
int machine_image_id(const char *path, char **out, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Is there a disk, and is it of this image? */
bool machine_has_disk(const struct node *node, const char *image_id) NONNULL(1, 2);

/* 1: the image that the disk lies on is not what it was when the disk was made, 0: it is; an image
 * that is gone is an error. */
int machine_image_changed(const struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Makes its folder and a new disk on the image (`format`: raw, qcow2), with a new instance id; an
 * old one goes. */
int machine_create(struct machine *machine, const char *image, const char *format,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* MiB that it had at its last boot; 0: unknown. */
unsigned machine_memory(const struct machine *machine) NONNULL(1);

/* Boots it, with `memory` MiB (0: as much as the last time). */
int machine_start(struct machine *machine, unsigned memory, unsigned cpus, bool kvm,
                  struct error *err) NONNULL(1, 5) MUST_CHECK;

/* Presses its power button; `seconds` later it is killed. */
int machine_stop(struct machine *machine, double seconds, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

/* Pulls its plug. */
void machine_kill(struct machine *machine) NONNULL(1);

/* Its QEMU has ended, with this status of waitpid. */
void machine_ended(struct machine *machine, int wait_status) NONNULL(1);

/* Reads on in its console. */
void machine_listen(struct machine *machine) NONNULL(1);

#endif
