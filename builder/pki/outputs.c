#include "builder/pki/outputs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"
#include "builder/pki/kubeconfig-check.h"
#include "builder/pki/kubeconfig.h"
#include "builder/pki/names.h"

/* Controllers reach the API server beside them; whoever is elsewhere goes to the balancer. */
static const struct {
    const char *stem, *file; /* stem NULL: each node that has a certificate */
    bool local;
} kubeconfigs[] = {
    {"admin", "admin.kubeconfig", true},
    {"admin", "admin-public.kubeconfig", false},
    {NULL, NULL, false},
    {"kube-controller-manager", "kube-controller-manager.kubeconfig", true},
    {"kube-proxy", "kube-proxy.kubeconfig", false},
    {"kube-scheduler", "kube-scheduler.kubeconfig", true},
};

static struct output *add(struct output_list *list, enum output_kind kind, const char *file)
{
    struct output *o = APPEND(list->items, list->count, list->cap);
    o->kind = kind;
    o->file = heap_copy(file);
    o->old = buffer_heap();
    return o;
}

static void add_kubeconfig(const struct outputs_input *in, struct output_list *list, size_t id,
                           const char *file, bool local)
{
    struct output *o = add(list, OUTPUT_KUBECONFIG, file);
    o->identity = id;
    o->server = heap_printf("https://%s:6443", local ? "127.0.0.1" : in->cluster->public_address);
    o->here = strcmp(in->ids->items[id].stem, "admin") == 0;
}

static void add_kubeconfigs(const struct outputs_input *in, struct output_list *list, size_t row)
{
    for (size_t i = 0; i < in->ids->count; i++) {
        const struct identity *id = &in->ids->items[i];
        if (kubeconfigs[row].stem && strcmp(id->stem, kubeconfigs[row].stem) == 0)
            add_kubeconfig(in, list, i, kubeconfigs[row].file, kubeconfigs[row].local);
        if (kubeconfigs[row].stem || strncmp(id->subject.cn, NODE_CN, strlen(NODE_CN)) != 0)
            continue;
        char *file AUTO_FREE = heap_printf("%s.kubeconfig", id->stem);
        add_kubeconfig(in, list, i, file, false);
    }
}

/* What is there is read into what it means. */
static int understand(struct output_list *list, struct output *o, struct error *err)
{
    if (o->kind == OUTPUT_ENCRYPTION)
        return encryption_parse(o->old.data, o->old.len, &list->encryption, err);
    if (o->kind == OUTPUT_TOKEN)
        return bootstrap_token_parse(o->old.data, o->old.len, &list->token, err);
    return 0;
}

void outputs_load(const struct outputs_input *in, int folder, struct output_list *out)
{
    for (size_t i = 0; i < ARRAY_LEN(kubeconfigs); i++)
        add_kubeconfigs(in, out, i);
    add(out, OUTPUT_ENCRYPTION, "encryption-config.yaml");
    add(out, OUTPUT_TOKEN, "bootstrap-token.yaml");
    add(out, OUTPUT_BOOTSTRAP, "bootstrap.kubeconfig")->server =
        heap_printf("https://%s:6443", in->cluster->public_address);
    for (size_t i = 0; i < out->count; i++) {
        struct output *o = &out->items[i];
        if (folder_read(folder, o->file, true, &o->old, &o->there, &o->fault) == 0 && o->there &&
            understand(out, o, &o->fault) < 0)
            continue;
    }
}

static void print_kubeconfig(const struct outputs_input *in, const struct output *o,
                             struct buffer *out)
{
    const struct kubeconfig config = {
        .cluster = in->cluster->name,
        .server = o->server,
        .user = in->ids->items[o->identity].subject.cn,
        .ca = &in->holdings[0].cert_pem,
        .cert = &in->holdings[o->identity].cert_pem,
        .key = &in->holdings[o->identity].key_pem,
    };
    kubeconfig_print(&config, out);
}

/* ID.SECRET, which authenticates; to be wiped. */
enum { TOKEN_TEXT = TOKEN_ID + TOKEN_SECRET + 2 };

static void print_token(const struct bootstrap_token *token, char text[static TOKEN_TEXT])
{
    struct buffer both = {.data = text, .cap = TOKEN_TEXT};
    buffer_printf(&both, "%s.%s", token->id, token->secret);
}

static void print_bootstrap(const struct outputs_input *in, const struct output *o,
                            const struct bootstrap_token *token, struct buffer *out)
{
    char text[TOKEN_TEXT];
    const struct kubeconfig config = {
        .cluster = in->cluster->name,
        .server = o->server,
        .user = "kubelet-bootstrap",
        .ca = &in->holdings[0].cert_pem,
        .token = text,
    };
    print_token(token, text);
    kubeconfig_print(&config, out);
    OPENSSL_cleanse(text, sizeof text);
}

void output_print(const struct outputs_input *in, const struct output_list *list,
                  const struct output *output, struct buffer *out)
{
    switch (output->kind) {
    case OUTPUT_KUBECONFIG:
        print_kubeconfig(in, output, out);
        break;
    case OUTPUT_ENCRYPTION:
        encryption_print(&list->encryption, in->cluster->kubernetes, out);
        break;
    case OUTPUT_TOKEN:
        bootstrap_token_print(&list->token, out);
        break;
    case OUTPUT_BOOTSTRAP:
        print_bootstrap(in, output, &list->token, out);
        break;
    }
}

static void write_for(struct output *o, const char *why)
{
    o->write = true;
    error_set(&o->why, "%s", why);
}

/* A file of the user's own that only he can read stays. */
static void decide_encryption(const struct outputs_input *in, const struct output_list *list,
                              struct output *o)
{
    const char *kind = encryption_kind(in->cluster->kubernetes);
    if (!*o->fault.text && strcmp(list->encryption.kind, kind) != 0) {
        o->write = true;
        error_set(&o->why, "Kubernetes %s takes the kind %s", in->cluster->kubernetes, kind);
    }
}

/* By whom the token file is kept; it may be one that cannot be read. */
static bool has_token(const struct output_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == OUTPUT_TOKEN)
            return !*list->items[i].fault.text && *list->token.secret;
    return false;
}

void output_faults(const struct outputs_input *in, const struct output_list *list,
                   const struct output *o, int folder, struct texts *faults)
{
    const struct holding *h = &in->holdings[o->identity];
    char token[TOKEN_TEXT] = "";
    struct kubeconfig_wanted wanted = {.file = o->file,
                                       .server = o->server,
                                       .source = in->cluster->file,
                                       .ca = in->holdings[0].cert,
                                       .folder = o->here ? folder : -1};
    if (o->kind == OUTPUT_KUBECONFIG) {
        wanted.stem = in->ids->items[o->identity].stem;
        wanted.cert = h->cert;
        wanted.between = &h->between;
        wanted.key = h->key;
    } else if (has_token(list)) {
        print_token(&list->token, token);
        wanted.token = token;
    }
    kubeconfig_check(&o->old, &wanted, faults);
    OPENSSL_cleanse(token, sizeof token);
}

/* What means the same stays, whoever wrote it. */
static void decide_kubeconfig(const struct outputs_input *in, const struct output_list *list,
                              int folder, struct output *o)
{
    struct texts faults AUTO_TEXTS = {0};
    size_t name = strlen(o->file);
    output_faults(in, list, o, folder, &faults);
    if (!faults.count)
        return;
    const char *why = faults.items[0];
    write_for(o, strncmp(why + name, ": ", 2) == 0 ? why + name + 2 : why);
}

static time_t token_validity(const struct outputs_input *in)
{
    unsigned given = in->cluster->pki.token_validity, hours = given ? given : TOKEN_VALIDITY_HOURS;
    return (time_t)hours * 3600;
}

const char *output_token_fault(const struct outputs_input *in, const struct output_list *list,
                               time_t lasts)
{
    if (in->cluster->identity != IDENTITY_BOOTSTRAP)
        return NULL; /* nothing is made of it */
    if (!list->token.ends)
        return "it has no end";
    if (list->token.ends <= in->now)
        return "it has expired";
    /* A new one that ends soon already would be another with each run. */
    time_t third = in->now + token_validity(in) / 3;
    return list->token.ends <= (lasts < third ? lasts : third) ? "it ends soon" : NULL;
}

static int make_token(const struct outputs_input *in, struct output_list *list, struct error *err)
{
    bool ends = in->cluster->identity == IDENTITY_BOOTSTRAP;
    return bootstrap_token_new(&list->token, ends ? in->now + token_validity(in) : 0, err);
}

static int make_missing(const struct outputs_input *in, struct output_list *list,
                        const struct output *o, struct error *err)
{
    if (o->kind == OUTPUT_ENCRYPTION)
        return encryption_rotate(&list->encryption, err);
    return o->kind == OUTPUT_TOKEN ? make_token(in, list, err) : 0;
}

static int decide_one(const struct outputs_input *in, const struct decision *decisions, bool new_ca,
                      time_t lasts, int folder, struct output_list *list, struct output *o,
                      struct error *err)
{
    bool kubeconfig = o->kind == OUTPUT_KUBECONFIG || o->kind == OUTPUT_BOOTSTRAP;
    if (*o->fault.text && !(o->there && o->kind == OUTPUT_ENCRYPTION))
        return error_set(err, "%s", o->fault.text);
    if (!o->there) {
        write_for(o, "it is not there");
        return make_missing(in, list, o, err);
    }
    if (kubeconfig && new_ca)
        write_for(o, "ca.pem is new");
    else if (o->kind == OUTPUT_KUBECONFIG && decisions &&
             decisions[o->identity].verdict != VERDICT_KEEP)
        write_for(o, "its certificate is new");
    else if (kubeconfig)
        decide_kubeconfig(in, list, folder, o);
    else if (o->kind == OUTPUT_ENCRYPTION)
        decide_encryption(in, list, o);
    else if (output_token_fault(in, list, lasts)) {
        write_for(o, output_token_fault(in, list, lasts));
        return make_token(in, list, err);
    }
    return 0;
}

int outputs_decide(const struct outputs_input *in, const struct decision *decisions, bool new_ca,
                   time_t lasts, int folder, struct output_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (decide_one(in, decisions, new_ca, lasts, folder, list, &list->items[i], err) < 0)
            return -1;
    return 0;
}

void outputs_free(struct output_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].server);
        buffer_free(&list->items[i].old);
    }
    free(list->items);
    encryption_free(&list->encryption);
    OPENSSL_cleanse(&list->token, sizeof list->token);
}
