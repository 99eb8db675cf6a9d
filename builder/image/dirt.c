#include "builder/image/dirt.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

/* No two patterns of a kind may find the same file. Not here: seeds and scripts of cloud-init,
 * which somebody may have put into the base on purpose; profiles and caches of AppArmor, which
 * belong to the base's packages. */
#define MACHINE_ID "????????????????????????????????"

const struct dirt_kind dirt_kinds[] = {
    {"sshHostKeys", "SSH host keys", false, {{"/etc/ssh/ssh_host_*", false}}},
    {"randomSeed",
     "random seed",
     false,
     {{"/var/lib/systemd/random-seed", false},
      {"/var/lib/systemd/credential.secret", false},
      {"/var/lib/urandom/random-seed", false}}},
    {"machineIdentity",
     "machine identity",
     false,
     {{"/var/lib/dbus/machine-id", false},
      {"/var/lib/NetworkManager/secret_key", false},
      {"/var/lib/dhcpcd/duid", false},
      {"/var/lib/dhcpcd/secret", false},
      {"/etc/dhcpcd.duid", false},
      {"/etc/dhcpcd.secret", false}}},
    {"dhcpLeases",
     "DHCP leases",
     false,
     {{"/var/lib/dhcp/*lease*", false},
      {"/var/lib/dhclient/*lease*", false},
      {"/var/lib/dhcpcd/*lease*", false},
      {"/var/lib/NetworkManager/*lease*", false},
      {"/var/lib/systemd/network/**", false}}},
    {"cloudInit",
     "cloud-init state",
     false,
     {{"/var/lib/cloud/instance", true},
      {"/var/lib/cloud/instances/**", true},
      {"/var/lib/cloud/data/**", true},
      {"/var/lib/cloud/sem/**", true}}},
    {"logs", "logs", false, {{"/var/log/journal/" MACHINE_ID "*", true}, {"/var/log/**", false}}},
    {"packageCaches",
     "package caches",
     false,
     {{"/var/cache/apt/archives/*.deb", false},
      {"/var/cache/apt/archives/partial/**", false},
      {"/var/cache/apt/*.bin", false},
      {"/var/lib/apt/lists/**", false},
      {"/var/cache/dnf/**", false},
      {"/var/cache/yum/**", false}}},
    {"temporaryFiles", "temporary files", false, {{"/tmp/**", true}, {"/var/tmp/**", true}}},
    {"crashDumps",
     "crash dumps",
     false,
     {{"/var/crash/**", false}, {"/var/lib/systemd/coredump/**", false}}},
    {"shellHistories",
     "shell histories",
     false,
     {{"/root/.*_history", false},
      {"/home/*/.*_history", false},
      {"/root/.lesshst", false},
      {"/home/*/.lesshst", false},
      {"/root/.viminfo", false},
      {"/home/*/.viminfo", false}}},
    {"authorizedKeys",
     "authorized keys",
     true,
     {{"/root/.ssh/authorized_keys*", false}, {"/home/*/.ssh/authorized_keys*", false}}},
};
const size_t dirt_kind_count = ARRAY_LEN(dirt_kinds);

bool dirt_counts(const char *path, const struct disk_item *item)
{
    return S_ISREG(item->mode) && item->size > 0 && strcmp(strrchr(path, '/'), "/lock") != 0;
}

static bool matches(const char *pattern, const char *path)
{
    size_t len = strlen(pattern), stem = len - strlen("**");
    if (strcmp(pattern + stem, "**") == 0)
        return strncmp(path, pattern, stem) == 0 && path[stem];
    return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

const struct dirt_kind *dirt_kind_of(const char *path)
{
    for (size_t i = 0; i < dirt_kind_count; i++)
        for (size_t p = 0; p < DIRT_PATTERNS_MAX && dirt_kinds[i].patterns[p].text; p++)
            if (matches(dirt_kinds[i].patterns[p].text, path))
                return &dirt_kinds[i];
    return NULL;
}
