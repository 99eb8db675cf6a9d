#include "builder/plan/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/account-table.h"

/* Fields, from 0; NAME is the first of all four files, PASSWORD the second. */
enum { NAME, PASSWORD, UID, GID, GECOS, HOME, SHELL, PASSWD_WIDTH };
enum { GROUP_GID = 2, GROUP_MEMBERS, GROUP_WIDTH };
enum { SHADOW_CHANGED = 2, SHADOW_EXPIRES = 7, SHADOW_WIDTH = 9 };

enum { NAME_BYTES_MAX = 32, NUMBER_SIZE = 24 };

struct tables {
    struct account_table passwd, group, shadow, gshadow;
    bool has_gshadow;
};

static void tables_free(struct tables *t)
{
    account_table_free(&t->passwd);
    account_table_free(&t->group);
    account_table_free(&t->shadow);
    account_table_free(&t->gshadow);
}
#define AUTO_TABLES __attribute__((cleanup(tables_free)))

bool account_name_valid(const char *name)
{
    size_t len = strlen(name);
    return len && len <= NAME_BYTES_MAX && !strchr("-0123456789", *name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len &&
           strcmp(name, "root") != 0;
}

static int read_table(const struct base_file *file, const char *path, size_t width,
                      struct account_table *out, struct error *err)
{
    if (!file)
        return error_set(err, "%s is not there; right is a base that has it", path);
    return account_table_read(file, width, out, err);
}

static int check_numbers(const struct account_table *table, size_t first, size_t last,
                         struct error *err)
{
    uint32_t ignored;
    for (size_t i = 0; i < table->count; i++)
        for (size_t f = first; !table->rows[i].other && f <= last; f++)
            if (!account_row_number(&table->rows[i], f, &ignored))
                return error_set(err, "%s:%zu: '%.40s' is not the number of a user or group",
                                 table->path, i + 1, table->rows[i].fields[f]);
    return 0;
}

static int read_tables(const struct account_files *files, struct tables *t, struct error *err)
{
    t->has_gshadow = files->gshadow != NULL;
    if (read_table(files->passwd, "/etc/passwd", PASSWD_WIDTH, &t->passwd, err) < 0 ||
        read_table(files->group, "/etc/group", GROUP_WIDTH, &t->group, err) < 0 ||
        read_table(files->shadow, "/etc/shadow", SHADOW_WIDTH, &t->shadow, err) < 0)
        return -1;
    if (files->gshadow && account_table_read(files->gshadow, GROUP_WIDTH, &t->gshadow, err) < 0)
        return -1;
    if (check_numbers(&t->passwd, UID, GID, err) < 0)
        return -1;
    return check_numbers(&t->group, GROUP_GID, GROUP_GID, err);
}

static void note_numbers(const struct account_table *table, size_t field, bool *taken)
{
    uint32_t n;
    for (size_t i = 0; i < table->count; i++)
        if (!table->rows[i].other && account_row_number(&table->rows[i], field, &n) &&
            n >= ACCOUNT_UID_FIRST && n <= ACCOUNT_UID_LAST)
            taken[n - ACCOUNT_UID_FIRST] = true;
}

static int find_number(const struct tables *t, uint32_t *out, struct error *err)
{
    bool taken[ACCOUNT_UID_LAST - ACCOUNT_UID_FIRST + 1] = {false};
    note_numbers(&t->passwd, UID, taken);
    note_numbers(&t->group, GROUP_GID, taken);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (!taken[i]) {
            *out = ACCOUNT_UID_FIRST + (uint32_t)i;
            return 0;
        }
    return error_set(err, "no number from %d to %d is left for a user", ACCOUNT_UID_FIRST,
                     ACCOUNT_UID_LAST);
}

/* What is left of a user or is a group of another kind would be given to ours. */
static int check_unused(const struct tables *t, const char *name, struct error *err)
{
    const struct account_table *const others[] = {&t->group, &t->shadow, &t->gshadow};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (account_table_find(others[i], name))
            return error_set(err, "%s has '%s', which is no user; choose another name",
                             others[i]->path, name);
    return 0;
}

/* The password `*` fits nothing. One that begins with `!` would also lock the user out of an sshd
 * that does not use PAM; and a day 0 of its last change asks for a new one. */
static void set_shadow(struct account_table *shadow, struct account_row *row, const char *name,
                       long day)
{
    char changed[NUMBER_SIZE] = "";
    if (day > 0)
        snprintf(changed, sizeof changed, "%ld", day);
    const char *fields[SHADOW_WIDTH] = {name, "*", changed, "0", "99999", "7", "", "", ""};
    if (!row)
        account_table_add(shadow, fields);
    for (size_t f = PASSWORD; row && f < SHADOW_WIDTH; f++)
        account_table_set(shadow, row, f, fields[f]);
}

static int add_user(struct tables *t, const struct account_wish *wish, struct account *out,
                    struct error *err)
{
    uint32_t n;
    char number[NUMBER_SIZE];
    if (check_unused(t, wish->name, err) < 0 || find_number(t, &n, err) < 0)
        return -1;
    snprintf(number, sizeof number, "%u", (unsigned)n);
    *out = (struct account){n, n, heap_printf("/home/%s", wish->name), true};
    const char *user[PASSWD_WIDTH] = {wish->name, "x", number, number, "", out->home, wish->shell};
    const char *group[GROUP_WIDTH] = {wish->name, "x", number, ""};
    const char *hidden[GROUP_WIDTH] = {wish->name, "!", "", ""};
    account_table_add(&t->passwd, user);
    account_table_add(&t->group, group);
    if (t->has_gshadow)
        account_table_add(&t->gshadow, hidden);
    set_shadow(&t->shadow, NULL, wish->name, wish->day);
    return 0;
}

static bool lets_nobody_in(const char *shell)
{
    const char *slash = strrchr(shell, '/');
    const char *name = slash ? slash + 1 : shell;
    return strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0;
}

static int check_user(const struct account_row *user, uint32_t uid, struct error *err)
{
    const char *name = user->fields[NAME], *shell = user->fields[SHELL];
    if (uid < ACCOUNT_UID_FIRST || uid > ACCOUNT_UID_LAST)
        return error_set(err, "'%s' is a system user of the base (uid %u); choose another name",
                         name, (unsigned)uid);
    if (lets_nobody_in(shell))
        return error_set(err, "'%s' has the shell %s in the base; choose another name", name,
                         shell);
    if (strcmp(user->fields[PASSWORD], "x") != 0)
        return error_set(err, "'%s' has its password in /etc/passwd; right is an 'x' there", name);
    return 0;
}

static int use_user(struct tables *t, const struct account_row *user,
                    const struct account_wish *wish, struct account *out, struct error *err)
{
    struct account_row *shadow = account_table_find(&t->shadow, wish->name);
    uint32_t uid = 0, gid = 0;
    account_row_number(user, UID, &uid);
    account_row_number(user, GID, &gid);
    if (check_user(user, uid, err) < 0)
        return -1;
    if (!shadow)
        return error_set(err, "/etc/shadow lacks '%s', who is in /etc/passwd", wish->name);
    if (*shadow->fields[SHADOW_EXPIRES])
        return error_set(err, "the account of '%s' expires on day %s in the base; choose another",
                         wish->name, shadow->fields[SHADOW_EXPIRES]);
    const char *password = shadow->fields[PASSWORD];
    if (*password == '\0' || *password == '!')
        set_shadow(&t->shadow, shadow, wish->name, wish->day);
    *out = (struct account){uid, gid, heap_copy(user->fields[HOME]), false};
    return 0;
}

static bool has_member(const char *members, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = members; *at; at += strspn(at, ",")) {
        size_t n = strcspn(at, ",");
        if (n == len && memcmp(at, name, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static void join(struct account_table *table, const char *group, const char *name)
{
    struct account_row *row = account_table_find(table, group);
    if (!row || has_member(row->fields[GROUP_MEMBERS], name))
        return;
    const char *members = row->fields[GROUP_MEMBERS];
    char *more AUTO_FREE = heap_printf("%s%s%s", members, *members ? "," : "", name);
    account_table_set(table, row, GROUP_MEMBERS, more);
}

static void write_edit(const struct account_table *table, struct buffer *out)
{
    if (table->changed)
        *out = account_table_text(table);
}

int account_give(const struct account_files *files, const struct account_wish *wish,
                 struct account_edits *edits, struct account *out, struct error *err)
{
    struct tables t AUTO_TABLES = {.has_gshadow = false};
    *edits = (struct account_edits){0};
    if (!account_name_valid(wish->name))
        return error_set(err,
                         "'%.40s' is not a user's name: a-z or _, then a-z, 0-9, _ and -, at most "
                         "%d bytes, not root",
                         wish->name, NAME_BYTES_MAX);
    if (read_tables(files, &t, err) < 0)
        return -1;
    const struct account_row *user = account_table_find(&t.passwd, wish->name);
    if ((user ? use_user(&t, user, wish, out, err) : add_user(&t, wish, out, err)) < 0)
        return -1;
    for (const char *const *group = wish->groups; *group; group++) {
        join(&t.group, *group, wish->name);
        join(&t.gshadow, *group, wish->name);
    }
    write_edit(&t.passwd, &edits->passwd);
    write_edit(&t.group, &edits->group);
    write_edit(&t.shadow, &edits->shadow);
    write_edit(&t.gshadow, &edits->gshadow);
    return 0;
}

void account_free(struct account *account)
{
    free(account->home);
    *account = (struct account){0};
}

void account_edits_free(struct account_edits *edits)
{
    buffer_free(&edits->passwd);
    buffer_free(&edits->group);
    buffer_free(&edits->shadow);
    buffer_free(&edits->gshadow);
}
