/* For firstboot-net.t: brings the network up as firstboot does, asks GCE's metadata service for
 * the paths given (AWS's for meta-data/...), waits for the end of its input and takes the network
 * down again. net-try MILLISECONDS [PATH...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firstboot/net.h"
#include "firstboot/source.h"

static int ask(const char *path, struct deadline deadline, struct error *err)
{
    struct source_value value;
    const struct source *source = strncmp(path, "meta-data/", 10) == 0 ? &source_aws : &source_gce;
    int got = source->get(path, &value, deadline, err);
    if (got >= 0)
        printf("%s: %.*s\n", path, got ? (int)value.len : 8, got ? value.bytes : "(absent)");
    return got;
}

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    if (argc < 2)
        return 2;
    struct deadline deadline = deadline_in(atol(argv[1]));
    int status = net_up(deadline, &err);
    if (status == 0)
        puts("up");
    for (int i = 2; i < argc && status >= 0; i++)
        status = ask(argv[i], deadline, &err);
    puts(status < 0 ? err.text : "ready");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    net_down();
    puts("down");
    return status < 0;
}
