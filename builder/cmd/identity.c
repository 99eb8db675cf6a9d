/* Writes what a node's metadata has to carry with `identity: metadata`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cmd/pki-common.h"
#include "builder/fleet/bundle.h"
#include "builder/heap.h"
#include "builder/pki/kubeconfig.h"
#include "builder/plan/plan.h"
#include "builder/plan/target.h"
#include "common/file.h"

enum { EXIT_USAGE = 2 };

/* What becomes of the bundle, a row a format. */
typedef void wrap(const struct node *node, const struct buffer *bundle, struct buffer *out);

static void as_bundle(const struct node *node, const struct buffer *bundle, struct buffer *out)
{
    (void)node;
    buffer_add(out, bundle->data, bundle->len);
}

static void as_attribute(const struct node *node, const struct buffer *bundle, struct buffer *out)
{
    (void)node;
    base64_print(bundle->data, bundle->len, out);
    buffer_puts(out, "\n");
}

static void as_user_data(const struct node *node, const struct buffer *bundle, struct buffer *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    base64_print(bundle->data, bundle->len, &text);
    bundle_user_data(node, text.data, out);
}

static const struct format {
    const char *name;
    wrap *wrap;
} formats[] = {{"bundle", as_bundle}, {"gce", as_attribute}, {"aws", as_user_data}};

/* Without the option, that of the cluster's first metadata source. */
/* NULL: an error. */
static const struct format *choose_format(const struct args *args, struct error *err)
{
    const char *given = args_value(args, "format");
    const char *name = given ? given : args->cluster->sources[0];
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    (void)error_set(err, "--format %s: no such format; there are: bundle, gce, aws", name);
    return NULL;
}

static int refuse_mode(const struct cluster *cluster, const struct node *node, struct error *err)
{
    if (cluster->identity == IDENTITY_IMAGE)
        return error_set(err,
                         "%s: with `identity: image` the keys of %s are in its image, which "
                         "`nodebake build %s` makes",
                         cluster->file, node->name, node->name);
    return error_set(err,
                     "%s: with `identity: bootstrap` %s makes its key itself, and asks for its "
                     "certificate with the token in its image",
                     cluster->file, node->name);
}

static int check_mode(const struct cluster *cluster, const struct profile *profile,
                      const struct node *node, struct error *err)
{
    if (cluster->identity != IDENTITY_METADATA)
        return refuse_mode(cluster, node, err);
    return plan_check_identity(cluster, profile, err);
}

static int make(const struct args *args, const struct format *format, struct buffer *out,
                struct error *err)
{
    struct profile *profile AUTO_PROFILE = NULL;
    struct pki_keys *pki AUTO_PKI_KEYS = NULL;
    struct buffer bundle AUTO_BUFFER = buffer_heap();
    const struct node *node = cluster_node(args->cluster, args->operands[0]);
    struct node_keys keys;
    char *file AUTO_FREE = install_profile(args->install, args->cluster->profile);
    char *dir AUTO_FREE = pki_folder(args);
    if (profile_load(file, &profile, args->problems, err) < 0)
        return -1;
    profile_choose(profile, args->cluster);
    if (!node)
        return error_set(err, "'%s' is no node of %s", args->operands[0], args->cluster->file);
    const struct role *role = profile_role(profile, node->role);
    if (!role || strcmp(node->role, "controller") == 0)
        return error_set(err,
                         "%s is a %s, which has no key of its own: what it needs is in its image",
                         node->name, node->role);
    if (check_mode(args->cluster, profile, node, err) < 0 ||
        pki_keys_open(args->cluster, dir, &pki, err) < 0 ||
        pki_keys_of(pki, node->name, &keys, err) < 0 ||
        bundle_write(args->cluster, profile, role, node, &keys, &bundle, err) < 0)
        return -1;
    format->wrap(node, &bundle, out);
    return 0;
}

static int run(const struct args *args, struct error *err)
{
    const char *output = args_value(args, "output");
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (!output && isatty(STDOUT_FILENO)) {
        fprintf(stderr, "nodebake identity: this is a secret, and standard output is a terminal; "
                        "give --output FILE, or a pipe\n");
        return EXIT_USAGE;
    }
    const struct format *format = choose_format(args, err);
    if (!format || pki_passphrase(args, err) < 0 || make(args, format, &text, err) < 0)
        return -1;
    if (output)
        return file_publish(AT_FDCWD, output, text.data, text.len, 0600, err);
    if (file_write_all(STDOUT_FILENO, text.data, text.len) < 0)
        return error_errno(err, "standard output");
    return 0;
}

const struct command cmd_identity = {
    .name = "identity",
    .operands = "NODE",
    .summary = "Writes a node's key and certificate as its metadata carries them",
    .details =
        "For clusters with `identity: metadata`, whose images hold no node's key. As gce: the "
        "line\n"
        "of base64 that is the attribute node-identity of the instance; as aws: its user-data; as\n"
        "bundle: what firstboot makes of both. It is a secret: a file is its owner's alone.\n",
    .options = {OPTION_CLUSTER,
                {"format", "FORMAT", "gce, aws or bundle (default: as FILE's first metadata)"},
                {"output", "PATH", "write it to PATH (default: standard output, if no terminal)"},
                OPTION_PKI,
                OPTIONS_PASSPHRASE},
    .operands_min = 1,
    .operands_max = 1,
    .needs = NEEDS_CLUSTER | NEEDS_INSTALL,
    .run = run,
};
