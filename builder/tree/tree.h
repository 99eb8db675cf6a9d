/* Everything that goes into one image: files, directories and links, sorted by path. */
#ifndef NB_BUILDER_TREE_H
#define NB_BUILDER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/attributes.h"
#include "common/error.h"

#define TREE_MANIFEST "/usr/lib/nodebake/manifest.json"

/* ENTRY_GONE: what the base has at the path, also a directory with all in it, is taken away. */
enum entry_type { ENTRY_DIR, ENTRY_FILE, ENTRY_LINK, ENTRY_HARDLINK, ENTRY_GONE };

/* An extended attribute: "security.capability", "user.x", … */
struct xattr {
    char *name, *value;
    size_t len; /* of the value */
};

/* One file, directory, symbolic link, or further name of a file. All strings are on the heap and
 * belong to the entry. */
struct entry {
    char *path; /* absolute, without "." and "..", without a trailing slash */
    enum entry_type type;
    mode_t mode; /* permission bits; ignored for links; a hard link has its file's, and owner */
    uid_t uid;
    gid_t gid;
    char *target; /* of a link, or the path of a hard link's file; else NULL */
    char *text;   /* content of a file held in memory (len bytes), else NULL */
    size_t len;
    char *host;           /* content of a file that lies on the host at this path, else NULL */
    char *source;         /* for people: where the entry comes from */
    bool secret;          /* its content must never be shown */
    struct xattr *xattrs; /* sorted by name; NULL: none; never of a hard link */
    size_t xattr_count;
};

struct tree {
    struct entry *entries;
    size_t count, cap;
    time_t mtime; /* of every entry, seconds since the epoch */
};

/* Is the path absolute, without ".", "..", empty parts and control characters, and not too long? */
bool tree_path_clean(const char *path) NONNULL(1);

/* An empty tree; mtime is SOURCE_DATE_EPOCH, or a fixed date when that is not set. */
int tree_create(struct tree **out, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Adds an entry and takes over its strings, also on -1; sorts its extended attributes. A path that
 * is not absolute and clean, or that stands in the tree already with another type or source, is an
 * error. A directory may be added again. */
int tree_add(struct tree *tree, struct entry entry, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* The entry at the path, or NULL; valid until the next tree_add. */
const struct entry *tree_find(const struct tree *tree, const char *path) NONNULL(1, 2);

/* Sorts by path (byte order), so that a directory stands before what is in it. */
void tree_sort(struct tree *tree) NONNULL(1);

/* Checks the entry by itself, and sorts its extended attributes. */
int entry_check(struct entry *entry, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Frees what the entry holds; content in memory is wiped. */
void entry_free(struct entry *entry) NONNULL(1);

/* The word of a type in manifests and plans: "dir", "file", "link", "hardlink",
 * "gone". */
const char *entry_type_word(enum entry_type type);

/* The name of a type for people: "directory", "hard link". */
const char *entry_type_name(enum entry_type type);

/* The attribute's value in lower-case hex; the caller frees it. */
char *xattr_hex(const struct xattr *xattr) NONNULL(1);

/* Size of a file's content in bytes; the host file must be there. Directories and links: 0. */
int entry_size(const struct entry *entry, uint64_t *size, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* SHA-256 of a file's content in hex; hex holds DIGEST_HEX_MAX bytes. The host file is read only
 * once while it stays as it is. */
int entry_digest(const struct entry *entry, char *hex, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Adds /usr/lib/nodebake/manifest.json: every entry with mode, owner, extended attributes, and
 * SHA-256 of its content. All host files must be there. An entry below a file or a removal, and a
 * hard link to what the tree has as a directory, removal or another hard link, are errors. The tree
 * is sorted afterwards. */
int tree_add_manifest(struct tree *tree, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Frees the tree; NULL is allowed. */
void tree_free(struct tree *tree);
void tree_free_at(struct tree **tree);
#define AUTO_TREE __attribute__((cleanup(tree_free_at)))

#endif
