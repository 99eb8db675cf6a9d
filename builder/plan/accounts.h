/* Gives a base a user who can log in: pure functions on the texts of /etc/passwd, /etc/group,
 * /etc/shadow and /etc/gshadow. */
#ifndef NB_BUILDER_ACCOUNTS_H
#define NB_BUILDER_ACCOUNTS_H

#include "builder/image/base.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { ACCOUNT_UID_FIRST = 1000, ACCOUNT_UID_LAST = 59999 }; /* of people, as Debian has it */

/* The files of the base; borrowed. gshadow may be NULL: there is none. */
struct account_files {
    const struct base_file *passwd, *group, *shadow, *gshadow;
};

/* Who is wanted. */
struct account_wish {
    const char *name;
    const char *shell;         /* of a new user */
    const char *const *groups; /* further groups, those that the base has; ends with NULL */
    long day;                  /* today, in days since 1970; 0: not known */
};

/* Who it became. */
struct account {
    uid_t uid;
    gid_t gid;
    char *home;
    bool added; /* the base had no such user */
};

/* The new texts; data NULL: the file stays as it is. */
struct account_edits {
    struct buffer passwd, group, shadow, gshadow;
};

/* Is it a name for a user of ours: a-z or _, then a-z, 0-9, _ and -, at most 32 bytes, not root? */
bool account_name_valid(const char *name) NONNULL(1);

/* Takes the user of that name as the base has it, or adds it and a group of its name, with the
 * first number from ACCOUNT_UID_FIRST on that no user and no group has. It has no password that
 * fits; one that the base has set stays. Errors: a file that is missing or malformed, a name of a
 * system user, of a group without user, or whose account expires or has no shell, and no number
 * left. */
int account_give(const struct account_files *files, const struct account_wish *wish,
                 struct account_edits *edits, struct account *out, struct error *err)
    NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Free what they hold. */
void account_free(struct account *account) NONNULL(1);
void account_edits_free(struct account_edits *edits) NONNULL(1);
#define AUTO_ACCOUNT       __attribute__((cleanup(account_free)))
#define AUTO_ACCOUNT_EDITS __attribute__((cleanup(account_edits_free)))

#endif
