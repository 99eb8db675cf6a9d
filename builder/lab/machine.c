#include "builder/lab/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/child.h"
#include "builder/lab/lab.h"
#include "builder/lab/link.h"
#include "builder/lab/net.h"
#include "builder/lab/qemu.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { SMALL_FILE = 8192, QEMU_IMG_SECONDS = 60, IMAGE_NUMBERS = 3 };

static char *folder_of(const struct node *node)
{
    return heap_printf(LAB_NODES "/%s", node->name);
}

static char *file_of(const struct node *node, const char *file)
{
    return heap_printf(LAB_NODES "/%s/%s", node->name, file);
}

/* Without the device: its number may be another one after a reboot. */
int machine_image_id(const char *path, char **out, struct error *err)
{
    struct stat s;
    if (stat(path, &s) < 0) {
        error_errno(err, "%s", path);
        return -1;
    }
    *out = heap_printf("%s %llu %lld %lld.%09ld\n", path, (unsigned long long)s.st_ino,
                       (long long)s.st_size, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    return 0;
}

bool machine_has_disk(const struct node *node, const char *image_id)
{
    struct error ignored = ERROR_INIT;
    struct buffer id AUTO_BUFFER = buffer_heap();
    char *disk AUTO_FREE = file_of(node, "disk.qcow2"), *image AUTO_FREE = file_of(node, "image");
    return access(disk, F_OK) == 0 && file_read(AT_FDCWD, image, SMALL_FILE, &id, &ignored) == 0 &&
           strcmp(id.data, image_id) == 0;
}

/* A path may have spaces in it; the numbers behind it have none. */
static void cut_numbers(char *image_id)
{
    char *space;
    for (int i = 0; i < IMAGE_NUMBERS && (space = strrchr(image_id, ' ')); i++)
        *space = '\0';
}

int machine_image_changed(const struct node *node, struct error *err)
{
    struct buffer then AUTO_BUFFER = buffer_heap();
    char *about AUTO_FREE = file_of(node, "image"), *now AUTO_FREE = NULL;
    if (file_read(AT_FDCWD, about, SMALL_FILE, &then, err) < 0)
        return error_context(err, "%s", node->name);
    char *path AUTO_FREE = heap_copy(then.data);
    cut_numbers(path);
    if (machine_image_id(path, &now, err) < 0)
        return error_context(err, "%s: its image", node->name);
    return strcmp(then.data, now) != 0;
}

static int make_disk(const char *disk, const char *image, const char *format, struct error *err)
{
    const char *const argv[] = {"qemu-img", "create", "-q",   "-f", "qcow2", "-b",
                                image,      "-F",     format, disk, NULL};
    const struct process create = {.argv = argv, .deadline = QEMU_IMG_SECONDS};
    return process_run(&create, NULL, err);
}

int machine_create(struct machine *m, const char *image, const char *format, struct error *err)
{
    struct buffer uuid AUTO_BUFFER = buffer_heap();
    char *folder AUTO_FREE = folder_of(m->node), *disk AUTO_FREE = file_of(m->node, "disk.qcow2");
    char *about AUTO_FREE = file_of(m->node, "image"), *id AUTO_FREE = NULL;
    char *instance AUTO_FREE = file_of(m->node, "uuid");
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", folder);
    /* `image` is written last: without it there is no disk. */
    m->created = false;
    if ((unlink(about) < 0 && errno != ENOENT) || (unlink(disk) < 0 && errno != ENOENT))
        return error_errno(err, "remove %s", disk);
    if (machine_image_id(image, &id, err) < 0 || make_disk(disk, image, format, err) < 0 ||
        file_read(AT_FDCWD, "/proc/sys/kernel/random/uuid", 64, &uuid, err) < 0 ||
        file_publish(AT_FDCWD, instance, uuid.data, uuid.len, 0600, err) < 0 ||
        file_publish(AT_FDCWD, about, id, strlen(id), 0600, err) < 0)
        return -1;
    m->created = true;
    m->ended = MACHINE_STOPPED;
    m->end_why[0] = '\0';
    return 0;
}

/* The console of the boot before is kept beside. */
static int open_console(struct machine *m, struct error *err)
{
    char *log AUTO_FREE = file_of(m->node, "console.log");
    char *old AUTO_FREE = file_of(m->node, "console.log.1");
    if (rename(log, old) < 0 && errno != ENOENT)
        return error_errno(err, "rename %s", log);
    cleanup_close(&m->console_fd);
    m->console_fd = open(log, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return m->console_fd < 0 ? error_errno(err, "create %s", log) : 0;
}

/* The memory of the last boot is asked for again when it is started without a size. */
static int settle_memory(const struct machine *m, unsigned *memory, struct error *err)
{
    struct buffer kept AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = file_of(m->node, "memory"), *text AUTO_FREE = NULL;
    if (!*memory) {
        if (file_read(AT_FDCWD, path, 32, &kept, err) < 0)
            return -1;
        *memory = (unsigned)strtoul(kept.data, NULL, 10);
        return 0;
    }
    text = heap_printf("%u\n", *memory);
    return file_publish(AT_FDCWD, path, text, strlen(text), 0600, err);
}

static void forget(struct machine *m)
{
    m->console = (struct console){0};
    m->agent = m->healthy = m->node_ready = false;
    m->kill_asked = m->stop_asked = false;
    m->health_why[0] = m->end_why[0] = '\0';
    m->since = 0;
}

unsigned machine_memory(const struct machine *m)
{
    struct error ignored = ERROR_INIT;
    unsigned memory = 0;
    return settle_memory(m, &memory, &ignored) < 0 ? 0 : memory;
}

int machine_start(struct machine *m, unsigned memory, unsigned cpus, bool kvm, struct error *err)
{
    struct qemu_args args = {.node = m->node, .aws = m->aws, .cpus = cpus, .kvm = kvm};
    struct buffer uuid AUTO_BUFFER = buffer_heap();
    char *folder AUTO_FREE = folder_of(m->node), *instance AUTO_FREE = file_of(m->node, "uuid");
    if (settle_memory(m, &memory, err) < 0 || file_read(AT_FDCWD, instance, 64, &uuid, err) < 0 ||
        open_console(m, err) < 0 || net_tap_add(m->node->address, m->partitioned, err) < 0)
        return error_context(err, "%s", m->node->name);
    uuid.data[strcspn(uuid.data, "\n")] = '\0';
    args.uuid = uuid.data;
    args.memory = memory;
    struct texts argv AUTO_TEXTS = {0};
    qemu_arguments(&args, &argv);
    const char **list AUTO_FREE = heap_array(argv.count + 1, sizeof *list);
    memcpy(list, argv.items, argv.count * sizeof *list);
    forget(m);
    if (child_spawn(list, folder, "qemu.log", &m->pid, err) < 0) {
        net_tap_remove(m->node->address);
        m->pid = 0;
        return error_context(err, "%s", m->node->name);
    }
    m->started = time(NULL);
    return 0;
}

int machine_stop(struct machine *m, double seconds, struct error *err)
{
    char *socket AUTO_FREE = file_of(m->node, "qmp");
    if (m->stop_asked)
        return 0;
    if (qemu_power_button(socket, err) < 0)
        return error_context(err, "%s", m->node->name);
    m->stop_asked = true;
    m->stop_until = link_now() + seconds;
    return 0;
}

void machine_kill(struct machine *m)
{
    if (!m->pid)
        return;
    m->kill_asked = true;
    kill(m->pid, SIGKILL);
}

void machine_ended(struct machine *m, int wait_status)
{
    char *folder AUTO_FREE = folder_of(m->node);
    machine_listen(m);
    cleanup_close(&m->console_fd);
    net_tap_remove(m->node->address);
    m->pid = 0;
    m->end_why[0] = '\0';
    if (m->kill_asked) {
        m->ended = m->stop_asked ? MACHINE_STOPPED : MACHINE_KILLED;
        if (m->stop_asked)
            snprintf(m->end_why, sizeof m->end_why, "did not power off in time, and was killed");
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        m->ended = MACHINE_STOPPED;
        if (!m->stop_asked)
            snprintf(m->end_why, sizeof m->end_why, "powered itself off");
    } else {
        m->ended = MACHINE_FAILED;
        child_last_words(folder, "qemu.log", m->end_why, sizeof m->end_why);
        if (!*m->end_why)
            snprintf(m->end_why, sizeof m->end_why, "QEMU ended with status %d",
                     WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status));
    }
    m->stop_asked = m->kill_asked = false;
}
