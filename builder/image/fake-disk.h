/* A disk in memory, for the tests of what is done through struct disk_writer. */
#ifndef NB_BUILDER_FAKE_DISK_H
#define NB_BUILDER_FAKE_DISK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/disk.h"
#include "builder/progress.h"
#include "builder/texts.h"

enum { FAKE_ITEMS_MAX = 64 };

struct fake_item {
    char *path, *bytes;
    size_t len;
    bool link; /* its bytes are the target */
};

struct disk {
    struct fake_item items[FAKE_ITEMS_MAX]; /* in the order in which they were made */
    size_t count;
    struct disk_space root, boot;
    struct buffer puts; /* a line a put: path, type, mode, mtime */
    const char *fails;  /* path that put cannot write, or NULL */
};

static struct fake_item *fake_find(struct disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->count; i++)
        if (strcmp(disk->items[i].path, path) == 0)
            return &disk->items[i];
    return NULL;
}

static void fake_set(struct disk *disk, const char *path, const char *bytes, size_t len)
{
    struct fake_item *item = fake_find(disk, path);
    if (!item) {
        item = &disk->items[disk->count++];
        item->path = heap_copy(path);
    }
    free(item->bytes);
    item->bytes = heap_array(len + 1, 1);
    if (len)
        memcpy(item->bytes, bytes, len);
    item->len = len;
}

static void fake_text(struct disk *disk, const char *path, const char *text)
{
    fake_set(disk, path, text, strlen(text));
}

static inline void fake_link(struct disk *disk, const char *path, const char *target)
{
    fake_text(disk, path, target);
    fake_find(disk, path)->link = true;
}

static inline void fake_remove(struct disk *disk, const char *path)
{
    struct fake_item *item = fake_find(disk, path);
    free(item->path);
    free(item->bytes);
    *item = disk->items[--disk->count];
    disk->items[disk->count] = (struct fake_item){0};
}

static int fake_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
                     struct error *err)
{
    struct fake_item *item = fake_find(disk, path);
    if (!item || item->len > max)
        return error_set(err, "read %s: %s", path, item ? "too large" : "not there");
    buffer_add(out, item->bytes, item->len);
    return 0;
}

static int fake_list(struct disk *disk, const char *path, struct buffer *out, struct error *err)
{
    struct texts names AUTO_TEXTS = {0};
    size_t n = strlen(path);
    (void)err;
    n = n == 1 ? 0 : n; /* "/" */
    for (size_t i = 0; i < disk->count; i++) {
        const char *item = disk->items[i].path;
        if (strncmp(item, path, n) != 0 || item[n] != '/')
            continue;
        char *name AUTO_FREE = heap_printf("%.*s", (int)strcspn(item + n + 1, "/"), item + n + 1);
        if (!texts_have(&names, name))
            texts_add(&names, name);
    }
    for (size_t i = 0; i < names.count; i++)
        buffer_add(out, names.items[i], strlen(names.items[i]) + 1);
    return 0;
}

static int fake_exists(struct disk *disk, const char *path, struct error *err)
{
    (void)err;
    size_t n = strlen(path);
    for (size_t i = 0; i < disk->count; i++)
        if (strncmp(disk->items[i].path, path, n) == 0 && disk->items[i].path[n] == '/')
            return 1;
    return fake_find(disk, path) != NULL;
}

/* A directory is there when something is in it. */
static int fake_look(struct disk *disk, const char *path, struct disk_item *out, struct error *err)
{
    const struct fake_item *item = fake_find(disk, path);
    bool there = fake_exists(disk, path, err);
    if (there)
        *out = (struct disk_item){.mode = !item        ? S_IFDIR | 0755
                                          : item->link ? S_IFLNK | 0777
                                                       : S_IFREG | 0644,
                                  .size = item ? item->len : 0,
                                  .target = item && item->link ? heap_copy(item->bytes) : NULL};
    return there;
}

static int fake_space(struct disk *disk, const char *dir, struct disk_space *space,
                      struct error *err)
{
    (void)err;
    *space = strcmp(dir, "/boot") == 0 ? disk->boot : disk->root;
    return 0;
}

static int fake_put(struct disk *disk, const struct entry *entry, time_t mtime,
                    struct progress *progress, struct error *err)
{
    if (disk->fails && strcmp(disk->fails, entry->path) == 0)
        return error_set(err, "write %s: no room", entry->path);
    buffer_printf(&disk->puts, "%s %c %o %d\n", entry->path, "dflhg"[entry->type], entry -> mode,
                  (int)mtime);
    if (entry->text)
        fake_set(disk, entry->path, entry->text, entry->len);
    progress_add(progress, entry->len);
    return 0;
}

static int fake_take(struct disk *disk, const char *path, time_t mtime, struct error *err)
{
    size_t n = strlen(path);
    (void)err;
    buffer_printf(&disk->puts, "%s g %d\n", path, (int)mtime);
    for (size_t i = disk->count; i-- > 0;) {
        const char *item = disk->items[i].path;
        if (strncmp(item, path, n) == 0 && (!item[n] || item[n] == '/'))
            fake_remove(disk, item);
    }
    return 0;
}

static const struct disk_writer fake_writer = {.name = "fake",
                                               .read = fake_read,
                                               .look = fake_look,
                                               .list = fake_list,
                                               .exists = fake_exists,
                                               .space = fake_space,
                                               .put = fake_put,
                                               .remove = fake_take};

static void fake_free_at(struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        free(disk->items[i].path);
        free(disk->items[i].bytes);
    }
    buffer_free(&disk->puts);
}
#define AUTO_FAKE __attribute__((cleanup(fake_free_at)))

/* An empty disk with much room. */
static struct disk fake_disk(void)
{
    struct disk_space plenty = {.bytes = 1ULL << 40, .inodes = 1 << 20, .id = 1};
    return (struct disk){.root = plenty, .boot = plenty, .puts = buffer_heap()};
}

/* A Debian of which base_read finds nothing to say. */
static inline struct disk fake_debian(void)
{
    struct disk disk = fake_disk();
    fake_text(&disk, "/etc/os-release",
              "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n");
    fake_text(&disk, "/usr/lib/systemd/systemd", "ELF");
    fake_text(&disk, "/var/lib/dpkg/status",
              "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\n\n"
              "Package: socat\nStatus: install ok installed\nArchitecture: amd64\n");
    fake_text(&disk, "/boot/vmlinuz-6.1.0-1-amd64", "MZ");
    fake_text(&disk, "/boot/initrd.img-6.1.0-1-amd64", "");
    return disk;
}

#endif
