#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/lab.h"

/* Becomes kubectl, which then has our terminal and exit status. */
static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    if (lab_find(args, &lab, err) < 0)
        return -1;
    if (faccessat(lab.dir, LAB_KUBECONFIG, R_OK, 0) < 0)
        return error_set(err,
                         "the lab in %s has no kubeconfig: there was none of admin when it was "
                         "started (`nodebake pki` issues it)",
                         lab.path);
    char *config AUTO_FREE = heap_printf("%s/" LAB_KUBECONFIG, lab.path);
    char **argv AUTO_FREE = heap_array(args->operand_count + 2, sizeof *argv);
    argv[0] = (char *)"kubectl";
    memcpy(argv + 1, args->operands, args->operand_count * sizeof *argv);
    if (setenv("KUBECONFIG", config, 1) < 0)
        return error_errno(err, "set KUBECONFIG");
    signal(SIGPIPE, SIG_DFL); /* it shall end with the pager that it writes to */
    execvp(argv[0], argv);
    if (errno == ENOENT)
        return error_set(err, "kubectl is not in PATH (Debian: kubernetes-client)");
    return error_errno(err, "run kubectl");
}

const struct command cmd_lab_kubectl = {
    .name = "lab kubectl",
    .operands = "[ARGUMENT]...",
    .summary = "Runs kubectl as the lab's admin",
    .details =
        "The same is had by KUBECONFIG=.lab/kubeconfig, which leads to a port of the host's\n"
        "loopback.\n",
    .options = {OPTION_CLUSTER, OPTION_STATE},
    .operands_max = SIZE_MAX,
    .passes_on = true,
    .run = run,
};
