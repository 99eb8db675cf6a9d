/* Starts the lab, or joins the one that runs, boots machines and waits for them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/cmd/lab-wait.h"
#include "builder/cmd/pki-common.h"
#include "builder/fleet/bundle.h"
#include "builder/heap.h"
#include "builder/image/kvm.h"
#include "builder/lab/folder.h"
#include "builder/lab/kubeconfig-port.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "builder/lab/memory.h"
#include "builder/lab/net.h"
#include "builder/lab/relay.h"
#include "builder/lab/services.h"
#include "builder/lab/supervisor.h"
#include "builder/lab/wishes.h"
#include "builder/pki/folder.h"
#include "builder/pki/passphrase.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { TIMEOUT_DEFAULT = 15 * 60, CLUSTER_FILE_MAX = 1 << 20 };
static const double AGAIN_SECONDS = 0.3, ANSWERS_SECONDS = 15;

struct up {
    const struct args *args;
    struct lab_client client;
    char digest[DIGEST_HEX_MAX];
    uint16_t port; /* 0: any */
    unsigned memory, timeout;
    struct profile *profile;
    struct target *targets;
    size_t target_count;
    json_t *wishes;
};

static void up_free(struct up *up)
{
    lab_client_free(&up->client);
    profile_free(up->profile);
    free(up->targets);
    json_decref(up->wishes);
}
#define AUTO_UP __attribute__((cleanup(up_free)))

static int read_options(struct up *up, struct error *err)
{
    const char *memory = args_value(up->args, "memory"), *port = args_value(up->args, "port");
    const char *timeout = args_value(up->args, "timeout");
    if ((memory && wishes_memory(memory, &up->memory, err) < 0) ||
        (port && wishes_port(port, &up->port, err) < 0) ||
        (timeout && wishes_timeout(timeout, &up->timeout, err) < 0))
        return -1;
    up->timeout = timeout ? up->timeout : TIMEOUT_DEFAULT;
    return 0;
}

static int read_inputs(struct up *up, struct error *err)
{
    const struct args *args = up->args;
    const struct cluster *cluster = args->cluster;
    const char *out = args_value(args, "out");
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *file AUTO_FREE = install_profile(args->install, cluster->profile);
    if (services_check_tools(err) < 0 || net_check(cluster, err) < 0 ||
        profile_load(file, &up->profile, args->problems, err) < 0)
        return -1;
    profile_choose(up->profile, cluster);
    if (target_select(cluster, up->profile, args->operands, args->operand_count, &up->targets,
                      &up->target_count, err) < 0 ||
        file_read(AT_FDCWD, cluster->file, CLUSTER_FILE_MAX, &text, err) < 0 ||
        digest_memory(text.data, text.len, "sha256", up->digest, err) < 0)
        return -1;
    return wishes_make(cluster, up->targets, up->target_count, out ? out : "out", up->memory,
                       &up->wishes, err);
}

/* Before anything is started: later checks are the supervisor's. */
static int check_room(const struct up *up, struct error *err)
{
    struct memory_need need = {0};
    const json_t *wish;
    size_t i;
    for (i = 0; i < json_array_size(up->wishes) && (wish = json_array_get(up->wishes, i)); i++)
        memory_add(&need, lab_text(wish, "name"),
                   (unsigned)json_integer_value(json_object_get(wish, "memory")));
    return memory_check(&need, memory_available(), err);
}

/* Admin's kubeconfig for the host; without one in the pki folder there is none. */
static int write_kubeconfig(struct up *up, struct lab *lab, struct error *err)
{
    static const char name[] = "admin-public.kubeconfig";
    struct buffer text AUTO_BUFFER = buffer_heap(), own AUTO_BUFFER = buffer_heap();
    char *folder AUTO_FREE = pki_folder(up->args);
    int pki AUTO_CLOSE = -1;
    unlinkat(up->client.dir, LAB_KUBECONFIG, 0); /* of an earlier lab */
    if (folder_open(folder, false, &pki, err) < 0 ||
        folder_read(pki, name, true, &text, &lab->kubeconfig, err) < 0)
        return -1;
    passphrase_forget(); /* the supervisor has no use for it */
    if (!lab->kubeconfig)
        return 0;
    if (kubeconfig_with_port(text.data, lab->port, &own, err) < 0)
        return error_context(err, "%s/%s", folder, name);
    return file_publish(up->client.dir, LAB_KUBECONFIG, own.data, own.len, 0600, err);
}

/* What is made of the pki folder, before its passphrase is forgotten. */
static int take_keys(struct up *up, struct lab *lab, struct error *err)
{
    char *folder AUTO_FREE = pki_folder(up->args);
    if (bundle_all(lab->cluster, up->profile, folder, &lab->bundles, err) < 0)
        return -1;
    return write_kubeconfig(up, lab, err);
}

static int start(struct up *up, int lock, struct error *err)
{
    struct lab lab = {.cluster = up->args->cluster,
                      .dir = up->client.dir,
                      .lock = lock,
                      .port = up->port,
                      .listener = -1,
                      .probe_fd = -1,
                      .kvm = kvm_works()};
    memcpy(lab.digest, up->digest, sizeof lab.digest);
    lab_folder_await_end(up->client.dir); /* of one that crashed just now */
    lab_folder_sweep(up->client.dir);
    if (check_room(up, err) < 0 || relay_listen(&lab.port, &lab.listener, err) < 0) {
        lab_folder_remove_unused(up->client.dir, up->client.path);
        return -1;
    }
    int result = take_keys(up, &lab, err);
    if (result < 0)
        lab_folder_remove_unused(up->client.dir, up->client.path);
    else
        result = supervisor_start(&lab, err);
    if (result < 0)
        unlinkat(up->client.dir, LAB_KUBECONFIG, 0);
    close(lab.listener);
    bundle_free_all(lab.cluster, lab.bundles);
    return result;
}

/* Starts a supervisor, or finds one that answers. The lock may be somebody's who only looks, or a
 * supervisor's that is just being started. */
static int find_or_start(struct up *up, json_t **status, struct error *err)
{
    struct error first = ERROR_INIT;
    for (double until = link_now() + ANSWERS_SECONDS;;) {
        int lock AUTO_CLOSE = -1;
        int taken = lab_folder_lock(up->client.dir, &lock, err);
        if (taken < 0 || (taken && start(up, lock, err) < 0))
            return -1;
        if (lab_ask(&up->client, "status", NULL, status, &first) == 0)
            return 0;
        if (link_now() > until) {
            *err = first;
            return error_context(err, "the lab in %s runs, but does not answer", up->client.path);
        }
        lab_pause(AGAIN_SECONDS);
    }
}

static int start_or_join(struct up *up, struct error *err)
{
    json_t *status AUTO_JSON = NULL;
    up->client.path = lab_path(up->args);
    if (lab_folder_open(up->client.path, true, &up->client.dir, err) < 0 ||
        find_or_start(up, &status, err) < 0)
        return -1;
    json_int_t port = json_integer_value(json_object_get(status, "port"));
    if (up->port && port != up->port)
        return error_set(err,
                         "--port %u: the lab runs already, with port %d; `nodebake lab down` "
                         "ends it",
                         up->port, (int)port);
    return 0;
}

static void tell_done(const struct up *up, const json_t *done)
{
    for (size_t i = 0; i < json_array_size(up->wishes); i++) {
        const char *name = lab_text(json_array_get(up->wishes, i), "name");
        const char *what = lab_text(done, name);
        if (*what)
            fprintf(stderr, "%s: %s\n", name, what);
    }
}

/* Machines that are relaunched end first. */
static int boot(struct up *up, struct error *err)
{
    double until = link_now() + ANSWERS_SECONDS;
    for (bool relaunch = args_flag(up->args, "relaunch");;) {
        json_t *answer AUTO_JSON = NULL;
        json_t *request = json_pack("{s:s, s:s, s:b, s:O}", "op", "up", "digest", up->digest,
                                    "relaunch", relaunch, "nodes", up->wishes);
        if (control_call(up->client.dir, request, CONTROL_SECONDS, &answer, err) < 0)
            return -1;
        if (!json_is_true(json_object_get(answer, "again"))) {
            if (!args_flag(up->args, "quiet"))
                tell_done(up, json_object_get(answer, "done"));
            return 0;
        }
        if (link_now() > until)
            return error_set(err, "the machines that are to be relaunched do not end");
        lab_pause(AGAIN_SECONDS);
    }
}

static int run(const struct args *args, struct error *err)
{
    struct up up AUTO_UP = {.args = args, .client.dir = -1};
    lab_wait_listen();
    if (pki_passphrase(args, err) < 0 || read_options(&up, err) < 0 || read_inputs(&up, err) < 0 ||
        start_or_join(&up, err) < 0 || boot(&up, err) < 0)
        return -1;
    return lab_wait(&up.client, up.wishes, up.timeout, args_flag(args, "quiet"), err);
}

const struct command cmd_lab_up = {
    .name = "lab up",
    .operands = "[ROLE|NODE]...",
    .summary = "Boots the cluster from its images under QEMU, and waits until it is ready",
    .details =
        "Without arguments all nodes of the cluster. Needs no root: the machines live in a "
        "network\n"
        "of their own, and only the API server's port is had from the host. A lab that runs is\n"
        "gone on with: what is stopped boots again, and a node whose image is new is relaunched.\n",
    .options = {OPTION_CLUSTER,
                {"out", "DIR", "folder of the images (default: out)"},
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                OPTION_STATE,
                {"memory", "SIZE", "of each machine, as 2GiB (default: the profile's)"},
                {"port", "PORT", "of the API on 127.0.0.1 (default: any free one)"},
                {"timeout", "TIME", "how long to wait, as 90s or 15m (default: 15m)"},
                {"relaunch", NULL, "give the nodes new disks and instance ids"},
                OPTION_QUIET},
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER | NEEDS_INSTALL,
    .run = run,
};
