/* Routes of a VPC on AWS, by aws: to an instance, which must not check whose packets it gets. */
#include <string.h>

#include "builder/fleet/route.h"
#include "builder/heap.h"

static int check(const struct route_place *place, struct error *err)
{
    if (place->network)
        return error_set(err, "--network is not for the provider aws");
    if (!place->table)
        return error_set(err, "the provider aws needs --route-table ID, such as rtb-0a1b2c3d");
    return 0;
}

static void print(const struct route_place *place, const struct node *node, struct buffer *out)
{
    buffer_printf(out,
                  "instance=$(aws ec2 describe-instances --filters "
                  "Name=private-ip-address,Values=%s Name=instance-state-name,Values=running "
                  "--query 'Reservations[].Instances[].InstanceId' --output text)\n",
                  node->address);
    buffer_puts(out, "aws ec2 modify-instance-attribute --instance-id \"$instance\" "
                     "--no-source-dest-check\n");
    buffer_printf(out,
                  "aws ec2 create-route --route-table-id %s --destination-cidr-block %s "
                  "--instance-id \"$instance\"\n",
                  place->table, node->pod_cidr);
}

/* The route table, and the instances of its VPC. */
static int load(const struct route_place *place, struct route_state *state, struct error *err)
{
    if (route_ask((const char *const[]){"aws", "ec2", "describe-route-tables", "--route-table-ids",
                                        place->table, "--output", "json", NULL},
                  &state->routes, err) < 0)
        return -1;
    const json_t *table = json_array_get(json_object_get(state->routes, "RouteTables"), 0);
    if (!table)
        return error_set(err, "there is no route table %s", place->table);
    char *vpc AUTO_FREE = heap_printf("Name=vpc-id,Values=%s", route_text(table, "VpcId"));
    return route_ask((const char *const[]){"aws", "ec2", "describe-instances", "--filters", vpc,
                                           "Name=instance-state-name,Values=pending,running",
                                           "--output", "json", NULL},
                     &state->machines, err);
}

static const json_t *instance_of(const struct route_state *state, const struct node *node)
{
    const json_t *reservation, *instance;
    size_t i, k;
    json_array_foreach(json_object_get(state->machines, "Reservations"), i, reservation)
    {
        json_array_foreach(json_object_get(reservation, "Instances"), k, instance)
        {
            if (strcmp(route_text(instance, "PrivateIpAddress"), node->address) == 0)
                return instance;
        }
    }
    return NULL;
}

static int let_pass(const json_t *instance, struct error *err)
{
    if (json_is_false(json_object_get(instance, "SourceDestCheck")))
        return 0;
    return route_run((const char *const[]){"aws", "ec2", "modify-instance-attribute",
                                           "--instance-id", route_text(instance, "InstanceId"),
                                           "--no-source-dest-check", NULL},
                     err);
}

/* The id of the instance that the table's route leads to, "" of another target, NULL: no route. */
static const char *target_of(const struct route_state *state, const char *cidr)
{
    const json_t *table = json_array_get(json_object_get(state->routes, "RouteTables"), 0);
    const json_t *route;
    size_t i;
    json_array_foreach(json_object_get(table, "Routes"), i, route)
    {
        if (strcmp(route_text(route, "DestinationCidrBlock"), cidr) == 0)
            return route_text(route, "InstanceId");
    }
    return NULL;
}

static int apply(const struct route_place *place, const struct route_state *state,
                 const struct node *node, enum route_outcome *outcome, struct error *err)
{
    const json_t *instance = instance_of(state, node);
    if (!instance)
        return error_set(err, "no running instance has the address %s in the table's VPC",
                         node->address);
    const char *id = route_text(instance, "InstanceId"), *now = target_of(state, node->pod_cidr);
    *outcome = !now ? ROUTE_MADE : strcmp(now, id) == 0 ? ROUTE_KEPT : ROUTE_REPLACED;
    if (let_pass(instance, err) < 0)
        return -1;
    if (*outcome == ROUTE_KEPT)
        return 0;
    return route_run((const char *const[]){"aws", "ec2", now ? "replace-route" : "create-route",
                                           "--route-table-id", place->table,
                                           "--destination-cidr-block", node->pod_cidr,
                                           "--instance-id", id, NULL},
                     err);
}

const struct route_provider route_aws = {
    .name = "aws", .program = "aws", .check = check, .print = print, .load = load, .apply = apply};
