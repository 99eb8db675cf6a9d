#include "builder/lab/aws.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "builder/fleet/bundle.h"
#include "builder/lab/net.h"

enum { TTL_MAX = 21600, TOKEN_BYTES = 24 };

/* Appends the value; false when this node has none. */
typedef bool aws_value(const struct gce *lab, const struct node *node, struct buffer *out);

/* The same for a node each time. */
static bool instance_id(const struct gce *lab, const struct node *node, struct buffer *out)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *p = lab->cluster->name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    for (const char *p = node->name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    buffer_printf(out, "i-0%016" PRIx64, hash);
    return true;
}

/* As AWS names machines: by their address. */
static bool hostname(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    buffer_puts(out, "ip-");
    for (const char *p = node->address; *p; p++)
        buffer_printf(out, "%c", *p == '.' ? '-' : *p);
    buffer_puts(out, ".ec2.internal");
    return true;
}

static bool ip(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    buffer_puts(out, node->address);
    return true;
}

static bool mac(const struct gce *lab, const struct node *node, struct buffer *out)
{
    char text[NET_MAC_MAX];
    (void)lab;
    net_mac(node->address, text);
    buffer_puts(out, text);
    return true;
}

static bool zone(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    (void)node;
    buffer_puts(out, "us-east-1a");
    return true;
}

static bool region(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    (void)node;
    buffer_puts(out, "us-east-1");
    return true;
}

static bool name(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    buffer_puts(out, node->name);
    return true;
}

static bool pod_cidr(const struct gce *lab, const struct node *node, struct buffer *out)
{
    (void)lab;
    buffer_puts(out, node->pod_cidr ? node->pod_cidr : "");
    return node->pod_cidr != NULL;
}

static const struct {
    const char *path;
    aws_value *value;
} entries[] = {
    {"hostname", hostname},
    {"instance-id", instance_id},
    {"local-hostname", hostname},
    {"local-ipv4", ip},
    {"mac", mac},
    {"placement/availability-zone", zone},
    {"placement/region", region},
    {"tags/instance/Name", name},
    {"tags/instance/pod-cidr", pod_cidr},
};

static const char *token(void)
{
    static char text[2 * TOKEN_BYTES + 1];
    unsigned char bytes[TOKEN_BYTES];
    if (!*text && getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes) {
        struct buffer b = BUFFER_FIXED(text);
        for (size_t i = 0; i < sizeof bytes; i++)
            buffer_printf(&b, "%02x", bytes[i]);
    }
    return text;
}

static unsigned give_token(const struct aws_request *r, struct buffer *out)
{
    unsigned long ttl = r->ttl ? strtoul(r->ttl, NULL, 10) : 0;
    if (strcmp(r->path, "/latest/api/token") != 0)
        return 405;
    if (r->forwarded)
        return 403;
    if (ttl < 1 || ttl > TTL_MAX)
        return 400;
    buffer_puts(out, token());
    return 200;
}

static unsigned give_user_data(const struct gce *lab, const struct node *node, struct buffer *out)
{
    const char *bundle = gce_bundle(lab, node);
    if (bundle)
        bundle_user_data(node, bundle, out);
    return bundle ? 200 : 404;
}

static unsigned give_value(const struct gce *lab, const struct node *node,
                           const struct aws_request *r, struct buffer *out)
{
    static const char root[] = "/latest/meta-data/";
    if (!r->token || !*token() || strcmp(r->token, token()) != 0)
        return 401;
    if (strcmp(r->path, "/latest/user-data") == 0)
        return give_user_data(lab, node, out);
    if (strncmp(r->path, root, sizeof root - 1) != 0)
        return 404;
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        if (strcmp(entries[i].path, r->path + sizeof root - 1) == 0)
            return entries[i].value(lab, node, out) ? 200 : 404;
    return 404;
}

unsigned aws_answer(const struct gce *lab, const struct node *node,
                    const struct aws_request *request, struct buffer *out)
{
    unsigned status = 405;
    if (strcmp(request->method, "PUT") == 0)
        status = give_token(request, out);
    else if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
        status = give_value(lab, node, request, out);
    if (status != 200) {
        buffer_clear(out);
        buffer_printf(out, "%u\n", status);
    }
    return status;
}
