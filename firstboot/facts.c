#include "firstboot/facts.h"

#include <stdio.h>
#include <string.h>

#include "firstboot/lines.h"

void facts_init(struct facts *f, const struct contract *contract, const char *source)
{
    memset(f, 0, sizeof *f);
    f->contract = contract;
    f->source = source;
    ssh_keys_init(&f->keys, contract->user);
}

static bool is_keys(const struct facts *f, unsigned fact)
{
    return f->contract->facts[fact].type == VALUE_SSHKEYS;
}

static bool is_bundle(const struct facts *f, unsigned fact)
{
    return f->contract->facts[fact].type == VALUE_BUNDLE;
}

/* Lists the paths that were asked in vain. */
static int absent(const struct facts *f, unsigned fact, struct error *err)
{
    char asked[512];
    struct buffer list = BUFFER_FIXED(asked);
    asked[0] = '\0';
    const struct contract *c = f->contract;
    unsigned count = 0;
    for (unsigned i = 0; i < c->from_count; i++) {
        const struct contract_from *from = &c->froms[i];
        if (from->fact != fact || strcmp(from->source, f->source) != 0)
            continue;
        buffer_printf(&list, "%s%s", count++ ? ", " : "", from->path);
    }
    if (count == 0)
        return error_set(err, "the contract has no 'from' line of this source for it");
    return error_set(err, "%s %s not set", asked, count > 1 ? "are" : "is");
}

/* Host names come several in a value, and with their domain: the first one is meant, and by a label
 * its first part. */
static void cut_host_name(enum value_type type, const char *path, struct source_value *value)
{
    static const char name[] = "hostname";
    size_t n = strlen(path), end = 0;
    if (n < sizeof name - 1 || strcmp(path + n - (sizeof name - 1), name) != 0 ||
        (type != VALUE_LABEL && type != VALUE_NAME))
        return;
    while (end < value->len && value->bytes[end] != ' ' &&
           (type == VALUE_NAME || value->bytes[end] != '.'))
        end++;
    value->len = end;
}

static int take_value(struct facts *f, unsigned fact, struct source_value value, struct error *err)
{
    if (is_keys(f, fact)) {
        ssh_keys_take(&f->keys, value.bytes, value.len);
        return 0;
    }
    if (is_bundle(f, fact))
        return bundle_add(&f->bundle, value.bytes, value.len, err) < 0
                   ? -1
                   : bundle_check(&f->bundle, err);
    if (value.len >= VALUE_MAX)
        return error_set(err, "a value of %zu bytes, at most %d are allowed", value.len,
                         VALUE_MAX - 1);
    if (value.len && memchr(value.bytes, '\0', value.len))
        return error_set(err, "a value with a NUL byte");
    memcpy(f->values[fact], value.bytes, value.len);
    f->values[fact][value.len] = '\0';
    return value_check_fact(f->contract->facts[fact].type, f->values[fact], err);
}

static int collect_one(struct facts *f, unsigned fact, const struct source *source,
                       struct deadline deadline, struct error *err)
{
    const struct contract *c = f->contract;
    for (unsigned i = 0; i < c->from_count; i++) {
        const struct contract_from *from = &c->froms[i];
        struct source_value value;
        if (from->fact != fact || strcmp(from->source, source->name) != 0)
            continue;
        int got = source->get(from->path, &value, deadline, err);
        if (got > 0)
            cut_host_name(c->facts[fact].type, from->path, &value);
        if (got > 0 && take_value(f, fact, value, err) < 0)
            return error_context(err, "%s", from->path);
        if (got < 0 || (got > 0 && !is_keys(f, fact)))
            return got < 0 ? -1 : 0;
    }
    return is_keys(f, fact) ? 0 : absent(f, fact, err);
}

/* SOURCE: PATH: cause becomes SOURCE: FACT: PATH: cause. */
static int name_fact(const struct facts *f, unsigned fact, struct error *err)
{
    size_t n = strlen(f->source);
    if (strncmp(err->text, f->source, n) == 0 && strncmp(err->text + n, ": ", 2) == 0)
        memmove(err->text, err->text + n + 2, strlen(err->text + n + 2) + 1);
    return error_context(err, "%s: %s", f->source, f->contract->facts[fact].name);
}

/* The number of a machine tells it from one of the same name that was deleted. */
static int collect_instance(struct facts *f, const struct source *source, struct deadline deadline,
                            struct error *err)
{
    struct source_value value;
    int got = source->instance ? source->get(source->instance, &value, deadline, err) : 0;
    if (got <= 0)
        return got;
    if (value.len >= sizeof f->instance || memchr(value.bytes, '\0', value.len))
        return error_set(err, "%s: %s: no instance's name", f->source, source->instance);
    memcpy(f->instance, value.bytes, value.len);
    f->instance[value.len] = '\0';
    return value_check(VALUE_TOKEN, f->instance, err) < 0
               ? error_context(err, "%s: %s", f->source, source->instance)
               : 0;
}

int facts_collect(struct facts *f, const struct source *source, struct deadline deadline,
                  struct error *err)
{
    for (unsigned i = 0; i < f->contract->fact_count; i++)
        if (collect_one(f, i, source, deadline, err) < 0)
            return name_fact(f, i, err);
    return collect_instance(f, source, deadline, err);
}

/* What is in a file was written for it: nothing of it is passed over. */
static int parse_key(struct facts *f, const char *name, const char *value, unsigned number,
                     struct error *err)
{
    if (!*value || ssh_keys_add(&f->keys, value, strlen(value)))
        return 0;
    return error_set(err,
                     "%s: %s: line %u: not a public key such as 'ssh-ed25519 AAAA... name', or "
                     "more than %d keys",
                     f->source, name, number, SSH_KEYS_COUNT_MAX);
}

/* It is longer than a line may be: each gives its next bytes. */
static int parse_bundle(struct facts *f, const char *name, const char *value, unsigned number,
                        struct error *err)
{
    if (bundle_add(&f->bundle, value, strlen(value), err) < 0)
        return error_context(err, "%s: %s: line %u", f->source, name, number);
    return 0;
}

static int parse_line(struct facts *f, char *line, unsigned number, struct error *err)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return error_set(err, "%s: line %u: no '='; right is NAME=VALUE", f->source, number);
    *equals = '\0';
    const char *name = line, *value = equals + 1;
    int i = contract_fact_index(f->contract, name);
    if (i < 0)
        return error_set(err, "%s: line %u: '%.60s' is no fact of the contract", f->source, number,
                         name);
    if (is_keys(f, (unsigned)i))
        return parse_key(f, name, value, number, err);
    if (is_bundle(f, (unsigned)i))
        return parse_bundle(f, name, value, number, err);
    if (f->values[i][0])
        return error_set(err, "%s: %s: line %u gives it a second time", f->source, name, number);
    if (value_check_fact(f->contract->facts[i].type, value, err) < 0)
        return error_context(err, "%s: %s: line %u", f->source, name, number);
    snprintf(f->values[i], VALUE_MAX, "%s", value);
    return 0;
}

/* What only all lines tell. */
static int check_given(const struct facts *f, unsigned fact, struct error *err)
{
    const char *name = f->contract->facts[fact].name;
    bool given = is_bundle(f, fact) ? f->bundle.len > 0 : *f->values[fact] || is_keys(f, fact);
    if (!given)
        return error_set(err, "%s: %s: no line %s=VALUE", f->source, name, name);
    if (is_bundle(f, fact) && bundle_check(&f->bundle, err) < 0)
        return error_context(err, "%s: %s", f->source, name);
    return 0;
}

int facts_parse(struct facts *f, char *text, size_t len, struct error *err)
{
    struct lines l = lines_of(text, len);
    char *line;
    int got;
    while ((got = lines_next(&l, &line, err)) > 0)
        if (!line_skipped(line) && parse_line(f, line, l.number, err) < 0)
            return -1;
    if (got < 0)
        return error_context(err, "%s: line %u", f->source, l.number);
    for (unsigned i = 0; i < f->contract->fact_count; i++)
        if (check_given(f, i, err) < 0)
            return -1;
    return 0;
}

void facts_wipe(struct facts *f)
{
    explicit_bzero(f->values, sizeof f->values);
    explicit_bzero(f->keys.text, sizeof f->keys.text);
    bundle_wipe(&f->bundle);
}

const char *facts_value(const struct facts *f, const char *name)
{
    int i = contract_fact_index(f->contract, name);
    if (i >= 0 && is_keys(f, (unsigned)i))
        return f->keys.text;
    return i >= 0 && f->values[i][0] ? f->values[i] : NULL;
}

enum template_answer facts_lookup(void *ctx, const char *name, const char **value)
{
    *value = facts_value(ctx, name);
    return *value ? TEMPLATE_VALUE : TEMPLATE_UNKNOWN;
}
