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

static int take_value(struct facts *f, unsigned fact, struct source_value value, struct error *err)
{
    if (is_keys(f, fact)) {
        ssh_keys_take(&f->keys, value.bytes, value.len);
        return 0;
    }
    if (value.len >= VALUE_MAX)
        return error_set(err, "a value of %zu bytes, at most %d are allowed", value.len,
                         VALUE_MAX - 1);
    if (value.len && memchr(value.bytes, '\0', value.len))
        return error_set(err, "a value with a NUL byte");
    memcpy(f->values[fact], value.bytes, value.len);
    f->values[fact][value.len] = '\0';
    return value_check(f->contract->facts[fact].type, f->values[fact], err);
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

int facts_collect(struct facts *f, const struct source *source, struct deadline deadline,
                  struct error *err)
{
    for (unsigned i = 0; i < f->contract->fact_count; i++)
        if (collect_one(f, i, source, deadline, err) < 0)
            return name_fact(f, i, err);
    return 0;
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
    if (f->values[i][0])
        return error_set(err, "%s: %s: line %u gives it a second time", f->source, name, number);
    if (value_check(f->contract->facts[i].type, value, err) < 0)
        return error_context(err, "%s: %s: line %u", f->source, name, number);
    snprintf(f->values[i], VALUE_MAX, "%s", value);
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
        if (!f->values[i][0] && !is_keys(f, i))
            return error_set(err, "%s: %s: no line %s=VALUE", f->source, f->contract->facts[i].name,
                             f->contract->facts[i].name);
    return 0;
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
