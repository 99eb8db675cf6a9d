/* Who may log in: the user with keys, sudo, what sshd is told, the shell of last resort. Without a
 * base the user is taken for a new one, the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/accounts.h"
#include "builder/plan/node-facts.h"
#include "builder/plan/part.h"
#include "builder/plan/sshd.h"

static const char source[] = "access";

enum { DAY_SECONDS = 24 * 60 * 60 };

/* Is the path there, or will it be with a package that is installed before the image is made? */
static bool has_program(const struct plan *plan, const char *path, const char *package)
{
    return base_has(plan->in.base, path) || texts_have(&plan->in.role->packages, package) ||
           texts_have(&plan->in.cluster->settings.packages, package);
}

/* Adds an entry of the user's; takes the text over, also on -1. */
static int add_own(struct plan *plan, const struct account *account, const char *name, mode_t mode,
                   struct buffer *text, struct error *err)
{
    struct entry entry = {.path = heap_printf("%s%s", account->home, name),
                          .type = text ? ENTRY_FILE : ENTRY_DIR,
                          .mode = mode,
                          .uid = account->uid,
                          .gid = account->gid,
                          .source = heap_copy(source)};
    if (text) {
        plan->bytes += text->len;
        entry.len = text->len;
        entry.text = text->data;
        *text = (struct buffer){0};
    }
    return tree_add(plan->tree, entry, err);
}

/* What the shell of a new user reads, where the base has it. */
static int add_skeleton(struct plan *plan, const struct account *account, struct error *err)
{
    static const char *const names[] = {"/.bashrc", "/.profile"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path AUTO_FREE = heap_printf("/etc/skel%s", names[i]);
        const struct base_file *file = base_file(plan->in.base, path);
        struct buffer text AUTO_BUFFER = buffer_heap();
        if (!file)
            continue;
        buffer_add(&text, file->text, file->len);
        if (add_own(plan, account, names[i], 0644, &text, err) < 0)
            return -1;
    }
    return 0;
}

static int add_edit(struct plan *plan, const struct base_file *file, struct buffer *text,
                    struct error *err)
{
    return text->data ? part_edited(plan, file, text, source, err) : 0;
}

static int add_edits(struct plan *plan, const struct account_files *files,
                     struct account_edits *edits, struct error *err)
{
    if (add_edit(plan, files->passwd, &edits->passwd, err) < 0 ||
        add_edit(plan, files->group, &edits->group, err) < 0 ||
        add_edit(plan, files->shadow, &edits->shadow, err) < 0)
        return -1;
    return files->gshadow ? add_edit(plan, files->gshadow, &edits->gshadow, err) : 0;
}

/* The path has to stand in the contract. */
static int check_home(const char *user, const char *home, struct error *err)
{
    bool plain = tree_path_clean(home);
    for (const char *p = home; *p; p++)
        plain = plain && *p > ' ' && *p <= '~';
    if (plain)
        return 0;
    return error_set(err,
                     "the home directory of '%s' is '%.80s' in the base; right is a path such as "
                     "/home/%s",
                     user, home, user);
}

static int find_account(struct plan *plan, struct account *out, struct error *err)
{
    static const char *const none[] = {NULL}, *const admin[] = {"adm", "sudo", NULL};
    const struct access *access = &plan->in.cluster->settings.access;
    const struct base *base = plan->in.base;
    if (!base) {
        *out = (struct account){ACCOUNT_UID_FIRST, ACCOUNT_UID_FIRST,
                                heap_printf("/home/%s", access->user), true};
        return 0;
    }
    struct account_edits edits AUTO_ACCOUNT_EDITS = {0};
    const struct account_files files = {
        base_file(base, "/etc/passwd"), base_file(base, "/etc/group"),
        base_file(base, "/etc/shadow"), base_file(base, "/etc/gshadow")};
    const struct account_wish wish = {.name = access->user,
                                      .shell =
                                          base_has(base, "/bin/bash") ? "/bin/bash" : "/bin/sh",
                                      .groups = access->sudo ? admin : none,
                                      .day = (long)(plan->tree->mtime / DAY_SECONDS)};
    if (account_give(&files, &wish, &edits, out, err) < 0 ||
        check_home(access->user, out->home, err) < 0)
        return -1;
    if (add_edits(plan, &files, &edits, err) < 0)
        return -1;
    return out->added ? add_skeleton(plan, out, err) : 0;
}

/* Takes the place of the file with the fixed keys, which is for a machine that firstboot could not
 * finish. */
static int add_key_template(struct plan *plan, const struct account *account, struct error *err)
{
    const struct texts *keys = &plan->in.cluster->settings.access.keys;
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < keys->count; i++) {
        for (const char *p = keys->items[i]; *p; p++)
            buffer_printf(&text, *p == '@' ? "@@" : "%c", *p);
        buffer_puts(&text, "\n");
    }
    buffer_puts(&text, "@" FACT_SSH_KEYS "@");
    char *path AUTO_FREE = heap_printf("%s/.ssh/authorized_keys", account->home);
    const struct plan_template file = {path, 0600, account->uid, account->gid};
    return part_template(plan, &file, &text, source, err);
}

static int add_keys(struct plan *plan, const struct account *account, struct error *err)
{
    const struct texts *keys = &plan->in.cluster->settings.access.keys;
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < keys->count; i++)
        buffer_printf(&text, "%s\n", keys->items[i]);
    if (add_own(plan, account, "", 0700, NULL, err) < 0 ||
        add_own(plan, account, "/.ssh", 0700, NULL, err) < 0)
        return -1;
    if (plan->in.cluster->settings.access.metadata && add_key_template(plan, account, err) < 0)
        return -1;
    return text.len ? add_own(plan, account, "/.ssh/authorized_keys", 0600, &text, err) : 0;
}

static int add_sudo(struct plan *plan, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (plan->in.base && !has_program(plan, "/usr/bin/sudo", "sudo"))
        return error_set(err,
                         "the base has no sudo; right is 'packages: [sudo]', or 'sudo: false'");
    buffer_printf(&text, "# From nodebake.\n%s ALL=(ALL:ALL) NOPASSWD: ALL\n",
                  plan->in.cluster->settings.access.user);
    return part_text(plan, "/etc/sudoers.d/90-nodebake", 0440, &text, source, err);
}

static int add_user(struct plan *plan, struct error *err)
{
    struct account account AUTO_ACCOUNT = {0};
    if (plan->in.base && !has_program(plan, "/usr/sbin/sshd", "openssh-server"))
        return error_set(err, "the base has no SSH server; right is 'packages: [openssh-server]'");
    if (find_account(plan, &account, err) < 0)
        return error_context(err, "user");
    if (add_keys(plan, &account, err) < 0)
        return -1;
    return plan->in.cluster->settings.access.sudo ? add_sudo(plan, err) : 0;
}

/* Ahead of all that the base says, as a file of ours where its sshd reads those first. */
static int add_sshd(struct plan *plan, struct error *err)
{
    const struct base *base = plan->in.base;
    const char *user = plan->in.cluster->settings.access.user;
    const struct base_file *config = base ? base_file(base, SSHD_CONFIG) : NULL;
    struct buffer text AUTO_BUFFER = buffer_heap();
    bool comes = base && !base_has(base, "/usr/sbin/sshd") &&
                 has_program(plan, "/usr/sbin/sshd", "openssh-server");
    if (base && !config && !comes)
        return user ? error_set(err, "the base has no " SSHD_CONFIG
                                     "; right is that of its package openssh-server")
                    : 0;
    if (!base && !user)
        return 0;
    sshd_settings(!user, &text);
    if (!config || sshd_takes_dropins(config->text, config->len))
        return part_text(plan, SSHD_DROPIN, 0644, &text, source, err);
    buffer_printf(&text, "# The base's:\n");
    buffer_add(&text, config->text, config->len);
    return part_edited(plan, config, &text, source, err);
}

/* Also where the boot ends early: there sulogin would ask for the password that root has not. */
static int add_rescue(struct plan *plan, struct error *err)
{
    static const struct {
        const char *unit, *text;
    } dropins[] = {
        {"serial-getty@ttyS0", "ExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud "
                               "115200,57600,38400,9600 %I $TERM\n"},
        {"emergency", "Environment=SYSTEMD_SULOGIN_FORCE=1\n"},
        {"rescue", "Environment=SYSTEMD_SULOGIN_FORCE=1\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(dropins); i++) {
        struct buffer text AUTO_BUFFER = buffer_heap();
        char *path AUTO_FREE = heap_printf(
            "/etc/systemd/system/%s.service.d/50-nodebake-rescue.conf", dropins[i].unit);
        buffer_printf(&text,
                      "# From nodebake, access.rescue: root without a password.\n[Service]\n%s",
                      dropins[i].text);
        if (part_text(plan, path, 0644, &text, source, err) < 0)
            return -1;
    }
    return 0;
}

int part_access(struct plan *plan, struct error *err)
{
    const struct access *access = &plan->in.cluster->settings.access;
    if ((access->user && add_user(plan, err) < 0) || add_sshd(plan, err) < 0 ||
        (access->rescue && add_rescue(plan, err) < 0))
        return error_context(err, "%s: access", plan->in.cluster->file);
    return 0;
}
