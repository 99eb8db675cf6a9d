#include "builder/lab/balancer.h"

#include <stdio.h>
#include <string.h>

#include "builder/lab/lab.h"

/* Columns of `show stat`, from 0. */
enum { COLUMN_STATUS = 17, COLUMN_CHECK = 36, COLUMN_CODE = 37 };

/* Emulated controllers answer late when all boot at once: the check is as patient as theirs. As
 * with the cloud's balancer, connections that stand outlive a check that fails. */
void balancer_config(const struct cluster *cluster, struct buffer *out)
{
    buffer_printf(out,
                  "global\n    maxconn 512\n    stats socket unix@" LAB_BALANCER_SOCK " mode 600\n"
                  "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n"
                  "    timeout server 1h\n    timeout check 10s\n"
                  "frontend api\n    bind %s:%d\n    default_backend controllers\n"
                  "backend controllers\n    option httpchk\n"
                  "    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host "
                  "kubernetes.default.svc.%s\n    http-check expect status 200\n"
                  "    default-server check port 80 inter 5s downinter 2s fall 3 rise 1\n",
                  cluster->public_address, API_PORT, cluster->domain);
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].role, "controller") == 0)
            buffer_printf(out, "    server %s %s:%d\n", cluster->nodes[i].name,
                          cluster->nodes[i].address, API_PORT);
}

/* The n-th value of a CSV line, not ended by a NUL. */
static size_t column(const char *line, unsigned n, const char **out)
{
    while (n-- > 0) {
        line += strcspn(line, ",\n");
        if (*line != ',')
            return 0;
        line++;
    }
    *out = line;
    return strcspn(line, ",\n");
}

bool balancer_up(const char *stat, const char *controller, char *why, size_t n)
{
    char start[96];
    snprintf(start, sizeof start, "controllers,%s,", controller);
    snprintf(why, n, "not in the balancer");
    for (const char *line = stat; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, start, strlen(start)) != 0)
            continue;
        const char *status = "", *check = "", *code = "";
        size_t status_len = column(line, COLUMN_STATUS, &status);
        size_t check_len = column(line, COLUMN_CHECK, &check);
        /* While the next one is under way the last one's result stands behind a mark. */
        if (check_len >= 2 && strncmp(check, "* ", 2) == 0) {
            check += 2;
            check_len -= 2;
        }
        size_t code_len = column(line, COLUMN_CODE, &code);
        snprintf(why, n, "/healthz on port 80: %.*s %.*s", (int)check_len, check, (int)code_len,
                 code);
        return status_len >= 2 && strncmp(status, "UP", 2) == 0 && check_len >= 2 &&
               strncmp(check, "L7", 2) == 0;
    }
    return false;
}
