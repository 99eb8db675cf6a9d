/* nodebake: find the command, read its options, get what it needs, run it. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cmd/inputs.h"
#include "builder/command.h"
#include "builder/heap.h"
#include "builder/process.h"
#include "builder/progress.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, LARGE_BUFFER = 128 * 1024 /* bytes */ };

extern const struct command cmd_init, cmd_plan, cmd_pki, cmd_pki_show, cmd_pki_verify,
    cmd_pki_rotate, cmd_pki_csr, cmd_pki_import, cmd_build, cmd_inspect, cmd_lab_up, cmd_lab_status,
    cmd_lab_console, cmd_lab_exec, cmd_lab_kubectl, cmd_lab_logs, cmd_lab_stop, cmd_lab_start,
    cmd_lab_kill, cmd_lab_partition, cmd_lab_down, cmd_routes, cmd_metadata, cmd_completion,
    cmd_identity;

const struct command *const commands[] = {&cmd_init,          &cmd_plan,
                                          &cmd_pki,           &cmd_pki_show,
                                          &cmd_pki_verify,    &cmd_pki_rotate,
                                          &cmd_pki_csr,       &cmd_pki_import,
                                          &cmd_identity,      &cmd_build,
                                          &cmd_inspect,       &cmd_lab_up,
                                          &cmd_lab_status,    &cmd_lab_console,
                                          &cmd_lab_exec,      &cmd_lab_kubectl,
                                          &cmd_lab_logs,      &cmd_lab_stop,
                                          &cmd_lab_start,     &cmd_lab_kill,
                                          &cmd_lab_partition, &cmd_lab_down,
                                          &cmd_routes,        &cmd_metadata,
                                          &cmd_completion,    NULL};

static void print_help(void)
{
    printf("usage: nodebake COMMAND [OPTION]... [ARGUMENT]...\n\n"
           "Bakes Kubernetes nodes as disk images from one description of the cluster.\n\n"
           "Commands:\n");
    for (size_t i = 0; commands[i]; i++)
        printf("  %-22s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nOptions:\n"
           "  %-22s show this help\n"
           "  %-22s show the version\n\n"
           "`nodebake COMMAND --help` tells more of one command.\n",
           "--help", "--version");
}

/* Of a command whose name is two words, both count. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    for (*words = 2; *words > 0; --*words)
        for (size_t i = 0; commands[i] && argc > *words; i++) {
            const char *name = commands[i]->name;
            size_t n = strlen(argv[1]);
            if (*words == 1 ? strcmp(name, argv[1]) == 0
                            : strncmp(name, argv[1], n) == 0 && name[n] == ' ' &&
                                  strcmp(name + n + 1, argv[2]) == 0)
                return commands[i];
        }
    return NULL;
}

static int usage_error(const char *command, const char *text)
{
    fprintf(stderr, "nodebake%s%s: %s\n", *command ? " " : "", command, text);
    return EXIT_USAGE;
}

static int load_cluster(const struct command *command, const struct args *args,
                        struct cluster **out, struct error *err)
{
    const char *file = args_value(args, "cluster");
    struct cluster_needs needs = {
        .install = command->needs & NEEDS_INSTALL ? args->install : NULL,
        .base = command->needs & NEEDS_BASE,
    };
    if (cluster_load(file ? file : "cluster.yaml", needs, out, args->problems, err) < 0)
        return -1;
    return inputs_defaults(*out, args->problems, err);
}

static int run_command(const struct command *command, const struct args *given, struct error *err)
{
    struct cluster *cluster AUTO_CLUSTER = NULL;
    struct install install AUTO_INSTALL = {0};
    struct args args = *given;
    args.install = &install;
    if (args_flag(&args, "quiet"))
        progress_quiet();
    if (command->needs & NEEDS_QEMU_IMG && !process_found("qemu-img"))
        return error_set(err, "qemu-img is not in PATH; install it (Debian: qemu-utils)");
    if (command->needs & NEEDS_INSTALL && install_find(&install, err) < 0)
        return -1;
    if (command->needs & NEEDS_CLUSTER && load_cluster(command, &args, &cluster, err) < 0)
        return -1;
    args.cluster = cluster;
    return command->run(&args, err);
}

/* Another program may have a --help of its own. */
static bool wants_help(const struct command *command, int argc, char **argv)
{
    int end = command->passes_on && argc > 1 ? 1 : argc;
    for (int i = 0; i < end && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* Output that could not be written is a failure like any other. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "nodebake: standard output could not be written\n");
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    /* Large buffers go back to the system when they are freed. Left alone, malloc learns from the
     * first of them to keep the next, and holes between them: a third more memory. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER);
    if (argc < 2) {
        print_help();
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return finish(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("nodebake %s\n", NODEBAKE_VERSION);
        return finish(0);
    }
    int words;
    const struct command *command = find_command(argc, argv, &words);
    if (!command)
        return usage_error("", "no such command; `nodebake --help` lists them");
    if (wants_help(command, argc - 1 - words, argv + 1 + words)) {
        command_help(command);
        return finish(0);
    }
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct args args = {.problems = &problems};
    if (args_parse(command, argc - words, argv + words, &args, &err) < 0)
        return usage_error(command->name, err.text);
    int status = run_command(command, &args, &err);
    if (status < 0) {
        fflush(stdout);
        problems_print(&problems, stderr);
        fprintf(stderr, "nodebake: %s\n", err.text);
        return EXIT_FAILED;
    }
    return finish(status);
}
