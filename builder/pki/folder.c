#include "builder/pki/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/pki/seal.h"
#include "builder/pki/x509.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { SEALED_MAX = 2 * PEM_MAX }; /* base64 takes a third more */

/* What nobody but the owner may do, and the mode that sees to it. */
struct rule {
    mode_t refused, right;
    const char *deed;
};
static const struct rule rule_folder = {077, 0700, "enter"};
static const struct rule rule_secret = {077, 0600, "read or write"};
static const struct rule rule_public = {022, 0644, "write"};

static int check_access(const char *name, const struct stat *st, const struct rule *rule,
                        struct error *err)
{
    if (st->st_uid != geteuid())
        return error_set(err,
                         "%s belongs to uid %u, not to you (uid %u): work as that user, or give "
                         "it to this one",
                         name, (unsigned)st->st_uid, (unsigned)geteuid());
    if (st->st_mode & rule->refused)
        return error_set(err, "%s has mode %04o, so that others can %s it: chmod %04o %s", name,
                         (unsigned)st->st_mode & 07777, rule->deed, (unsigned)rule->right, name);
    return 0;
}

int folder_open(const char *dir, bool make, int *fd, struct error *err)
{
    struct stat st;
    bool made = make && mkdir(dir, 0700) == 0;
    if (make && !made && errno != EEXIST)
        return error_errno(err, "create %s", dir);
    *fd = -1;
    if (!make && access(dir, F_OK) < 0 && errno == ENOENT)
        return 0;
    int folder AUTO_CLOSE = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A group-id bit from the parent goes, and so does what an odd umask took away. */
    if (folder < 0 || (made && fchmod(folder, 0700) < 0) || fstat(folder, &st) < 0)
        return error_errno(err, "%s", dir);
    if (check_access(dir, &st, &rule_folder, err) < 0)
        return -1;
    *fd = steal_fd(&folder);
    return 0;
}

int folder_read_as_is(int fd, const char *name, bool secret, struct buffer *out, bool *present,
                      struct error *err)
{
    struct stat st;
    *present = false;
    if (fd < 0)
        return 0;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_errno(err, "%s", name);
    /* Nobody else can change the folder, so that what was looked at is what is read. */
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s is not a regular file: put the file itself there", name);
    if (check_access(name, &st, secret ? &rule_secret : &rule_public, err) < 0)
        return -1;
    size_t n = strlen(name), m = strlen(SEAL_SUFFIX);
    bool sealed = n > m && strcmp(name + n - m, SEAL_SUFFIX) == 0;
    if (file_read(fd, name, sealed ? SEALED_MAX : PEM_MAX, out, err) < 0)
        return -1;
    *present = true;
    return 0;
}

static int read_key(int fd, const char *name, struct buffer *out, bool *present, struct error *err)
{
    struct buffer pem AUTO_BUFFER = buffer_heap();
    if (folder_read_as_is(fd, name, true, &pem, present, err) < 0)
        return -1;
    if (!seal_is_encrypted(&pem)) {
        buffer_add(out, pem.data, pem.len);
        return 0;
    }
    return unseal_key(PASSPHRASE_NOW, &pem, out, err) < 0 ? error_context(err, "%s", name) : 0;
}

static int read_text(int fd, const char *name, struct buffer *out, bool *present, struct error *err)
{
    struct buffer pem AUTO_BUFFER = buffer_heap();
    char *sealed AUTO_FREE = heap_printf("%s" SEAL_SUFFIX, name);
    if (folder_read_as_is(fd, sealed, true, &pem, present, err) < 0)
        return -1;
    if (!*present)
        return folder_read_as_is(fd, name, true, out, present, err);
    return unseal_text(PASSPHRASE_NOW, &pem, out, err) < 0 ? error_context(err, "%s", sealed) : 0;
}

int folder_read(int fd, const char *name, bool secret, struct buffer *out, bool *present,
                struct error *err)
{
    enum seal_kind kind = secret ? seal_kind_of(name) : SEAL_NONE;
    if (kind == SEAL_KEY)
        return read_key(fd, name, out, present, err);
    return kind == SEAL_TEXT ? read_text(fd, name, out, present, err)
                             : folder_read_as_is(fd, name, secret, out, present, err);
}

int folder_write_as_is(int fd, const char *name, bool secret, const struct buffer *bytes,
                       struct error *err)
{
    return file_publish(fd, name, bytes->data, bytes->len,
                        secret ? rule_secret.right : rule_public.right, err);
}

const char *folder_suffix(const char *name)
{
    return passphrase_given(PASSPHRASE_NOW) && seal_kind_of(name) == SEAL_TEXT ? SEAL_SUFFIX : "";
}

int folder_form(const char *name, bool secret, const struct buffer *bytes, char **file,
                struct buffer *out, struct error *err)
{
    bool given = passphrase_given(PASSPHRASE_NOW);
    enum seal_kind kind = secret && given ? seal_kind_of(name) : SEAL_NONE;
    int result = 0;
    if (kind == SEAL_NONE)
        buffer_add(out, bytes->data, bytes->len);
    else if (kind == SEAL_KEY)
        result = seal_key(PASSPHRASE_NOW, bytes, out, err);
    else
        result = seal_text(PASSPHRASE_NOW, bytes, out, err);
    if (result < 0) {
        error_context(err, "%s", name);
        return -1;
    }
    *file = heap_printf("%s%s", name, kind == SEAL_TEXT ? SEAL_SUFFIX : "");
    return 0;
}

int folder_write(int fd, const char *name, bool secret, const struct buffer *bytes,
                 struct error *err)
{
    struct buffer form AUTO_BUFFER = buffer_heap();
    char *file AUTO_FREE = NULL;
    if (folder_form(name, secret, bytes, &file, &form, err) < 0)
        return -1;
    return folder_write_as_is(fd, file, secret, &form, err);
}

static bool is_temporary(const char *name)
{
    static const char suffix[] = ".nodebake-tmp";
    size_t n = strlen(name);
    return n > strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

int folder_clean(int fd, struct error *err)
{
    int copy AUTO_CLOSE = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    int result = 0;
    if (!dir)
        return error_errno(err, "list the folder");
    (void)steal_fd(&copy); /* closedir closes it */
    for (const struct dirent *e; result == 0 && (e = readdir(dir)) != NULL;)
        if (is_temporary(e->d_name) && unlinkat(fd, e->d_name, 0) < 0)
            result = error_errno(err, "remove %s", e->d_name);
    closedir(dir);
    return result;
}
