#include "builder/plan/print.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/node-facts.h"

static void print_size(const char *label, uint64_t bytes, FILE *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    double n = (double)bytes;
    size_t unit = 0;
    for (; n >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        n /= 1024;
    fprintf(out, "%s%.*f %s", label, n < 10 && unit ? 1 : 0, n, units[unit]);
}

static void print_head(const struct plan *plan, FILE *out)
{
    const struct plan_input *in = &plan->in;
    fprintf(out, "image %s: ", plan->name);
    if (in->node)
        fprintf(out, "node %s (%s%s%s), ", in->node->name, in->node->address,
                in->node->pod_cidr ? ", pods " : "", in->node->pod_cidr ? in->node->pod_cidr : "");
    else
        fprintf(out, "any node, without an identity, ");
    fprintf(out, "role %s of %s, profile %s, Kubernetes %s%s\n", in->role->name, in->cluster->name,
            in->profile->name, in->cluster->kubernetes,
            profile_tested(in->profile, cluster_minor(in->cluster)) ? "" : " (untested)");
    print_size("the machine wants ", in->role->memory, out);
    print_size(" of memory and ", in->role->disk, out);
    print_size(" of disk; the files below are ", plan->bytes, out);
    fprintf(out, "\n\n");
}

/* A hard link is the file that it names: its arrow has two heads. Of what goes there is nothing but
 * the path. */
static void print_entry(const struct entry *e, FILE *out)
{
    bool hard = e->type == ENTRY_HARDLINK, gone = e->type == ENTRY_GONE;
    char mode[8] = "-";
    if (e->type != ENTRY_LINK && !hard && !gone)
        snprintf(mode, sizeof mode, "%04o", (unsigned)e->mode & 07777);
    char *owner AUTO_FREE =
        hard || gone ? heap_copy("  -  ") : heap_printf("%2u:%-2u", e->uid, e->gid);
    char *path AUTO_FREE = e->target
                               ? heap_printf("%s %s %s", e->path, hard ? "<->" : "->", e->target)
                               : heap_copy(e->path);
    fprintf(out, "%-4s %4s %s %-62s %s\n", hard ? "link" : entry_type_word(e->type), mode, owner,
            path, e->source);
}

static void print_entries(const struct tree *tree, FILE *out)
{
    fprintf(out, "%-4s %-4s %-5s %-62s %s\n", "TYPE", "MODE", "OWNER", "PATH", "FROM");
    for (size_t i = 0; i < tree->count; i++)
        print_entry(&tree->entries[i], out);
    fprintf(out, "%-4s %4s %2u:%-2u %-62s %s\n", "file", "0644", 0U, 0U, TREE_MANIFEST,
            "nodebake: all of the above by SHA-256");
}

static void print_units(const struct plan *plan, FILE *out)
{
    fprintf(out, "\nunits that firstboot enables:\n");
    for (size_t i = 0; i < plan->enabled_count; i++)
        fprintf(out, "  %s, wanted by %s\n", plan->enabled[i].name, plan->enabled[i].wanted_by);
}

static void print_facts(const struct plan *plan, FILE *out)
{
    fprintf(out, "\nfacts that firstboot finds out:\n");
    for (size_t i = 0; i < node_fact_count(&plan->in); i++) {
        const struct node_fact *fact = node_fact_at(&plan->in, i);
        if (!plan_wants_fact(plan, i))
            continue;
        fprintf(out, "  %s (%s)", fact->name, value_type_name(fact->type));
        const char *before = "";
        for (size_t p = 0; p < fact->path_count; p++) {
            if (!node_fact_asks(&plan->in, &fact->paths[p]))
                continue;
            fprintf(out, "%s %s: %s", before, fact->paths[p].source, fact->paths[p].path);
            before = ",";
        }
        fputc('\n', out);
    }
}

static void print_packages(const struct plan_input *in, FILE *out)
{
    const struct texts *own = &in->cluster->settings.packages;
    const struct role *role = in->role;
    fprintf(out, "\npackages that the base image must have:");
    for (size_t i = 0; i < role->packages.count; i++)
        fprintf(out, " %s", role->packages.items[i]);
    for (size_t i = 0; i < own->count; i++)
        if (!texts_have(&role->packages, own->items[i]))
            fprintf(out, " %s", own->items[i]);
    fputc('\n', out);
}

static void print_base(const struct plan_input *in, FILE *out)
{
    if (in->base)
        fprintf(out, "\nbase: %s\n", in->base->os_name);
    else if (in->base_why)
        fprintf(out, "\nbase: not read, so what depends on it is left out: %s\n", in->base_why);
}

void plan_print(const struct plan *plan, FILE *out)
{
    print_head(plan, out);
    print_entries(plan->tree, out);
    print_units(plan, out);
    print_facts(plan, out);
    print_packages(&plan->in, out);
    print_base(&plan->in, out);
    if (plan->absent_count)
        fprintf(out, "\nabsent:\n");
    for (size_t i = 0; i < plan->absent_count; i++)
        fprintf(out, "  %s (%s)%s: %s\n", plan->absent[i].name, plan->absent[i].path,
                plan->absent[i].optional ? ", left out" : ", required", plan->absent[i].why);
    for (size_t i = 0; i < plan->remarks.count; i++)
        fprintf(out, "%s  %s\n", i ? "" : "\nremarks:\n", plan->remarks.items[i]);
}
