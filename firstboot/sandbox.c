#include "firstboot/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif /* on any other, find its name first */

/* Newer than some headers. */
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

enum { DESCRIPTORS_MAX = 1024 };

/* A system call that exists on one machine only has its number there. What libc makes of one: poll
 * is ppoll on aarch64, a sleep is clock_nanosleep or nanosleep. */
static const uint32_t allowed[] = {
    SYS_connect,       SYS_bind,
    SYS_sendto,        SYS_sendmsg,
    SYS_recvfrom,      SYS_recvmsg,
    SYS_setsockopt,    SYS_getsockopt,
    SYS_getsockname,   SYS_shutdown,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,         SYS_read,
    SYS_write,         SYS_close,
    SYS_clock_gettime, SYS_clock_nanosleep,
    SYS_nanosleep,     SYS_restart_syscall,
    SYS_getrandom,     SYS_rt_sigreturn,
    SYS_exit,          SYS_exit_group,
};

static const uint32_t families[] = {AF_INET, AF_PACKET};

enum {
    BEFORE = 4,   /* instructions: architecture, and the number */
    FAMILY = 2,   /* is it socket, and its first argument */
    PROTOCOL = 3, /* is it netlink, and its third argument */
    LENGTH = BEFORE + ARRAY_LEN(allowed) + FAMILY + ARRAY_LEN(families) + PROTOCOL + 2
};

#define LOAD(field)                                                                                \
    (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action)       (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
#define IF_EQUAL(k, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)

/* The last two instructions are KILL and ALLOW; jumps count from the next instruction.
 *
 *     arch? number in `allowed`? -> ALLOW; is it socket? family in `families`? -> ALLOW;
 *     rtnetlink? -> ALLOW; KILL
 *
 * The low half of the first argument lies first on both (little-endian) machines. */
static void write_filter(struct sock_filter out[static LENGTH])
{
    const unsigned kill = LENGTH - 2, allow = LENGTH - 1;
    unsigned n = 0;
    out[n++] = LOAD(arch);
    out[n++] = IF_EQUAL(THIS_ARCH, 1, 0);
    out[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    out[n++] = LOAD(nr);
    for (unsigned i = 0; i < ARRAY_LEN(allowed); i++, n++)
        out[n] = IF_EQUAL(allowed[i], (uint8_t)(allow - n - 1), 0);
    out[n] = IF_EQUAL(SYS_socket, 0, (uint8_t)(kill - n - 1));
    n++;
    out[n++] = LOAD(args[0]);
    for (unsigned i = 0; i < ARRAY_LEN(families); i++, n++)
        out[n] = IF_EQUAL(families[i], (uint8_t)(allow - n - 1), 0);
    out[n] = IF_EQUAL(AF_NETLINK, 0, (uint8_t)(kill - n - 1));
    n++;
    out[n++] = LOAD(args[2]);
    out[n] = IF_EQUAL(NETLINK_ROUTE, (uint8_t)(allow - n - 1), 0);
    out[kill] = RETURN(SECCOMP_RET_KILL_PROCESS);
    out[allow] = RETURN(SECCOMP_RET_ALLOW);
}

int sandbox_enter(struct error *err)
{
    struct sock_filter filter[LENGTH];
    struct sock_fprog program = {.len = LENGTH, .filter = filter};
    write_filter(filter);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return error_errno(err, "install a seccomp filter");
    return 0;
}

void sandbox_close_all_but(int keep)
{
#ifdef SYS_close_range
    if ((keep == 0 || syscall(SYS_close_range, 0, keep - 1, 0) == 0) &&
        syscall(SYS_close_range, keep + 1, ~0U, 0) == 0)
        return;
#endif
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) /* Linux before 5.9 */
        if (fd != keep)
            close(fd);
}
