#include "builder/pki/convert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/pki/folder.h"
#include "builder/pki/seal.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { LOCK_SECONDS = 30 };

/* One secret, and how it lies there. */
struct secret {
    char *name; /* of the plain file */
    char *file; /* of the encrypted one */
    enum seal_kind kind;
    bool plain, sealed; /* both: a conversion was cut */
    struct buffer plain_bytes, sealed_bytes, wanted;
    bool write; /* `wanted` is to be written */
};

struct secrets {
    struct secret *items;
    size_t count, cap;
};

static void secrets_free(struct secrets *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].file);
        buffer_free(&list->items[i].plain_bytes);
        buffer_free(&list->items[i].sealed_bytes);
        buffer_free(&list->items[i].wanted);
    }
    free(list->items);
}
#define AUTO_SECRETS __attribute__((cleanup(secrets_free)))

static void add(struct secrets *list, const char *name, enum seal_kind kind)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return;
    *APPEND(list->items, list->count, list->cap) =
        (struct secret){.name = heap_copy(name),
                        .file = heap_printf("%s%s", name, kind == SEAL_TEXT ? SEAL_SUFFIX : ""),
                        .kind = kind,
                        .plain_bytes = buffer_heap(),
                        .sealed_bytes = buffer_heap(),
                        .wanted = buffer_heap()};
}

static void add_if_secret(struct secrets *list, const char *file)
{
    size_t n = strlen(file), m = strlen(SEAL_SUFFIX);
    bool suffix = n > m && strcmp(file + n - m, SEAL_SUFFIX) == 0;
    char *name AUTO_FREE = heap_printf("%.*s", (int)(suffix ? n - m : n), file);
    enum seal_kind kind = seal_kind_of(name);
    if (kind == SEAL_TEXT || (kind == SEAL_KEY && !suffix))
        add(list, name, kind);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct secret *)a)->name, ((const struct secret *)b)->name);
}

static int list_secrets(int folder, struct secrets *list, struct error *err)
{
    int copy AUTO_CLOSE = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir)
        return error_errno(err, "list the folder");
    (void)steal_fd(&copy); /* closedir closes it */
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        add_if_secret(list, e->d_name);
    closedir(dir);
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_name);
    return 0;
}

static int load(int folder, struct secret *s, struct error *err)
{
    if (folder_read_as_is(folder, s->name, true, &s->plain_bytes, &s->plain, err) < 0)
        return -1;
    if (s->kind == SEAL_TEXT)
        return folder_read_as_is(folder, s->file, true, &s->sealed_bytes, &s->sealed, err);
    if (s->plain && seal_is_encrypted(&s->plain_bytes)) {
        struct buffer none = s->sealed_bytes;
        s->sealed_bytes = s->plain_bytes;
        s->plain_bytes = none;
        s->plain = false;
        s->sealed = true;
    }
    return 0;
}

static int seal(enum passphrase which, const struct secret *s, const struct buffer *bytes,
                struct buffer *out, struct error *err)
{
    return s->kind == SEAL_KEY ? seal_key(which, bytes, out, err)
                               : seal_text(which, bytes, out, err);
}

static int unseal(enum passphrase which, const struct secret *s, struct buffer *out,
                  struct error *err)
{
    return s->kind == SEAL_KEY ? unseal_key(which, &s->sealed_bytes, out, err)
                               : unseal_text(which, &s->sealed_bytes, out, err);
}

/* ---- the check ---- */

static int check_passphrase(const struct secrets *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct secret *s = &list->items[i];
        struct buffer text AUTO_BUFFER = buffer_heap();
        if (s->sealed && unseal(PASSPHRASE_NOW, s, &text, err) < 0)
            return error_context(err, "%s", s->file);
    }
    return 0;
}

int sealing_check(int folder, struct error *err)
{
    struct secrets list AUTO_SECRETS = {0};
    const char *plain = NULL, *sealed = NULL;
    bool given = passphrase_given(PASSPHRASE_NOW);
    if (list_secrets(folder, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        struct secret *s = &list.items[i];
        struct error ignored = ERROR_INIT;
        if (load(folder, s, &ignored) < 0)
            continue;
        plain = s->plain ? s->name : plain;
        sealed = s->sealed ? s->file : sealed;
    }
    if (sealed && !given)
        return error_set(err, "%s is encrypted: give --passphrase-file or --passphrase-fd", sealed);
    if (sealed && plain)
        return error_set(err,
                         "%s is encrypted and %s is not: `nodebake pki --encrypt`, or --decrypt, "
                         "completes it",
                         sealed, plain);
    if (plain && given)
        return error_set(err,
                         "%s is not encrypted: `nodebake pki --encrypt` does that, or go on "
                         "without a passphrase",
                         plain);
    return check_passphrase(&list, err);
}

/* ---- the conversion ---- */

/* A text that lies there in both forms was being converted, and must be the same. */
static int check_both(const struct secret *s, const struct buffer *opened, struct error *err)
{
    if (!s->plain || (s->plain_bytes.len == opened->len &&
                      memcmp(s->plain_bytes.data, opened->data, opened->len) == 0))
        return 0;
    return error_set(err, "%s and %s differ: remove the one that is wrong", s->name, s->file);
}

static int plan_encrypt(struct secret *s, struct error *err)
{
    struct buffer opened AUTO_BUFFER = buffer_heap();
    if (s->sealed)
        return unseal(PASSPHRASE_NOW, s, &opened, err) < 0 ? -1 : check_both(s, &opened, err);
    s->write = true;
    return seal(PASSPHRASE_NOW, s, &s->plain_bytes, &s->wanted, err);
}

static int plan_decrypt(struct secret *s, struct error *err)
{
    if (!s->sealed)
        return 0;
    if (unseal(PASSPHRASE_NOW, s, &s->wanted, err) < 0 || check_both(s, &s->wanted, err) < 0)
        return -1;
    s->write = !s->plain;
    return 0;
}

static int plan_change(struct secret *s, struct error *err)
{
    struct buffer opened AUTO_BUFFER = buffer_heap();
    struct error ignored = ERROR_INIT;
    if (s->plain)
        return error_set(err, "it is not encrypted: `nodebake pki --encrypt` does that");
    if (unseal(PASSPHRASE_NEXT, s, &opened, &ignored) == 0)
        return 0;
    buffer_clear(&opened);
    s->write = true;
    return unseal(PASSPHRASE_NOW, s, &opened, err) < 0
               ? -1
               : seal(PASSPHRASE_NEXT, s, &opened, &s->wanted, err);
}

static int plan_all(int folder, struct secrets *list, enum conversion how, struct error *err)
{
    static int (*const planners[])(struct secret *,
                                   struct error *) = {[CONVERT_ENCRYPT] = plan_encrypt,
                                                      [CONVERT_DECRYPT] = plan_decrypt,
                                                      [CONVERT_CHANGE] = plan_change};
    if (list_secrets(folder, list, err) < 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        struct secret *s = &list->items[i];
        if (load(folder, s, err) < 0)
            return -1;
        if ((s->plain || s->sealed) && planners[how](s, err) < 0)
            return error_context(err, "%s", s->sealed ? s->file : s->name);
    }
    return 0;
}

static int remove_file(int folder, const char *name, struct error *err)
{
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", name);
    return file_sync_dir(folder, ".", err);
}

/* What a text was before goes only once what it is now is on the disk. */
static int convert_one(int folder, const struct secret *s, enum conversion how, struct error *err)
{
    bool to_plain = how == CONVERT_DECRYPT;
    bool old = how != CONVERT_CHANGE && s->kind == SEAL_TEXT && (to_plain ? s->sealed : s->plain);
    if (s->write &&
        folder_write_as_is(folder, to_plain ? s->name : s->file, true, &s->wanted, err) < 0)
        return -1;
    return old ? remove_file(folder, to_plain ? s->file : s->name, err) : 0;
}

static bool has_work(const struct secret *s)
{
    return s->write || (s->plain && s->sealed);
}

static int convert_in(int folder, enum conversion how, bool dry_run, unsigned *count,
                      struct error *err)
{
    struct secrets list AUTO_SECRETS = {0};
    if ((!dry_run && folder_clean(folder, err) < 0) || plan_all(folder, &list, how, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        if (!has_work(&list.items[i]))
            continue;
        if (!dry_run && convert_one(folder, &list.items[i], how, err) < 0)
            return -1;
        ++*count;
    }
    return 0;
}

int pki_convert(const char *dir, enum conversion how, bool dry_run, unsigned *count,
                struct error *err)
{
    int folder AUTO_CLOSE = -1, lock AUTO_CLOSE = -1;
    *count = 0;
    if (folder_open(dir, false, &folder, err) < 0)
        return error_context(err, "pki folder");
    if (folder >= 0 && !dry_run && lock_take(folder, ".lock", LOCK_SECONDS, &lock, err) < 0)
        return error_context(err, "pki folder %s", dir);
    if (folder >= 0 && convert_in(folder, how, dry_run, count, err) < 0)
        return error_context(err, "pki folder %s", dir);
    if (how == CONVERT_DECRYPT)
        passphrase_forget();
    if (how == CONVERT_CHANGE)
        passphrase_advance();
    return 0;
}
