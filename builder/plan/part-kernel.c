/* The kernel's command line: what cluster.yaml asks for, and the serial console. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/image/dpkg.h"
#include "builder/plan/grub-edit.h"
#include "builder/plan/part.h"

static const char GRUB_CFG[] = "/boot/grub/grub.cfg";
static const char DEFAULTS[] = "/etc/default/grub.d/90-nodebake.cfg";
/* What entries of systemd-boot and unified kernels are made of. */
static const char CMDLINE[] = "/etc/kernel/cmdline";

/* systemd takes cgroup v1 only by force since the first, and not at all since the second. */
enum { SYSTEMD_V1_FORCE = 256, SYSTEMD_V1_GONE = 258 };

/* 252 of "252.39-1~deb12u2"; 0 when the database does not know. */
static long systemd_version(const struct base *base)
{
    struct dpkg_text rest = {base->dpkg_status, base->dpkg_len}, stanza;
    while (rest.at && dpkg_next(&rest, &stanza)) {
        if (!dpkg_text_is(dpkg_field(stanza, "Package"), "systemd"))
            continue;
        struct dpkg_text version = dpkg_field(stanza, "Version");
        char *text AUTO_FREE = heap_printf("%.*s", (int)version.len, version.at);
        const char *colon = strchr(text, ':');
        return strtol(colon ? colon + 1 : text, NULL, 10);
    }
    return 0;
}

/* Since Linux 6.11 a kernel may be made without v1's controllers, which kubelet needs. */
static int check_kernels(const struct plan *plan, struct error *err)
{
    static const char *const options[] = {"CONFIG_MEMCG_V1", "CONFIG_CPUSETS_V1"};
    const struct base *base = plan->in.base;
    for (size_t i = 0; i < base->initrd_count; i++) {
        char *path AUTO_FREE = heap_printf("/boot/config-%s", base->initrds[i].kernel);
        const struct base_file *config = base_file(base, path);
        for (size_t k = 0; config && k < ARRAY_LEN(options); k++) {
            char *line AUTO_FREE = heap_printf("# %s is not set\n", options[k]);
            if (strstr(config->text, line))
                return error_set(err,
                                 "%s: cgroups: v1: the base's kernel %s was made without it (%s); "
                                 "take another base, or v2",
                                 plan->in.cluster->file, base->initrds[i].kernel, options[k]);
        }
    }
    return 0;
}

static int ask_cgroups(const struct plan *plan, struct kernel_line *asked, struct error *err)
{
    enum cgroups cgroups = plan->in.cluster->settings.cgroups;
    long version = plan->in.base ? systemd_version(plan->in.base) : 0;
    if (cgroups == CGROUPS_V2)
        kernel_line_add(asked, "systemd.unified_cgroup_hierarchy=1");
    if (cgroups != CGROUPS_V1)
        return 0;
    if (version >= SYSTEMD_V1_GONE)
        return error_set(err,
                         "%s: cgroups: v1: systemd %ld of the base knows v2 only; take a base with "
                         "an older one, or v2",
                         plan->in.cluster->file, version);
    if (plan->in.base && check_kernels(plan, err) < 0)
        return -1;
    kernel_line_add(asked, "systemd.unified_cgroup_hierarchy=0");
    kernel_line_add(asked, "systemd.legacy_systemd_cgroup_controller=1");
    if (version >= SYSTEMD_V1_FORCE)
        kernel_line_add(asked, "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1");
    return 0;
}

/* A base that starts its kernel by something else. */
static int without_grub(struct plan *plan, const struct kernel_line *asked, struct error *err)
{
    const struct base_file *line = base_file(plan->in.base, CMDLINE);
    if (asked->args.count || asked->consoles.count)
        return error_set(err,
                         "%s: kernelArgs and cgroups need a base that is started by GRUB; this one "
                         "has no %s with a kernel",
                         plan->in.cluster->file, GRUB_CFG);
    if (line && !kernel_has_console((struct grub_text){line->text, strcspn(line->text, "\n")}))
        return error_set(err,
                         "the base's %s lacks %s, and only GRUB's configuration is edited; take a "
                         "base that has it",
                         CMDLINE, KERNEL_CONSOLE);
    if (!line)
        texts_add(&plan->remarks, "the base has no /boot/grub/grub.cfg with a kernel: its kernel's "
                                  "command line stays, with or without " KERNEL_CONSOLE);
    return 0;
}

static int edit(struct plan *plan, const struct base_file *file, const struct kernel_line *asked,
                struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap(), defaults AUTO_BUFFER = buffer_heap();
    grub_edit(file->text, file->len, asked, &text);
    grub_defaults(asked, &defaults);
    if (text.len == file->len && memcmp(text.data, file->text, text.len) == 0)
        return part_text(plan, DEFAULTS, 0644, &defaults, "kernel line", err);
    if (part_edited(plan, file, &text, "kernel line", err) < 0)
        return -1;
    return part_text(plan, DEFAULTS, 0644, &defaults, "kernel line", err);
}

int part_kernel(struct plan *plan, struct error *err)
{
    const struct texts *args = &plan->in.cluster->settings.kernel_args;
    struct kernel_line asked AUTO_KERNEL_LINE = {0};
    for (size_t i = 0; i < args->count; i++)
        kernel_line_add(&asked, args->items[i]);
    if (ask_cgroups(plan, &asked, err) < 0)
        return -1;
    if (!plan->in.base)
        return 0;
    const struct base_file *file = base_file(plan->in.base, GRUB_CFG);
    struct grub_kernels kernels = {0};
    if (file)
        kernels = grub_kernels(file->text, file->len);
    if (!kernels.count)
        return without_grub(plan, &asked, err);
    if (!asked.args.count && !asked.consoles.count && kernels.serial == kernels.count)
        return 0;
    return edit(plan, file, &asked, err);
}
