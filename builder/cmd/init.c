#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/command.h"
#include "builder/heap.h"
#include "common/address.h"
#include "common/file.h"

static int read_example(const struct args *args, struct buffer *text, struct error *err)
{
    const char *profile = args_value(args, "profile");
    if (!profile)
        profile = "hard-way";
    if (!dns_label_valid(profile))
        return error_set(err, "'%s' is not a profile's name", profile);
    char *file AUTO_FREE = heap_printf("%s/profiles/%s.cluster.yaml", args->install->data, profile);
    if (access(file, R_OK) < 0)
        return error_set(err, "there is no profile '%s' in %s/profiles", profile,
                         args->install->data);
    return file_read(AT_FDCWD, file, 1 << 20, text, err);
}

static int run(const struct args *args, struct error *err)
{
    const char *dir = args->operand_count ? args->operands[0] : ".";
    char *file AUTO_FREE = heap_printf("%s/cluster.yaml", dir);
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct stat st;
    if (read_example(args, &text, err) < 0)
        return -1;
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", dir);
    if (lstat(file, &st) == 0)
        return error_set(err, "%s is there already; remove it first, or choose another folder",
                         file);
    if (file_publish(AT_FDCWD, file, text.data, text.len, 0644, err) < 0)
        return -1;
    printf("wrote %s\nedit it, then: nodebake plan --cluster %s\n", file, file);
    return 0;
}

const struct command cmd_init = {
    .name = "init",
    .operands = "[DIR]",
    .summary = "Writes a commented cluster.yaml to start from",
    .details = "DIR (default: the working folder) is made when it is not there. A cluster.yaml\n"
               "that is there stays.\n",
    .options = {{"profile", "NAME", "the profile to write it for (default: hard-way)"}},
    .operands_max = 1,
    .needs = NEEDS_INSTALL,
    .run = run,
};
