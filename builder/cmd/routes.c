#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/command.h"
#include "builder/fleet/route.h"
#include "builder/heap.h"
#include "builder/process.h"
#include "builder/progress.h"

static const char *const outcomes[] = {
    [ROUTE_KEPT] = "kept", [ROUTE_MADE] = "made", [ROUTE_REPLACED] = "replaced"};

/* Where the machines are is where cluster.yaml lets them look for metadata. */
static int choose(const struct args *args, const struct route_provider **out, struct error *err)
{
    const char *name = args_value(args, "provider");
    const struct cluster *cluster = args->cluster;
    for (size_t i = 0; !name && i < cluster->source_count; i++)
        if (route_provider_find(cluster->sources[i]))
            name = cluster->sources[i];
    struct buffer names AUTO_BUFFER = buffer_heap();
    route_provider_names(&names);
    if (!name) {
        error_set(err, "--provider is needed: one of %s", names.data);
        return -1;
    }
    *out = route_provider_find(name);
    if (*out)
        return 0;
    error_set(err, "--provider %s: must be one of %s", name, names.data);
    return -1;
}

static void list(const struct route_provider *provider, const struct route_place *place)
{
    for (size_t i = 0; i < place->cluster->node_count; i++) {
        const struct node *node = &place->cluster->nodes[i];
        struct buffer lines AUTO_BUFFER = buffer_heap();
        if (!route_wanted(node))
            continue;
        provider->print(place, node, &lines);
        fputs(lines.data, stdout);
    }
}

/* Names and addresses are checked to hold nothing that a shell would take apart; what comes from
 * the command line is not. */
static int check_word(const char *option, const char *word, struct error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (!word || (*word && *word != '-' && !word[strspn(word, plain)]))
        return 0;
    return error_set(err, "--%s %s: letters, digits, '-', '_' and '.' only", option, word);
}

static json_t *row(const struct node *node, const char *outcome)
{
    return json_pack("{s:s, s:s, s:s, s:s*}", "node", node->name, "podCIDR", node->pod_cidr, "via",
                     node->address, "outcome", outcome);
}

static int apply_one(const struct route_provider *provider, const struct route_place *place,
                     const struct route_state *state, const struct node *node, json_t *rows,
                     struct error *err)
{
    enum route_outcome outcome;
    if (provider->apply(place, state, node, &outcome, err) < 0)
        return error_context(err, "route to %s (%s)", node->pod_cidr, node->name);
    json_array_append_new(rows, row(node, outcomes[outcome]));
    return 0;
}

static int apply_all(const struct route_provider *provider, const struct route_place *place,
                     json_t *rows, struct error *err)
{
    struct route_state state AUTO_ROUTE_STATE = {0};
    const struct cluster *cluster = place->cluster;
    if (provider->load(place, &state, err) < 0)
        return error_context(err, "list the routes");
    struct progress p = progress_start(cluster->node_count, "make routes");
    int result = 0;
    for (size_t i = 0; result == 0 && i < cluster->node_count; i++) {
        if (route_wanted(&cluster->nodes[i]))
            result = apply_one(provider, place, &state, &cluster->nodes[i], rows, err);
        progress_add(&p, 1);
    }
    progress_end(&p);
    return result;
}

static void list_rows(const struct cluster *cluster, json_t *rows)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (route_wanted(&cluster->nodes[i]))
            json_array_append_new(rows, row(&cluster->nodes[i], NULL));
}

/* What was done is told also when something failed later. */
static void show(const struct route_provider *provider, const json_t *rows, bool json)
{
    if (json) {
        json_t *all = json_pack("{s:s, s:O}", "provider", provider->name, "routes", rows);
        json_dumpf(all, stdout, JSON_INDENT(2));
        json_decref(all);
        putchar('\n');
        return;
    }
    const json_t *r;
    size_t i;
    json_array_foreach(rows, i, r)
    {
        printf("%s via %s (%s): %s\n", route_text(r, "podCIDR"), route_text(r, "via"),
               route_text(r, "node"), route_text(r, "outcome"));
    }
}

static void json_free_at(json_t **json)
{
    json_decref(*json);
}

static int check_wanted(const struct cluster *cluster, struct error *err)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (route_wanted(&cluster->nodes[i]))
            return 0;
    return error_set(err, "%s: no node has a podCIDR, so nothing says where a route would lead%s",
                     cluster->file,
                     cluster->settings.pod_networks == POD_NETWORKS_CONTROLLERS
                         ? "; with `podNetworks: controllers` they are the CNI's to make, or the "
                           "cloud's controller's"
                         : "");
}

static int run(const struct args *args, struct error *err)
{
    const struct route_provider *provider = NULL;
    const struct route_place place = {args->cluster, args_value(args, "network"),
                                      args_value(args, "route-table")};
    bool apply = args_flag(args, "apply"), json = args_flag(args, "json");
    if (check_wanted(args->cluster, err) < 0 || choose(args, &provider, err) < 0 ||
        check_word("network", place.network, err) < 0 ||
        check_word("route-table", place.table, err) < 0 || provider->check(&place, err) < 0)
        return -1;
    if (!apply && !json) {
        list(provider, &place);
        return 0;
    }
    json_t *rows __attribute__((cleanup(json_free_at))) = json_array();
    if (!apply)
        list_rows(args->cluster, rows);
    int result = apply ? apply_all(provider, &place, rows, err) : 0;
    show(provider, rows, json);
    return result;
}

const struct command cmd_routes = {
    .name = "routes",
    .operands = "",
    .summary = "Prints or makes the route of each worker's pods",
    .details =
        "Without --apply nothing is changed: the commands are printed. With it they are run, by\n"
        "ip, gcloud or aws; a route that is there stays, and one that leads elsewhere is "
        "replaced.\n",
    .options = {OPTION_CLUSTER,
                {"provider", "NAME",
                 "linux (this machine), gce or aws (default: by `metadata` of the file)"},
                {"network", "NAME", "gce: the VPC network (default: the cluster's name)"},
                {"route-table", "ID", "aws: the route table"},
                {"apply", NULL, "make the routes"},
                {"json", NULL, "print JSON"},
                OPTION_QUIET},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
