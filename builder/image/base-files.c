#include "builder/image/base-files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

enum { BASE_FILE_MAX = 1 << 20 };

/* Their content is read, sorted. */
static const char *const contents[] = {
    "/boot/grub/grub.cfg",
    "/etc/NetworkManager/NetworkManager.conf",
    "/etc/chrony/chrony.conf",
    "/etc/default/grub",
    "/etc/group",
    "/etc/gshadow",
    "/etc/iptables/rules.v4",
    "/etc/iptables/rules.v6",
    "/etc/kernel/cmdline",
    "/etc/nftables.conf",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/selinux/config",
    "/etc/shadow",
    "/etc/skel/.bashrc",
    "/etc/skel/.profile",
    "/etc/ssh/sshd_config",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/systemd/resolved.conf",
    "/etc/ufw/sysctl.conf",
    "/etc/ufw/ufw.conf",
    "/etc/ufw/user.rules",
};

/* It only matters whether they are there, sorted. */
static const char *const asked[] = {
    "/bin/bash",
    "/etc/NetworkManager/dispatcher.d/google_hostname.sh",
    "/etc/dhcp/dhclient-exit-hooks.d/google_hostname_hook",
    "/etc/dhcp/dhclient-exit-hooks.d/google_set_hostname",
    "/etc/dhcp/dhclient.d/google_hostname.sh",
    "/etc/selinux/config",
    "/etc/systemd/system/chrony.service",
    "/etc/systemd/system/multi-user.target.wants/chrony.service",
    "/etc/systemd/system/multi-user.target.wants/ntpsec.service",
    "/etc/systemd/system/ntpsec.service",
    "/etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service",
    "/etc/systemd/system/systemd-timesyncd.service",
    "/usr/bin/google_set_hostname",
    "/usr/bin/google_set_metadata_network",
    "/usr/bin/sudo",
    "/usr/lib/NetworkManager/dispatcher.d/google_hostname.sh",
    "/usr/lib/firewalld/policies",
    "/usr/lib/networkd-dispatcher/configured.d/google_hostname.sh",
    "/usr/lib/networkd-dispatcher/routable.d/google_hostname.sh",
    "/usr/sbin/NetworkManager",
    "/usr/sbin/dhclient",
    "/usr/sbin/dhcpcd",
    "/usr/sbin/sshd",
};

/* Files whose names sort behind `from` are read, too; sorted. */
static const struct {
    const char *folder, *from, *suffix;
} folders[] = {
    {"/etc/sysctl.d", "99-zz", ".conf"},
    {"/usr/lib/sysctl.d", "99-zz", ".conf"},
    {"/usr/local/lib/sysctl.d", "99-zz", ".conf"},
};

/* All names in these folders are noted, sorted. */
static const char *const listed[] = {
    "/etc/ssl/certs",
};

static int read_one(const struct disk_writer *writer, struct disk *disk, const char *path,
                    struct base *base, struct error *err)
{
    struct disk_item item AUTO_ITEM = {0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = writer->look(disk, path, &item, err);
    if (found < 0)
        return -1;
    if (!found || !S_ISREG(item.mode))
        return 0;
    if (writer->read(disk, path, BASE_FILE_MAX, &text, err) < 0)
        return -1;
    buffer_add(&text, "", 1);
    *APPEND(base->files, base->file_count, base->file_cap) =
        (struct base_file){.path = heap_copy(path),
                           .text = steal(text.data),
                           .len = text.len - 1,
                           .mode = item.mode & 07777,
                           .uid = item.uid,
                           .gid = item.gid};
    text = (struct buffer){0};
    return 0;
}

static int read_folder(const struct disk_writer *writer, struct disk *disk, size_t row,
                       struct base *base, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (writer->list(disk, folders[row].folder, &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        size_t len = strlen(name), n = strlen(folders[row].suffix);
        char *path AUTO_FREE = heap_printf("%s/%s", folders[row].folder, name);
        if (strcmp(name, folders[row].from) > 0 && len > n &&
            strcmp(name + len - n, folders[row].suffix) == 0 &&
            read_one(writer, disk, path, base, err) < 0)
            return -1;
    }
    return 0;
}

static int list_one(const struct disk_writer *writer, struct disk *disk, const char *folder,
                    struct base *base, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (writer->list(disk, folder, &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, name);
        texts_add(&base->paths, path);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int base_read_files(const struct disk_writer *writer, struct disk *disk, struct base *base,
                    struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(contents); i++)
        if (read_one(writer, disk, contents[i], base, err) < 0)
            return -1;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (read_folder(writer, disk, i, base, err) < 0)
            return -1;
    for (size_t i = 0; i < base->initrd_count; i++) {
        char *config AUTO_FREE = heap_printf("/boot/config-%s", base->initrds[i].kernel);
        if (read_one(writer, disk, config, base, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        int found = writer->exists(disk, asked[i], err);
        if (found < 0)
            return -1;
        if (found)
            texts_add(&base->paths, asked[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(listed); i++)
        if (list_one(writer, disk, listed[i], base, err) < 0)
            return -1;
    if (base->paths.count)
        qsort(base->paths.items, base->paths.count, sizeof *base->paths.items, compare);
    return 0;
}

const struct base_file *base_file(const struct base *base, const char *path)
{
    for (size_t i = 0; i < base->file_count; i++)
        if (strcmp(base->files[i].path, path) == 0)
            return &base->files[i];
    return NULL;
}

bool base_has(const struct base *base, const char *path)
{
    return texts_have(&base->paths, path);
}
