#include "builder/lab/port-owner.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "common/file.h"

enum { TABLE_MAX = 16 << 20, LISTENS = 0x0a };

unsigned long port_inode(const char *table, uint16_t port)
{
    for (const char *line = strchr(table, '\n'); line; line = strchr(line, '\n')) {
        unsigned address, at, state;
        unsigned long inode;
        line++;
        if (sscanf(line, " %*u: %8x:%4x %*8x:%*4x %2x %*x:%*x %*x:%*x %*x %*u %*u %lu", &address,
                   &at, &state, &inode) == 4 &&
            at == port && state == LISTENS && (address == 0 || address == htonl(INADDR_LOOPBACK)))
            return inode;
    }
    return 0;
}

static void close_dir_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
#define AUTO_DIR __attribute__((cleanup(close_dir_at)))

static bool has_socket(const char *pid, const char *socket)
{
    char *path AUTO_FREE = heap_printf("/proc/%s/fd", pid);
    DIR *all AUTO_DIR = opendir(path);
    for (struct dirent *e; all && (e = readdir(all));) {
        char link[64];
        ssize_t n = readlinkat(dirfd(all), e->d_name, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        if (strcmp(link, socket) == 0)
            return true;
    }
    return false;
}

static void describe(const char *pid, char *text, size_t n)
{
    struct error ignored = ERROR_INIT;
    struct buffer name AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = heap_printf("/proc/%s/comm", pid);
    if (file_read(AT_FDCWD, path, 64, &name, &ignored) < 0)
        return;
    snprintf(text, n, "%.*s, process %s", (int)strcspn(name.data, "\n"), name.data, pid);
}

void port_owner(uint16_t port, char *text, size_t n)
{
    struct error ignored = ERROR_INIT;
    struct buffer table AUTO_BUFFER = buffer_heap();
    DIR *all AUTO_DIR = opendir("/proc");
    snprintf(text, n, "another program");
    if (file_read(AT_FDCWD, "/proc/net/tcp", TABLE_MAX, &table, &ignored) < 0)
        return;
    unsigned long inode = port_inode(table.data, port);
    char *socket AUTO_FREE = heap_printf("socket:[%lu]", inode);
    for (struct dirent *e; inode && all && (e = readdir(all));)
        if (strspn(e->d_name, "0123456789") == strlen(e->d_name) && has_socket(e->d_name, socket)) {
            describe(e->d_name, text, n);
            return;
        }
}
