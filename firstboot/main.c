/* firstboot: finishes a node in its initramfs. main reads like the flow of the design:
 * arguments, contract, stamp, facts, render, enable, stamp. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "firstboot/clock.h"
#include "firstboot/contract.h"
#include "firstboot/dirs.h"
#include "firstboot/dmi.h"
#include "firstboot/enable.h"
#include "firstboot/facts.h"
#include "firstboot/net.h"
#include "firstboot/options.h"
#include "firstboot/platform.h"
#include "firstboot/render.h"
#include "firstboot/report.h"
#include "firstboot/resolve.h"
#include "firstboot/root.h"
#include "firstboot/stamp.h"

enum outcome { FAILED = -1, READY, ALREADY, PREVIEWED };

/* All that a run knows. Static: some hundred kilobytes, and there is no heap. */
static struct run {
    const struct options *options;
    int64_t began_ms;
    struct deadline deadline;
    struct root root;
    struct contract contract;
    struct dmi dmi;
    struct stamp found;  /* what the root holds; empty strings: no stamp */
    struct stamp wanted; /* what it will hold */
    struct facts facts;
    struct dirs dirs;
    bool changed; /* a file of the root was replaced */
} run;

static int read_contract(struct run *r, struct error *err)
{
    static char bytes[CONTRACT_BYTES_MAX + 1];
    struct buffer text = BUFFER_FIXED(bytes);
    int got = resolve_read(r->root.fd, "/usr/lib/nodebake/contract", &text, err);
    if (got == 0)
        return error_set(err, "contract: /usr/lib/nodebake/contract is missing");
    if (got < 0 || contract_parse(text.data, text.len, &r->contract, err) < 0)
        return -1;
    r->deadline = deadline_in((int64_t)r->contract.deadline_s * 1000);
    return 0;
}

static int read_facts_file(struct run *r, struct error *err)
{
    static char bytes[65536];
    struct buffer text = BUFFER_FIXED(bytes);
    facts_init(&r->facts, &r->contract, "file");
    if (file_read(AT_FDCWD, r->options->facts, sizeof bytes - 1, &text, err) < 0)
        return error_context(err, "file");
    if (facts_parse(&r->facts, text.data, text.len, err) < 0)
        return -1;
    snprintf(r->wanted.source, sizeof r->wanted.source, "file");
    snprintf(r->wanted.identity, sizeof r->wanted.identity, "file:%s",
             facts_value(&r->facts, CONTRACT_NODE_FACT));
    return 0;
}

/* 1 when the stamp says that this instance is finished. */
static int is_stamped(struct run *r, struct error *err)
{
    int got = stamp_read(r->root.fd, &r->found, err);
    if (got <= 0) {
        r->found = (struct stamp){0};
        return got;
    }
    if (r->options->facts)
        return stamp_same(&r->found, &r->wanted);
    return platform_is_stamped(&r->contract, &r->dmi, &r->found);
}

static void report_keys(const struct facts *facts)
{
    char text[256];
    struct buffer remark = BUFFER_FIXED(text);
    if (ssh_keys_remark(&facts->keys, &remark))
        report(REPORT_NOTICE, "%s: SSH keys: left out: %s", facts->source, text);
}

static int ask_facts(struct run *r, struct error *err)
{
    const struct source *source = platform_choose(&r->contract, &r->dmi, &r->wanted, err);
    if (!source)
        return -1;
    facts_init(&r->facts, &r->contract, source->name);
    int result = 0;
    if (source->network && (result = net_up(r->deadline, err)) < 0)
        error_context(err, "%s", source->name);
    if (result == 0)
        result = facts_collect(&r->facts, source, r->deadline, err);
    if (result == 0)
        report_keys(&r->facts);
    if (source->network)
        net_down();
    return result;
}

static int check_node(struct run *r, struct error *err)
{
    const char *node = facts_value(&r->facts, CONTRACT_NODE_FACT);
    if (r->contract.node && strcmp(r->contract.node, node) != 0)
        return error_set(err, "%s: %s: this machine is to be %s, but the image is that of %s",
                         r->facts.source, CONTRACT_NODE_FACT, node, r->contract.node);
    snprintf(r->wanted.node, sizeof r->wanted.node, "%s", node);
    return 0;
}

static int write_root(struct run *r, struct error *err)
{
    if (root_writable(&r->root, err) < 0 || render_stage(&r->facts, &r->dirs, err) < 0)
        return -1;
    /* From here on the root is no longer what an old stamp says. */
    r->changed = true;
    if (stamp_remove(&r->dirs, err) < 0) {
        render_discard(&r->facts, &r->dirs);
        return -1;
    }
    if (render_publish(&r->facts, &r->dirs, err) < 0 ||
        enable_units(&r->contract, &r->dirs, err) < 0)
        return -1;
    return stamp_publish(&r->dirs, &r->wanted, err);
}

static void show_file(const struct contract_file *file, const char *dest, size_t bytes)
{
    report(REPORT_NOTICE, "would write %s: mode %04o, owner %u:%u, %zu bytes", dest,
           (unsigned)file->mode, (unsigned)file->uid, (unsigned)file->gid, bytes);
}

static int preview(struct run *r, struct error *err)
{
    if (render_preview(&r->facts, r->root.fd, show_file, err) < 0)
        return -1;
    for (unsigned i = 0; i < r->contract.unit_count; i++)
        report(REPORT_NOTICE, "would enable %s for %s", r->contract.units[i].name,
               r->contract.units[i].target);
    return 0;
}

static enum outcome finish_node(struct run *r, struct error *err)
{
    const struct options *o = r->options;
    if (root_open(&r->root, o->root, err) < 0)
        return FAILED;
    dirs_init(&r->dirs, r->root.fd);
    if (read_contract(r, err) < 0)
        return FAILED;
    if (o->facts) {
        if (read_facts_file(r, err) < 0)
            return FAILED;
    } else
        dmi_read(o->dmi, &r->dmi);
    int stamped = is_stamped(r, err);
    if (stamped)
        return stamped > 0 ? ALREADY : FAILED;
    if ((!o->facts && ask_facts(r, err) < 0) || check_node(r, err) < 0)
        return FAILED;
    if (o->dry_run)
        return preview(r, err) < 0 ? FAILED : PREVIEWED;
    return write_root(r, err) < 0 ? FAILED : READY;
}

/* Is there what a run leaves that has enabled units? The preset comes before the links, the stamp
 * after them. */
static bool was_finished(int root)
{
    static const char *const traces[] = {"/var/lib/nodebake/stamp",
                                         "/etc/systemd/system-preset/00-nodebake.preset"};
    for (unsigned i = 0; i < ARRAY_LEN(traces); i++) {
        int fd AUTO_CLOSE = resolve_open(root, traces[i], O_PATH);
        if (fd >= 0)
            return true;
    }
    return false;
}

/* After a failure nothing of the contract may start, also not what an earlier run (of the machine
 * that this root was copied from, or one that was cut off) has enabled. A facts file that was
 * refused leaves a folder as it is. */
static int withdraw(struct run *r, struct error *err)
{
    if (r->options->dry_run || (r->options->facts && !r->changed))
        return 0;
    if (!r->contract.role && was_finished(r->root.fd))
        return error_set(err, "without its contract nobody knows which");
    if (!enable_any(&r->contract, &r->dirs))
        return 0;
    if (root_writable(&r->root, err) < 0 || stamp_remove(&r->dirs, err) < 0)
        return -1;
    return enable_withdraw(&r->contract, &r->dirs, err);
}

/* `withdrawal` says why units may be enabled; NULL: none is. */
static void report_failure(const struct error *cause, const struct error *withdrawal)
{
    if (withdrawal)
        report(REPORT_ERROR, "firstboot: %.500s; units may be enabled: %.300s", cause->text,
               withdrawal->text);
    else
        report(REPORT_ERROR, "firstboot: %.800s; nothing was enabled", cause->text);
}

static void report_success(const struct run *r, enum outcome outcome, const char *note)
{
    if (outcome == ALREADY)
        report(REPORT_NOTICE, "node %s was finished before, by source %s; nothing to do",
               r->found.node, r->found.source);
    else if (outcome == READY)
        report(REPORT_NOTICE, "node %s is ready: %u files, %u units, source %s, %lld ms%s%s",
               r->wanted.node, r->contract.file_count, r->contract.unit_count, r->wanted.source,
               (long long)(clock_now_ms() - r->began_ms), *note ? "; " : "", note);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(argc, argv, &options);
    if (status >= 0)
        return status;
    umask(022);
    run.options = &options;
    run.began_ms = clock_now_ms();
    if (options.kmsg)
        report_to_kernel();

    struct error cause = ERROR_INIT, withdrawal = ERROR_INIT, note = ERROR_INIT;
    enum outcome outcome = finish_node(&run, &cause);
    bool withdrawn = outcome != FAILED || withdraw(&run, &withdrawal) == 0;
    dirs_close(&run.dirs);
    /* A root that stays writable is no harm to the node; whoever looks for it finds it said. */
    if (root_restore(&run.root, &note) < 0 && outcome == FAILED)
        error_context(&cause, "%s", note.text);
    if (outcome == FAILED)
        report_failure(&cause, withdrawn ? NULL : &withdrawal);
    else
        report_success(&run, outcome, note.text);
    return outcome == FAILED;
}
