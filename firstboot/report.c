#include "firstboot/report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

static int kernel_log = -1;

void report_to_kernel(void)
{
    kernel_log = openat(AT_FDCWD, "/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

void report(enum report_level level, const char *fmt, ...)
{
    static const char name[] = "nodebake: ";
    char line[8 + REPORT_BYTES_MAX];
    int head = kernel_log < 0 ? 0 : snprintf(line, sizeof line, "<%d>", (int)level);
    int named = head + snprintf(line + head, sizeof line - (size_t)head, "%s", name);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line + named, sizeof line - (size_t)named - 1, fmt, ap);
    va_end(ap);
    size_t n = strlen(line);
    for (size_t i = (size_t)named; i < n; i++)
        if (line[i] < ' ' || line[i] > '~')
            line[i] = '?';
    line[n++] = '\n';
    /* There is nobody left to tell when this fails. */
    (void)!file_write_all(kernel_log < 0 ? STDERR_FILENO : kernel_log, line, n);
}
