#include "builder/lab/qemu.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/lab/link.h"
#include "builder/lab/net.h"
#include "common/cleanup.h"

enum { CPUS = 2, CROWDED = 2, MONITOR_LINE_MAX = 65536 };
static const double MONITOR_SECONDS = 3;

/* Linux trusts the TSC of several emulated CPUs only when they say Intel; otherwise each look at
 * the clock is a trap into the HPET, and Go looks often. This model, an Atom, does not speculate,
 * so the kernel works around nothing. */
static const char EMULATED_CPU[] = "max,vendor=GenuineIntel,family=6,model=28,stepping=10";

static void add(struct texts *out, const char *option, char *value)
{
    texts_add(out, option);
    texts_add(out, value);
    free(value);
}

static void add_devices(const struct qemu_args *a, struct texts *out)
{
    char mac[NET_MAC_MAX], tap[NET_TAP_MAX];
    net_mac(a->node->address, mac);
    net_tap(a->node->address, tap);
    add(out, "-drive",
        heap_copy("if=none,id=disk,file=disk.qcow2,format=qcow2,cache=unsafe,discard=unmap"));
    add(out, "-device", heap_copy("virtio-blk-pci,drive=disk"));
    add(out, "-device", heap_copy("virtio-rng-pci"));
    add(out, "-netdev", heap_printf("tap,id=net,ifname=%s,script=no,downscript=no", tap));
    add(out, "-device", heap_printf("virtio-net-pci,netdev=net,mac=%s,romfile=", mac));
    add(out, "-chardev",
        heap_copy("socket,id=console,path=console,server=on,wait=off,logfile=console.log,"
                  "logappend=on"));
    add(out, "-serial", heap_copy("chardev:console"));
    add(out, "-device", heap_copy("virtio-serial-pci"));
    add(out, "-chardev", heap_copy("socket,id=agent,path=agent,server=on,wait=off"));
    add(out, "-device", heap_copy("virtserialport,chardev=agent,name=org.qemu.guest_agent.0"));
    add(out, "-qmp", heap_copy("unix:qmp,server=on,wait=off"));
}

/* What firstboot takes the machine for. On Nitro the board's asset tag is the instance's id. */
static void add_firmware(const struct qemu_args *a, struct texts *out)
{
    if (!a->aws) {
        add(out, "-smbios",
            heap_printf("type=1,manufacturer=Google,product=Google Compute Engine,uuid=%s",
                        a->uuid));
        return;
    }
    char digits[18] = "";
    struct buffer id = BUFFER_FIXED(digits);
    for (const char *p = a->uuid; *p && id.len < sizeof digits - 1; p++)
        if (*p != '-')
            buffer_add(&id, p, 1);
    add(out, "-smbios", heap_copy("type=0,vendor=Amazon EC2"));
    add(out, "-smbios",
        heap_printf("type=1,manufacturer=Amazon EC2,product=m5.large,uuid=%s", a->uuid));
    add(out, "-smbios", heap_printf("type=2,manufacturer=Amazon EC2,asset=i-%s", digits));
}

unsigned qemu_cpus(bool kvm, size_t machines, long host)
{
    return !kvm && host > 0 && machines > CROWDED * (size_t)host ? 1 : CPUS;
}

void qemu_arguments(const struct qemu_args *a, struct texts *out)
{
    texts_add(out, "qemu-system-x86_64");
    add(out, "-name", heap_copy(a->node->name));
    add(out, "-machine", heap_copy("q35"));
    add(out, "-accel", heap_copy(a->kvm ? "kvm" : "tcg,thread=multi"));
    add(out, "-cpu", heap_copy(a->kvm ? "max" : EMULATED_CPU));
    add(out, "-smp", heap_printf("%u", a->cpus));
    add(out, "-m", heap_printf("%u", a->memory));
    texts_add(out, "-nodefaults");
    texts_add(out, "-no-user-config");
    add(out, "-display", heap_copy("none"));
    add_firmware(a, out);
    add_devices(a, out);
}

/* The monitor greets, and answers each command with a line; events may stand between. */
static int await(int fd, double until, const char *key, struct error *err)
{
    for (;;) {
        struct buffer line AUTO_BUFFER = buffer_heap();
        if (link_read_line(fd, until, MONITOR_LINE_MAX, &line, err) < 0)
            return -1;
        if (strstr(line.data, key))
            return 0;
        if (strstr(line.data, "\"error\""))
            return error_set(err, "%.200s", line.data);
    }
}

static int command(int fd, double until, const char *text, struct error *err)
{
    if (link_write(fd, until, text, strlen(text), err) < 0)
        return -1;
    return await(fd, until, "\"return\"", err);
}

int qemu_power_button(const char *socket, struct error *err)
{
    double until = link_now() + MONITOR_SECONDS;
    int fd AUTO_CLOSE = -1;
    if (link_connect(AT_FDCWD, socket, until, &fd, err) < 0 ||
        await(fd, until, "\"QMP\"", err) < 0 ||
        command(fd, until, "{\"execute\": \"qmp_capabilities\"}\n", err) < 0 ||
        command(fd, until, "{\"execute\": \"system_powerdown\"}\n", err) < 0)
        return error_context(err, "QEMU's monitor");
    return 0;
}
