/* firstboot: finishes a node in its initramfs. main reads like the flow of the design:
 * arguments, contract, stamp, facts, render, enable, stamp. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "firstboot/asker.h"
#include "firstboot/enable.h"
#include "firstboot/http.h"
#include "firstboot/net.h"
#include "firstboot/platform.h"
#include "firstboot/render.h"
#include "firstboot/report.h"
#include "firstboot/resolve.h"
#include "firstboot/run.h"
#include "firstboot/tell.h"
#include "firstboot/withdraw.h"

/* Static: some hundred kilobytes, and there is no heap. */
static struct run run;

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
    int result = file_read(AT_FDCWD, r->options->facts, sizeof bytes - 1, &text, err);
    if (result < 0)
        error_context(err, "file");
    else
        result = facts_parse(&r->facts, text.data, text.len, err);
    explicit_bzero(bytes, text.len);
    if (result < 0)
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
    if (r->found.damaged)
        report(REPORT_NOTICE, "the stamp is damaged: it counts as none");
    if (got <= 0 || r->found.before)
        return got < 0 ? -1 : 0;
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

/* Runs in the second process: what touches the network stands here. */
static int ask_source(void *ctx, struct facts *facts, struct steps *steps, struct error *err)
{
    const struct run *r = ctx;
    int result = 0;
    if (r->source->network && (result = net_up(r->deadline, err)) < 0)
        error_context(err, "%s", r->source->name);
    steps_done(steps, STEP_NETWORK);
    if (result == 0) {
        result = facts_collect(facts, r->source, r->deadline, err);
        steps_done(steps, STEP_METADATA);
    }
    if (r->source->network)
        net_down();
    if (r->source->wipe)
        r->source->wipe();
    http_wipe();
    return result;
}

static int ask_facts(struct run *r, struct error *err)
{
    r->source = platform_choose(&r->contract, &r->dmi, &r->wanted, err);
    if (!r->source)
        return -1;
    facts_init(&r->facts, &r->contract, r->source->name);
    if (r->source->network)
        net_share();
    int result = asker_run(&r->facts, &r->steps, ask_source, r->source->network ? net_down : NULL,
                           r, r->deadline, err);
    if (r->facts.unfiltered)
        report(REPORT_NOTICE, "%s: this kernel has no seccomp; the process that asks is not bound",
               r->source->name);
    if (result == 0)
        report_keys(&r->facts);
    return result;
}

static int check_bundle(struct run *r, const char *node, struct error *err)
{
    const struct contract_fact *fact = contract_fact_of(&r->contract, VALUE_BUNDLE);
    if (!fact)
        return 0;
    if (bundle_is_of(&r->facts.bundle, node, err) < 0)
        return error_context(err, "%s: %s", r->facts.source, fact->name);
    return render_check_bundle(&r->facts, err);
}

static int check_node(struct run *r, struct error *err)
{
    const char *node = facts_value(&r->facts, CONTRACT_NODE_FACT);
    if (r->contract.node && strcmp(r->contract.node, node) != 0)
        return error_set(err, "%s: %s: this machine is to be %s, but the image is that of %s",
                         r->facts.source, CONTRACT_NODE_FACT, node, r->contract.node);
    if (check_bundle(r, node, err) < 0)
        return -1;
    snprintf(r->wanted.node, sizeof r->wanted.node, "%s", node);
    snprintf(r->wanted.instance, sizeof r->wanted.instance, "%s", r->facts.instance);
    return 0;
}

/* From here on the root is no longer what an old stamp says. Another machine's goes together with
 * what made it that machine. */
static int begin_change(struct run *r, struct error *err)
{
    r->changed = true;
    if (!stamp_is_others(&r->found, &r->wanted))
        return stamp_put_aside(&r->dirs, r->found.before, err) < 0
                   ? -1
                   : stamp_begin(&r->dirs, &r->wanted, r->files, err);
    int result = withdraw_other(r, err);
    steps_done(&r->steps, STEP_FORGET);
    return result;
}

static int write_root(struct run *r, struct error *err)
{
    static char bytes[STAMP_FILES_MAX];
    struct buffer files = BUFFER_FIXED(bytes);
    if (render_list(&r->facts, &files, err) < 0 || root_writable(&r->root, err) < 0 ||
        render_stage(&r->facts, &r->dirs, err) < 0)
        return -1;
    steps_done(&r->steps, STEP_STAGE);
    r->files = files.data;
    if (begin_change(r, err) < 0) {
        render_discard(&r->facts, &r->dirs);
        return -1;
    }
    int published = render_publish(&r->facts, &r->dirs, err);
    steps_done(&r->steps, STEP_PUBLISH);
    if (published < 0 || enable_units(&r->contract, &r->dirs, err) < 0)
        return -1;
    int stamped = stamp_finish(&r->dirs, err);
    steps_done(&r->steps, STEP_ENABLE);
    return stamped;
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
    steps_done(&r->steps, STEP_CONTRACT);
    if (stamped)
        return stamped > 0 ? ALREADY : FAILED;
    if ((!o->facts && ask_facts(r, err) < 0) || check_node(r, err) < 0)
        return FAILED;
    if (o->dry_run)
        return preview(r, err) < 0 ? FAILED : PREVIEWED;
    return write_root(r, err) < 0 ? FAILED : READY;
}

/* Exit status: 1, or 3 when somebody is to have a shell. Powered off, nothing starts at all. */
static int obey(const struct run *r)
{
    if (!r->options->obey || r->contract.on_failure == ON_FAILURE_CONTINUE)
        return 1;
    if (r->contract.on_failure == ON_FAILURE_SHELL)
        return 3;
    report(REPORT_ERROR, "the machine is powered off, as the contract says");
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}

/* The rest of a failure: nothing stays enabled, and whose root this is stays known. */
static void give_up(struct run *r, struct ending *ending, struct error *withdrawal)
{
    struct error unmarked = ERROR_INIT;
    if (withdraw(r, withdrawal) < 0)
        ending->withdrawal = withdrawal->text;
    if (withdraw_mark(r, &unmarked) < 0)
        report(REPORT_NOTICE, "a copy of this disk will pass for this machine: %s", unmarked.text);
    steps_done(&r->steps, STEP_WITHDRAW);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(argc, argv, &options);
    if (status >= 0)
        return status;
    run.options = &options;
    run.files = "";
    steps_begin(&run.steps);
    if (options.kmsg)
        report_to_kernel();

    struct error cause = ERROR_INIT, withdrawal = ERROR_INIT, note = ERROR_INIT;
    struct ending ending = {.outcome = finish_node(&run, &cause), .note = note.text};
    if (ending.outcome == FAILED) {
        ending.cause = cause.text;
        give_up(&run, &ending, &withdrawal);
    }
    /* A root that stays writable is no harm to the node; whoever looks for it finds it said. */
    if (root_restore(&run.root, &note) < 0 && ending.outcome == FAILED)
        error_context(&cause, "%s", note.text);
    tell(&run, &ending, options.state);
    facts_wipe(&run.facts);
    return ending.outcome == FAILED ? obey(&run) : 0;
}
