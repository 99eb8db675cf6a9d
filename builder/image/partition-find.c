#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/partition.h"

enum { WANTED_MAX = 256 };

/* What follows the prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

static bool one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* The value of TAG=value, which may stand in quotes. */
static void take_tag(const char *value, char wanted[WANTED_MAX])
{
    size_t n = strlen(value);
    bool quoted = n >= 2 && one_of(*value, "\"'") && value[n - 1] == *value;
    snprintf(wanted, WANTED_MAX, "%.*s", (int)(n - (quoted ? 2 : 0)), value + (quoted ? 1 : 0));
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        return -1;
    return at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* A name in /dev/disk, where udev writes odd bytes as \x20. */
static void take_link(const char *link, char wanted[WANTED_MAX])
{
    size_t n = 0;
    while (*link && n < WANTED_MAX - 1) {
        if (after(link, "\\x") && hex(link[2]) >= 0 && hex(link[3]) >= 0) {
            wanted[n++] = (char)(hex(link[2]) * 16 + hex(link[3]));
            link += 4;
        } else {
            wanted[n++] = *link++;
        }
    }
    wanted[n] = '\0';
}

/* A name of the first disk, or of a partition on it: /dev/sda1, /dev/nvme0n1p15. */
static bool names_number(const char *device, unsigned number)
{
    static const struct {
        const char *disk, *between;
    } kinds[] = {{"/dev/sda", ""}, {"/dev/vda", ""},      {"/dev/xvda", ""},
                 {"/dev/hda", ""}, {"/dev/nvme0n1", "p"}, {"/dev/mmcblk0", "p"}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char name[64];
        if (number)
            snprintf(name, sizeof name, "%s%s%u", kinds[i].disk, kinds[i].between, number);
        else
            snprintf(name, sizeof name, "%s", kinds[i].disk);
        if (strcmp(device, name) == 0)
            return true;
    }
    return false;
}

static bool matches(const struct partition *p, const char *spec)
{
    const struct {
        const char *tag, *link, *value;
        bool any_case;
    } names[] = {{"UUID=", "/dev/disk/by-uuid/", p->fs_uuid, true},
                 {"LABEL=", "/dev/disk/by-label/", p->fs_label, false},
                 {"PARTUUID=", "/dev/disk/by-partuuid/", p->uuid, true},
                 {"PARTLABEL=", "/dev/disk/by-partlabel/", p->name, false}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char wanted[WANTED_MAX] = "";
        const char *tag = after(spec, names[i].tag), *link = after(spec, names[i].link);
        if (tag)
            take_tag(tag, wanted);
        else if (link)
            take_link(link, wanted);
        else
            continue;
        return *wanted && (names[i].any_case ? strcasecmp(wanted, names[i].value)
                                             : strcmp(wanted, names[i].value)) == 0;
    }
    return names_number(spec, p->number);
}

const struct partition *partitions_find(const struct partitions *all, const char *spec)
{
    const struct partition *found = NULL;
    for (size_t i = 0; i < all->count; i++) {
        if (!matches(&all->items[i], spec))
            continue;
        if (found)
            return NULL;
        found = &all->items[i];
    }
    return found;
}
