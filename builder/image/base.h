/* What has to be known of the base system before anything is written to it. */
#ifndef NB_BUILDER_BASE_H
#define NB_BUILDER_BASE_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/disk.h"
#include "common/attributes.h"
#include "common/error.h"

/* An initrd, and the kernel version that it belongs to. */
struct base_initrd {
    char *path; /* /boot/initrd.img-6.1.0-18-cloud-amd64 */
    char *kernel;
};

struct base {
    char *os_id, *os_version; /* ID and VERSION_ID of os-release; the version may be "" */
    char *os_name;            /* for people: PRETTY_NAME */
    char *machine;            /* as uname says: "x86_64" */
    bool resolved;            /* systemd-resolved is enabled */
    struct base_initrd *initrds;
    size_t initrd_count; /* at least 1 */
    char *dpkg_status;   /* the package database */
    size_t dpkg_len;
};

/* Reads the system. Refuses one that is a nodebake image already, that lacks systemd, dpkg's
 * database or an initrd of initramfs-tools beside its kernel, and any machine but x86_64. */
int base_read(const struct disk_writer *writer, struct disk *disk, struct base **out,
              struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Refuses a base that lacks packages; the error lists all that are missing. */
int base_require_packages(const struct base *base, const char *const *packages, size_t n,
                          struct error *err) NONNULL(1, 4) MUST_CHECK;

/* Frees it; NULL is allowed. */
void base_free(struct base *base);
void base_free_at(struct base **base);
#define AUTO_BASE __attribute__((cleanup(base_free_at)))

#endif
