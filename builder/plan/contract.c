#include "builder/plan/contract.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/plan/choices.h"
#include "builder/plan/facts-choices.h"
#include "builder/plan/facts.h"
#include "builder/plan/node-facts.h"
#include "common/contract.h"

/* The DMI field that tells one instance from another, a row a source. */
static const struct {
    const char *name, *identity;
} sources[] = {
    {"gce", "product_uuid"},
    {"aws", "board_asset_tag,product_uuid"}, /* Nitro's instance id; Xen's machines have no tag */
};

static int write_sources(const struct cluster *cluster, struct buffer *out, struct error *err)
{
    for (size_t i = 0; i < cluster->source_count; i++) {
        size_t s = 0;
        while (s < ARRAY_LEN(sources) && strcmp(sources[s].name, cluster->sources[i]) != 0)
            s++;
        if (s == ARRAY_LEN(sources))
            return error_set(err, "metadata source '%s' is not known", cluster->sources[i]);
        buffer_printf(out, "source %s %s\n", sources[s].name, sources[s].identity);
    }
    return 0;
}

static size_t write_paths(const struct node_fact *fact, const char *source, struct buffer *out)
{
    size_t n = 0;
    for (size_t i = 0; i < fact->path_count; i++)
        if (strcmp(fact->paths[i].source, source) == 0) {
            buffer_printf(out, "from %s %s %s\n", fact->name, source, fact->paths[i].path);
            n++;
        }
    return n;
}

static int write_fact(const struct plan *plan, size_t index, struct buffer *out, struct error *err)
{
    const struct node_fact *fact = node_fact_at(&plan->in, index);
    const struct cluster *cluster = plan->in.cluster;
    if (fact->type == VALUE_SSHKEYS)
        buffer_printf(out, "user %s\n", cluster->settings.access.user);
    buffer_printf(out, "fact %s %s\n", fact->name, value_type_name(fact->type));
    for (size_t i = 0; i < cluster->source_count; i++)
        if (!write_paths(fact, cluster->sources[i], out))
            return error_set(err, "%s:%u: fact %s: no path for the metadata source %s",
                             node_fact_file(&plan->in, index), fact->line, fact->name,
                             cluster->sources[i]);
    return 0;
}

static int write_facts(const struct plan *plan, struct buffer *out, struct error *err)
{
    for (size_t i = 0; i < node_fact_count(&plan->in); i++)
        if (plan_wants_fact(plan, i) && write_fact(plan, i, out, err) < 0)
            return -1;
    return 0;
}

static void write_units(const struct plan *plan, struct buffer *out)
{
    for (size_t i = 0; i < plan->enabled_count; i++)
        buffer_printf(out, "unit %s %s %s\n", plan->enabled[i].name, plan->enabled[i].wanted_by,
                      plan->enabled[i].path);
}

static bool host_keys_are_made(const struct plan_input *in)
{
    return in->base && choices_make_host_keys(in);
}

/* What another machine must not keep of the one that its disk was copied from. Host keys go only
 * where a unit of ours makes new ones. */
static const struct {
    const char *path;
    bool (*applies)(const struct plan_input *in); /* NULL: always */
} forgets[] = {
    {"/etc/ssh/ssh_host_*", host_keys_are_made},
    {"/var/lib/dbus/machine-id", NULL},
    {"/var/lib/systemd/random-seed", NULL},
    {"/var/lib/systemd/credential.secret", NULL},
    {"/var/lib/kubelet/pki/*", NULL},
};

/* What a kubelet that asked for its certificates has got, wherever the profile puts it. */
static void forget_asked(const struct plan *plan, struct buffer *out)
{
    const struct plan_input *in = &plan->in;
    if (in->cluster->identity != IDENTITY_BOOTSTRAP || strcmp(in->role->name, "controller") == 0)
        return;
    struct facts *facts AUTO_FACTS = facts_create(in, plan->facts_used);
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, "forget @KUBELET_KUBECONFIG@\nforget @PKI_DIR@/kubelet*\n");
    facts_expand(facts, &text, out);
}

/* What containerd made of its template for the network that the node had; it does so once only. */
static void forget_network(const struct plan *plan, struct buffer *out)
{
    const struct plan_input *in = &plan->in;
    const char *folder = profile_value(in->profile, "CNI_CONF");
    struct buffer template AUTO_BUFFER = buffer_heap();
    fact_cni_template(in, &template);
    if (folder && template.len && strcmp(in->role->name, "worker") == 0)
        buffer_printf(out, "forget %s/10-containerd-net.conflist\n", folder);
}

static void write_forgets(const struct plan *plan, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_LEN(forgets); i++)
        if (!forgets[i].applies || forgets[i].applies(&plan->in))
            buffer_printf(out, "forget %s\n", forgets[i].path);
    forget_asked(plan, out);
    forget_network(plan, out);
}

static const char *on_failure_name(enum on_failure action)
{
    static const char *const names[] = {"continue", "poweroff", "shell"};
    return names[action];
}

static int check_count(const char *what, size_t n, size_t max, struct error *err)
{
    if (n <= max)
        return 0;
    return error_set(err, "the contract would have %zu %s; firstboot takes %zu", n, what, max);
}

/* firstboot refuses what its bounds do not hold; the build does so first. */
static int check_bounds(const struct plan *plan, const struct contract_template *templates,
                        size_t n, struct error *err)
{
    const struct role *role = plan->in.role;
    if (check_count("templates", n, CONTRACT_TEMPLATES_MAX, err) < 0 ||
        check_count("identity files", role->identity_count, CONTRACT_IDENTITIES_MAX, err) < 0 ||
        check_count("units", plan->enabled_count, CONTRACT_UNITS_MAX, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < role->identity_count; j++)
            if (strcmp(templates[i].path, role->identity[j].path) == 0)
                return error_set(err, "%s is both a template and a file of the identity",
                                 templates[i].path);
    return 0;
}

static size_t count_paths(const struct cluster *cluster, const struct node_fact *fact)
{
    size_t n = 0;
    for (size_t i = 0; i < cluster->source_count; i++)
        for (size_t p = 0; p < fact->path_count; p++)
            n += strcmp(fact->paths[p].source, cluster->sources[i]) == 0;
    return n;
}

static int check_facts(const struct plan *plan, struct error *err)
{
    size_t wanted = 0, froms = 0;
    for (size_t i = 0; i < node_fact_count(&plan->in); i++) {
        if (!plan_wants_fact(plan, i))
            continue;
        wanted++;
        froms += count_paths(plan->in.cluster, node_fact_at(&plan->in, i));
    }
    if (check_count("facts", wanted, CONTRACT_FACTS_MAX, err) < 0)
        return -1;
    return check_count("paths of facts", froms, CONTRACT_FROMS_MAX, err);
}

int contract_write(const struct plan *plan, const struct contract_template *templates, size_t n,
                   struct buffer *out, struct error *err)
{
    const struct role *role = plan->in.role;
    if (check_bounds(plan, templates, n, err) < 0 || check_facts(plan, err) < 0)
        return -1;
    buffer_printf(out, "nodebake-contract %d\ncluster %s\nrole %s\n", CONTRACT_VERSION,
                  plan->in.cluster->name, role->name);
    if (plan->in.node)
        buffer_printf(out, "node %s\n", plan->in.node->name);
    const struct settings *settings = &plan->in.cluster->settings;
    buffer_printf(out, "deadline %u\non-failure %s\n",
                  settings->deadline ? settings->deadline : CONTRACT_DEADLINE,
                  on_failure_name(settings->on_failure));
    if (settings->imds_v1)
        buffer_puts(out, "imds v1\n");
    if (write_sources(plan->in.cluster, out, err) < 0 || write_facts(plan, out, err) < 0)
        return -1;
    for (size_t i = 0; i < role->identity_count; i++)
        buffer_printf(out, "identity %04o 0 0 %s %s\n", (unsigned)role->identity[i].mode,
                      role->identity[i].file, role->identity[i].path);
    for (size_t i = 0; i < n; i++)
        buffer_printf(out, "template %04o %u %u %s\n", (unsigned)templates[i].mode,
                      (unsigned)templates[i].uid, (unsigned)templates[i].gid, templates[i].path);
    write_units(plan, out);
    write_forgets(plan, out);
    return check_count("bytes", out->len, CONTRACT_BYTES_MAX, err);
}
