#include "builder/build/record.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/fingerprint.h"
#include "builder/heap.h"
#include "common/file.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 8 << 20 };

/* {"version": 1, "files": {NAME: {"fingerprint", "image", "role", "quick", "frame", "content",
 * "below": "" or what an overlay lies on}}} */
struct record {
    json_t *root;
};

static json_t *empty_root(void)
{
    return json_pack("{s:i, s:{}}", "version", RECORD_VERSION, "files");
}

struct record *record_load(int dirfd)
{
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct record *record = heap_array(1, sizeof *record);
    if (file_read(dirfd, RECORD_NAME, RECORD_MAX, &text, &ignored) == 0)
        record->root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_integer_value(json_object_get(record->root, "version")) != RECORD_VERSION ||
        !json_is_object(json_object_get(record->root, "files"))) {
        json_decref(record->root);
        record->root = empty_root();
    }
    return record;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const json_t *file_of(const struct record *record, const struct product *product)
{
    return json_object_get(json_object_get(record->root, "files"), last_part(product->output.path));
}

static bool is_same_file(int dirfd, const char *file, const json_t *noted)
{
    char now[FINGERPRINT_MAX] = "";
    struct buffer text = BUFFER_FIXED(now);
    struct stat st;
    if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return false;
    fingerprint_add(&text, &st);
    return strcmp(now, text_of(noted, "fingerprint")) == 0;
}

static const char *const keys[] = {"quick", "frame", "content"};

bool record_holds(const struct record *record, int dirfd, const struct image *image,
                  enum record_key key, const char *value)
{
    for (size_t i = 0; i < image->product_count; i++) {
        const struct product *product = &image->products[i];
        const json_t *noted = file_of(record, product);
        if (strcmp(text_of(noted, keys[key]), value) != 0 ||
            (*text_of(noted, "below") != '\0') != product->overlay ||
            !is_same_file(dirfd, last_part(product->output.path), noted))
            return false;
    }
    return image->product_count > 0;
}

bool record_lies_on(const struct record *record, const struct image *image, const char *content)
{
    for (size_t i = 0; i < image->product_count; i++)
        if (image->products[i].overlay &&
            strcmp(text_of(file_of(record, &image->products[i]), "below"), content) != 0)
            return false;
    return true;
}

const char *record_content(const struct record *record, const struct image *image)
{
    return image->product_count ? text_of(file_of(record, &image->products[0]), "content") : "";
}

static bool listed(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

const char *record_dependent(const struct record *record, int dirfd, const char *role,
                             const char *const *names)
{
    const char *file;
    json_t *noted;
    json_object_foreach(json_object_get(record->root, "files"), file, noted)
    {
        if (*text_of(noted, "below") && strcmp(text_of(noted, "role"), role) == 0 &&
            !listed(text_of(noted, "image"), names) && is_same_file(dirfd, file, noted))
            return file;
    }
    return NULL;
}

static int note_file(const struct record *record, int dirfd, const struct image *image,
                     const struct product *product, const char *below, struct error *err)
{
    const char *file = last_part(product->output.path);
    char told[FINGERPRINT_MAX] = "";
    struct buffer text = BUFFER_FIXED(told);
    struct stat st;
    if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "%s", product->output.path);
    fingerprint_add(&text, &st);
    json_t *noted =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "fingerprint", told, "image", image->name,
                  "role", image->target->role->name, "quick", image->quick, "frame", image->frame,
                  "content", image->content, "below", product->overlay ? below : "");
    if (!noted || json_object_set_new(json_object_get(record->root, "files"), file, noted) < 0)
        return error_set(err, "%s: cannot be recorded", product->output.path);
    return 0;
}

int record_note(struct record *record, int dirfd, const struct image *image, const char *below,
                struct error *err)
{
    for (size_t i = 0; i < image->product_count; i++)
        if (note_file(record, dirfd, image, &image->products[i], below, err) < 0)
            return -1;
    char *text AUTO_FREE = json_dumps(record->root, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (!text)
        return error_set(err, "out of memory");
    return file_publish(dirfd, RECORD_NAME, text, strlen(text), 0600, err);
}

void record_free(struct record *record)
{
    if (!record)
        return;
    json_decref(record->root);
    free(record);
}
