/* Routes of a VPC network on Google Compute Engine, by gcloud. */
#include <string.h>

#include "builder/fleet/route.h"
#include "builder/heap.h"

enum { NAME_MAX_GCE = 63, CIDR_DIGITS_MAX = 18 };

static int check(const struct route_place *place, struct error *err)
{
    if (place->table)
        return error_set(err, "--route-table is not for the provider gce");
    return 0;
}

static const char *network_of(const struct route_place *place)
{
    return place->network ? place->network : place->cluster->name;
}

/* "pods-CLUSTER-10-200-0-0-24": names begin with a letter, and a long one of a cluster is cut. */
static char *name_of(const struct route_place *place, const struct node *node)
{
    static const char prefix[] = "pods-";
    int room = NAME_MAX_GCE - (int)strlen(prefix) - 1 - CIDR_DIGITS_MAX;
    char *name = heap_printf("%s%.*s-%s", prefix, room, place->cluster->name, node->pod_cidr);
    for (char *at = name; (at = strpbrk(at, "./")) != NULL;)
        *at = '-';
    return name;
}

static void print(const struct route_place *place, const struct node *node, struct buffer *out)
{
    char *name AUTO_FREE = name_of(place, node);
    buffer_printf(out,
                  "gcloud compute routes create %s --network=%s --destination-range=%s "
                  "--next-hop-address=%s\n",
                  name, network_of(place), node->pod_cidr, node->address);
}

static int load(const struct route_place *place, struct route_state *state, struct error *err)
{
    (void)place;
    return route_ask((const char *const[]){"gcloud", "compute", "routes", "list", "--format=json",
                                           "--quiet", NULL},
                     &state->routes, err);
}

/* A URL that ends with the name. */
static bool names_network(const char *url, const char *network)
{
    const char *slash = strrchr(url, '/');
    return strcmp(slash ? slash + 1 : url, network) == 0;
}

static bool is_as_wanted(const struct route_place *place, const json_t *route,
                         const struct node *node)
{
    return strcmp(route_text(route, "destRange"), node->pod_cidr) == 0 &&
           strcmp(route_text(route, "nextHopIp"), node->address) == 0 &&
           names_network(route_text(route, "network"), network_of(place));
}

static int create(const struct route_place *place, const char *name, const struct node *node,
                  struct error *err)
{
    char *network AUTO_FREE = heap_printf("--network=%s", network_of(place));
    char *range AUTO_FREE = heap_printf("--destination-range=%s", node->pod_cidr);
    char *hop AUTO_FREE = heap_printf("--next-hop-address=%s", node->address);
    return route_run((const char *const[]){"gcloud", "compute", "routes", "create", name, network,
                                           range, hop, "--quiet", NULL},
                     err);
}

/* A route cannot be changed, only made again. One of another network is somebody else's. */
static int make_way(const struct route_place *place, const json_t *route, const char *name,
                    struct error *err)
{
    if (!names_network(route_text(route, "network"), network_of(place)))
        return error_set(err, "a route %s is there already, of another network (%s)", name,
                         route_text(route, "network"));
    return route_run(
        (const char *const[]){"gcloud", "compute", "routes", "delete", name, "--quiet", NULL}, err);
}

static int apply(const struct route_place *place, const struct route_state *state,
                 const struct node *node, enum route_outcome *outcome, struct error *err)
{
    char *name AUTO_FREE = name_of(place, node);
    const json_t *route;
    size_t i;
    *outcome = ROUTE_MADE;
    json_array_foreach(state->routes, i, route)
    {
        if (is_as_wanted(place, route, node)) {
            *outcome = ROUTE_KEPT;
            return 0;
        }
        if (strcmp(route_text(route, "name"), name) != 0)
            continue;
        *outcome = ROUTE_REPLACED;
        if (make_way(place, route, name, err) < 0)
            return -1;
    }
    return create(place, name, node, err);
}

const struct route_provider route_gce = {.name = "gce",
                                         .program = "gcloud",
                                         .check = check,
                                         .print = print,
                                         .load = load,
                                         .apply = apply};
