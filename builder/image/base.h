/* What has to be known of the base system before anything is written to it. */
#ifndef NB_BUILDER_BASE_H
#define NB_BUILDER_BASE_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/disk.h"
#include "builder/image/initrd.h"
#include "builder/texts.h"
#include "common/attributes.h"
#include "common/error.h"

/* An initrd, and the kernel version that it belongs to. */
struct base_initrd {
    char *path; /* /boot/initrd.img-6.1.0-18-cloud-amd64 */
    char *kernel;
    struct initrd content; /* when `scanned` */
    bool scanned;
};

/* What configures the base's network. */
enum base_network {
    NETWORK_UNKNOWN,
    NETWORK_NETWORKD,
    NETWORK_NETPLAN,
    NETWORK_IFUPDOWN,
    NETWORK_MANAGER
};

/* A file of the base that nodebake may have to edit, or that tells something; see base-files.c. */
struct base_file {
    char *path;
    char *text; /* ends with a NUL that is not part of it */
    size_t len;
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
};

/* A symbolic link of the base; see base-units.c. */
struct base_link {
    char *path, *target;
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
    enum base_network network;
    bool cloud_init; /* installed, and not switched off */
    struct base_file *files;
    size_t file_count, file_cap;
    struct texts cloud_network; /* what cloud-init wrote for the manager, earlier; paths */
    struct texts paths;         /* of those that base-files.c asks for: what is there; sorted */
    struct texts units;         /* paths of unit files; of two with one name, the one that counts */
    struct base_link *links;
    size_t link_count, link_cap;
    struct texts dirt; /* what a running system leaves and no image may hold; sorted */
};

/* Reads the system. Refuses one that is a nodebake image already, that loads a policy of SELinux,
 * that lacks systemd, dpkg's database or an initrd of initramfs-tools beside its kernel, and any
 * machine but x86_64. */
int base_read(const struct disk_writer *writer, struct disk *disk, struct base **out,
              struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Reads what is in the initrds, unless that is known; it takes a while. */
int base_scan_initrds(const struct disk_writer *writer, struct disk *disk, struct base *base,
                      struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The file at the path, when base-files.c asks for it and it is there; or NULL. */
const struct base_file *base_file(const struct base *base, const char *path) NONNULL(1, 2);

/* Is the path there? Only for those that base-files.c asks for or lists. */
bool base_has(const struct base *base, const char *path) NONNULL(1, 2);

/* The path of the file of the unit with that name, or NULL. An instance has its template's file. */
const char *base_unit(const struct base *base, const char *name) NONNULL(1, 2);

/* Is the unit switched on by a link, and not masked? */
bool base_unit_enabled(const struct base *base, const char *name) NONNULL(1, 2);

/* Is the unit a link to /dev/null? */
bool base_unit_masked(const struct base *base, const char *name) NONNULL(1, 2);

/* The target of the link at the path, when base-units.c reads it; or NULL. */
const char *base_link(const struct base *base, const char *path) NONNULL(1, 2);

/* Refuses a base that lacks packages; the error lists all that are missing. */
int base_require_packages(const struct base *base, const char *const *packages, size_t n,
                          struct error *err) NONNULL(1, 4) MUST_CHECK;

/* Frees it; NULL is allowed. */
void base_free(struct base *base);
void base_free_at(struct base **base);
#define AUTO_BASE __attribute__((cleanup(base_free_at)))

#endif
