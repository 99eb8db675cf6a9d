#include "builder/image/kvm.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "common/error.h"
#include "common/file.h"

/* A kernel panics for want of a root within a second under KVM; emulation takes two or three. */
enum { PROBE_SECONDS = 5 };

/* The last kernel in /boot that we may read, or NULL; the caller frees it. */
static char *find_kernel(void)
{
    glob_t found;
    char *kernel = NULL;
    if (glob("/boot/vmlinuz-*", 0, NULL, &found) != 0)
        return NULL;
    for (size_t i = found.gl_pathc; i > 0 && !kernel; i--)
        if (access(found.gl_pathv[i - 1], R_OK) == 0)
            kernel = heap_copy(found.gl_pathv[i - 1]);
    globfree(&found);
    return kernel;
}

/* The machine must have come as far as a panic of Linux: a reset alone, which ends QEMU just as
 * well, is what a broken virtualisation does. */
bool accelerator_boots(const char *accelerator, unsigned seconds)
{
    struct error err = ERROR_INIT;
    struct buffer console AUTO_BUFFER = buffer_heap();
    char *kernel AUTO_FREE = find_kernel();
    if (!kernel)
        return false;
    const char *const argv[] = {"qemu-system-x86_64",
                                "-nodefaults",
                                "-no-user-config",
                                "-no-reboot",
                                "-display",
                                "none",
                                "-machine",
                                "pc",
                                "-accel",
                                accelerator,
                                "-cpu",
                                "max",
                                "-m",
                                "256",
                                "-serial",
                                "stdio",
                                "-kernel",
                                kernel,
                                "-append",
                                "console=ttyS0 quiet panic=-1",
                                NULL};
    struct process qemu = {.argv = argv, .out = &console, .deadline = seconds};
    return process_run(&qemu, NULL, &err) == 0 && strstr(console.data, "Kernel panic");
}

/* Where the answer is kept, or NULL. The folders are made. */
static char *cache_path(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char *top AUTO_FREE = NULL;
    if (runtime && *runtime == '/')
        top = heap_copy(runtime);
    else if (cache && *cache == '/')
        top = heap_copy(cache);
    else if (home && *home == '/')
        top = heap_printf("%s/.cache", home);
    else
        return NULL;
    char *folder AUTO_FREE = heap_printf("%s/nodebake", top);
    mkdir(top, 0700);
    mkdir(folder, 0700);
    return heap_printf("%s/kvm", folder);
}

/* The answer as it is kept: it holds until the next boot. */
static char *answer_text(bool works)
{
    struct error ignored = ERROR_INIT;
    struct buffer boot AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, &ignored) < 0)
        return NULL;
    boot.data[strcspn(boot.data, "\n")] = '\0';
    return heap_printf("%s in boot %s\n", works ? "works" : "fails", boot.data);
}

bool kvm_works(void)
{
    struct error ignored = ERROR_INIT;
    struct buffer kept AUTO_BUFFER = buffer_heap();
    if (access("/dev/kvm", R_OK | W_OK) < 0)
        return false;
    char *path AUTO_FREE = cache_path();
    char *yes AUTO_FREE = answer_text(true), *no AUTO_FREE = answer_text(false);
    bool known = path && yes && no && file_read(AT_FDCWD, path, 128, &kept, &ignored) == 0;
    if (known && (strcmp(kept.data, yes) == 0 || strcmp(kept.data, no) == 0))
        return strcmp(kept.data, yes) == 0;
    bool works = accelerator_boots("kvm", PROBE_SECONDS);
    const char *answer = works ? yes : no;
    /* Not being able to keep it costs the next build a few seconds, nothing else. */
    if (path && answer && file_publish(AT_FDCWD, path, answer, strlen(answer), 0600, &ignored) < 0)
        ignored.text[0] = '\0';
    return works;
}
