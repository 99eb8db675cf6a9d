#include "firstboot/withdraw.h"

#include <fcntl.h>

#include "common/cleanup.h"
#include "firstboot/enable.h"
#include "firstboot/forget.h"
#include "firstboot/resolve.h"

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

/* Only once all of it is on the disk the old stamp goes: its list of files is the only one. */
int withdraw_other(struct run *r, struct error *err)
{
    if (stamp_put_aside(&r->dirs, r->found.before, err) < 0 ||
        enable_withdraw(&r->contract, &r->dirs, err) < 0)
        return -1;
    if (forget(&r->contract, &r->found, &r->dirs, err) < 0)
        return error_context(err, "forget node %s", r->found.node);
    return stamp_begin(&r->dirs, &r->wanted, r->files, err);
}

int withdraw(struct run *r, struct error *err)
{
    if (r->options->dry_run || (r->options->facts && !r->changed))
        return 0;
    if (!r->contract.role && was_finished(r->root.fd))
        return error_set(err, "without its contract nobody knows which");
    bool others = stamp_is_others(&r->found, &r->wanted);
    if (!others && !enable_any(&r->contract, &r->dirs))
        return 0;
    if (root_writable(&r->root, err) < 0)
        return -1;
    if (others)
        return withdraw_other(r, err);
    if (stamp_put_aside(&r->dirs, r->found.before, err) < 0)
        return -1;
    return enable_withdraw(&r->contract, &r->dirs, err);
}

int withdraw_mark(struct run *r, struct error *err)
{
    if (r->options->dry_run || r->options->facts || r->found.identity[0] || !r->wanted.identity[0])
        return 0;
    return root_writable(&r->root, err) < 0 ? -1 : stamp_begin(&r->dirs, &r->wanted, r->files, err);
}
