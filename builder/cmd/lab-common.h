/* What the commands of the lab share. */
#ifndef NB_BUILDER_CMD_LAB_COMMON_H
#define NB_BUILDER_CMD_LAB_COMMON_H

#include <jansson.h>

#include "builder/command.h"
#include "builder/lab/control.h"

#define OPTION_STATE                                                                               \
    {                                                                                              \
        "state", "DIR", "the lab's folder (default: .lab beside FILE)"                             \
    }

/* A lab from outside. */
struct lab_client {
    char *path; /* of its folder */
    int dir;    /* -1: not open */
};

/* The lab's folder: --state, or .lab beside --cluster. The caller frees it. */
char *lab_path(const struct args *args) NONNULL(1);

/* Finds a lab whose supervisor runs. */
int lab_find(const struct args *args, struct lab_client *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Asks it about an operation on a node (NULL: none); `answer` may be NULL. */
int lab_ask(const struct lab_client *lab, const char *op, const char *node, json_t **answer,
            struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

/* The node of that name in an answer to `status`; an error when there is none. */
int lab_node(const json_t *status, const char *name, const json_t **node, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* The same of one that runs; asks for the status. */
int lab_running(const struct lab_client *lab, const char *name, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* A text of an answer; "" when it is not there. */
const char *lab_text(const json_t *object, const char *key) NONNULL(2)
    __attribute__((returns_nonnull));

/* The path of a machine's file, in the lab's folder. The caller frees it. */
char *lab_file(const char *node, const char *file) NONNULL(1, 2);

/* Sleeps for part of a second. */
void lab_pause(double seconds);

/* Frees what the struct holds. */
void lab_client_free(struct lab_client *lab) NONNULL(1);
#define AUTO_LAB __attribute__((cleanup(lab_client_free)))

#endif
