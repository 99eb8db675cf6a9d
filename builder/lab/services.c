#include "builder/lab/services.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/balancer.h"
#include "builder/lab/child.h"
#include "builder/lab/dhcp.h"
#include "builder/lab/link.h"
#include "builder/lab/metadata.h"
#include "builder/lab/net.h"
#include "builder/lab/ntp.h"
#include "builder/lab/probe.h"
#include "builder/lab/relay.h"
#include "builder/process.h"
#include "common/file.h"

enum { SETTLE_MS = 300, KEPT_FD = 3 };
/* A service is started again not as fast as it can; one that cannot be, later. */
static const double AGAIN_SECONDS = 0.3, LATER_SECONDS = 5;

int services_check_tools(struct error *err)
{
    static const struct {
        const char *program, *package;
    } tools[] = {{"qemu-system-x86_64", "qemu-system-x86"},
                 {"qemu-img", "qemu-utils"},
                 {"ip", "iproute2"},
                 {"dnsmasq", "dnsmasq-base"},
                 {"haproxy", "haproxy"},
                 {"kubectl", "kubernetes-client"}};
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        char *sbin AUTO_FREE = heap_printf("/usr/sbin/%s", tools[i].program);
        if (!process_found(tools[i].program) && access(sbin, X_OK) < 0)
            return error_set(err, "%s is not installed (Debian: %s)", tools[i].program,
                             tools[i].package);
    }
    return 0;
}

static int start_dhcp(struct lab *lab, struct error *err)
{
    /* --no-daemon also means: keep the user; there is no other in this namespace. */
    static const char *const argv[] = {"dnsmasq", "--no-daemon", "--conf-file=" LAB_DHCP_CONFIG,
                                       NULL};
    return child_spawn(argv, NULL, LAB_DHCP_LOG, &lab->dhcp, err);
}

static int start_balancer(struct lab *lab, struct error *err)
{
    static const char *const argv[] = {"haproxy", "-db", "-f", LAB_BALANCER, NULL};
    return child_spawn(argv, NULL, LAB_BALANCER_LOG, &lab->balancer, err);
}

static int metadata_main(void *ctx)
{
    const struct lab *lab = ctx;
    const struct gce gce = {.cluster = lab->cluster, .bundles = lab->bundles};
    struct error err = ERROR_INIT;
    if (metadata_serve(&gce, LAB_METADATA_ADDRESS ":80", &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

static int ntp_main(void *ctx)
{
    struct error err = ERROR_INIT;
    (void)ctx;
    if (ntp_serve(LAB_METADATA_ADDRESS, NTP_PORT, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    return 1;
}

static int relay_main(void *ctx)
{
    const struct lab *lab = ctx;
    signal(SIGPIPE, SIG_IGN);
    relay_run(KEPT_FD, lab->cluster->public_address, API_PORT);
    return 1;
}

static int start_metadata(struct lab *lab, struct error *err)
{
    return child_fork(metadata_main, lab, -1, LAB_METADATA_LOG, &lab->metadata, err);
}

static int start_ntp(struct lab *lab, struct error *err)
{
    return child_fork(ntp_main, lab, -1, LAB_NTP_LOG, &lab->ntp, err);
}

static int start_relay(struct lab *lab, struct error *err)
{
    return child_fork(relay_main, lab, lab->listener, NULL, &lab->relay, err);
}

static int write_configs(const struct lab *lab, struct error *err)
{
    struct buffer dhcp AUTO_BUFFER = buffer_heap(), balancer AUTO_BUFFER = buffer_heap();
    dhcp_config(lab->cluster, &dhcp);
    balancer_config(lab->cluster, &balancer);
    if (file_publish(AT_FDCWD, LAB_DHCP_CONFIG, dhcp.data, dhcp.len, 0600, err) < 0)
        return -1;
    return file_publish(AT_FDCWD, LAB_BALANCER, balancer.data, balancer.len, 0600, err);
}

/* A program that does not like its configuration ends at once. */
static int check_runs(pid_t pid, const char *program, const char *log, struct error *err)
{
    char words[256];
    if (waitpid(pid, NULL, WNOHANG) == 0)
        return 0;
    child_last_words(NULL, log, words, sizeof words);
    return error_set(err, "%s ended at once: %s", program, words);
}

static int check_all_run(const struct lab *lab, struct error *err)
{
    const struct timespec pause = {.tv_nsec = SETTLE_MS * 1000000L};
    nanosleep(&pause, NULL);
    if (check_runs(lab->dhcp, "dnsmasq", LAB_DHCP_LOG, err) < 0 ||
        check_runs(lab->balancer, "haproxy", LAB_BALANCER_LOG, err) < 0 ||
        check_runs(lab->metadata, "the metadata service", LAB_METADATA_LOG, err) < 0 ||
        check_runs(lab->ntp, "the time service", LAB_NTP_LOG, err) < 0)
        return -1;
    return 0;
}

/* Where each has its process, what starts it and what it says. */
static const struct service {
    const char *name;
    size_t pid;
    int (*start)(struct lab *lab, struct error *err);
    const char *log; /* NULL: the supervisor's */
} services[] = {
    {"dnsmasq", offsetof(struct lab, dhcp), start_dhcp, LAB_DHCP_LOG},
    {"haproxy", offsetof(struct lab, balancer), start_balancer, LAB_BALANCER_LOG},
    {"the metadata service", offsetof(struct lab, metadata), start_metadata, LAB_METADATA_LOG},
    {"the time service", offsetof(struct lab, ntp), start_ntp, LAB_NTP_LOG},
    {"the probe", offsetof(struct lab, probe), probe_start, NULL},
    {"the relay", offsetof(struct lab, relay), start_relay, NULL},
};

static pid_t *pid_of(struct lab *lab, const struct service *service)
{
    return (pid_t *)(void *)((char *)lab + service->pid);
}

int services_start(struct lab *lab, struct error *err)
{
    if (net_make(lab->cluster, err) < 0 || write_configs(lab, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (services[i].start(lab, err) < 0)
            return -1;
    return check_all_run(lab, err);
}

void services_ended(struct lab *lab, pid_t pid, int wait_status)
{
    char words[256] = "";
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        pid_t *own = pid_of(lab, &services[i]);
        if (*own != pid)
            continue;
        if (services[i].log) /* it begins anew with the service */
            child_last_words(NULL, services[i].log, words, sizeof words);
        fprintf(stderr, "%s ended, wait status %d%s%s; it is started again\n", services[i].name,
                wait_status, *words ? ": " : "", words);
        *own = 0;
        lab->services_due = link_now() + AGAIN_SECONDS;
    }
}

void services_watch(struct lab *lab)
{
    struct error err = ERROR_INIT;
    if (link_now() < lab->services_due)
        return;
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        pid_t *own = pid_of(lab, &services[i]);
        if (*own || services[i].start(lab, &err) == 0)
            continue;
        *own = 0;
        lab->services_due = link_now() + LATER_SECONDS;
        fprintf(stderr, "%s: %s\n", services[i].name, err.text);
    }
}
