#include "firstboot/contract.h"

#include <string.h>

#include "common/template.h"
#include "firstboot/lines.h"
#include "firstboot/words.h"

enum { FIELDS_MAX = 6 };

/* What a line means: how it is written and what takes its fields. */
struct word {
    const char *name;
    unsigned fields; /* behind the name */
    const char *form;
    unsigned at_most;
    bool required;
    int (*take)(struct contract *c, char **field, unsigned line, struct error *err);
};

static int bad_field(struct error *err, const char *what, const char *field, const char *right)
{
    return error_set(err, "%s '%.80s' is not %s", what, field, right);
}

static int take_label(const char **out, char *field, const char *what, struct error *err)
{
    if (value_check(VALUE_LABEL, field, err) < 0)
        return error_context(err, "%s", what);
    *out = field;
    return 0;
}

static int take_cluster(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    return take_label(&c->cluster, field[0], "NAME", err);
}

static int take_role(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    return take_label(&c->role, field[0], "ROLE", err);
}

static int take_node(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    return take_label(&c->node, field[0], "NAME", err);
}

static int take_user(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    if (!word_is_user(field[0]))
        return bad_field(err, "NAME", field[0], "a user's name such as debian");
    c->user = field[0];
    return 0;
}

static int take_deadline(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    uint32_t seconds;
    if (!word_to_number(field[0], CONTRACT_DEADLINE_MAX, &seconds) || seconds == 0)
        return bad_field(err, "SECONDS", field[0], "a number from 1 to 600");
    c->deadline_s = seconds;
    return 0;
}

static int take_on_failure(struct contract *c, char **field, unsigned line, struct error *err)
{
    static const char *const actions[] = {"continue", "poweroff", "shell"};
    (void)line;
    for (unsigned i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(field[0], actions[i]) == 0) {
            c->on_failure = (enum on_failure)i;
            return 0;
        }
    return bad_field(err, "ACTION", field[0], "'continue', 'poweroff' or 'shell'");
}

static int take_imds(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    if (strcmp(field[0], "v1") != 0)
        return bad_field(err, "VERSION", field[0], "'v1'");
    c->imds_v1 = true;
    return 0;
}

static int take_source(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    struct contract_source *s = &c->sources[c->source_count];
    if (take_label(&s->name, field[0], "NAME", err) < 0)
        return -1;
    for (unsigned i = 0; i < c->source_count; i++)
        if (strcmp(c->sources[i].name, s->name) == 0)
            return error_set(err, "source '%s' is there already; one line each", s->name);
    if (strcmp(field[1], "product_uuid") != 0 && strcmp(field[1], "board_asset_tag") != 0 &&
        strcmp(field[1], "board_asset_tag,product_uuid") != 0)
        return bad_field(err, "IDENTITY", field[1],
                         "'product_uuid', 'board_asset_tag' or both with a comma, the tag first");
    s->identity = field[1];
    c->source_count++;
    return 0;
}

static int take_fact(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    struct contract_fact *f = &c->facts[c->fact_count];
    if (!word_is_fact(field[0]))
        return bad_field(err, "NAME", field[0], "A-Z, 0-9, _, a letter first, at most 47 bytes");
    if (contract_fact_index(c, field[0]) >= 0)
        return error_set(err, "fact %s is there already; one line each", field[0]);
    if (!value_type_parse(field[1], &f->type))
        return bad_field(err, "TYPE", field[1],
                         "label, name, ipv4, cidr, token, sshkeys or bundle");
    const struct contract_fact *same = contract_fact_of(c, f->type);
    if (same && (f->type == VALUE_SSHKEYS || f->type == VALUE_BUNDLE))
        return error_set(err, "fact %s is of type %s already; at most one is", same->name,
                         field[1]);
    f->name = field[0];
    c->fact_count++;
    return 0;
}

static int take_from(struct contract *c, char **field, unsigned line, struct error *err)
{
    int fact = contract_fact_index(c, field[0]);
    if (fact < 0)
        return error_set(err, "no fact '%.80s'; its 'fact' line comes first", field[0]);
    c->froms[c->from_count++] = (struct contract_from){
        .fact = (unsigned)fact, .source = field[1], .path = field[2], .line = line};
    return 0;
}

/* MODE UID GID and the destination, which no other line may have. */
static int take_file(struct contract *c, char **field, char *dest, unsigned line, struct error *err)
{
    struct contract_file *f = &c->files[c->file_count];
    if (!word_to_mode(field[0], &f->mode))
        return bad_field(err, "MODE", field[0], "four octal digits such as 0644");
    uint32_t uid, gid;
    if (!word_to_number(field[1], UINT32_MAX - 1, &uid))
        return bad_field(err, "UID", field[1], "a user's number such as 0");
    if (!word_to_number(field[2], UINT32_MAX - 1, &gid))
        return bad_field(err, "GID", field[2], "a group's number such as 0");
    if (!word_is_path(dest, true))
        return bad_field(err, "DEST", dest, "an absolute path without '.', '..' and '//'");
    for (unsigned i = 0; i < c->file_count; i++)
        if (strcmp(c->files[i].dest, dest) == 0)
            return error_set(err, "DEST %.200s is that of line %u already", dest, c->files[i].line);
    f->uid = uid;
    f->gid = gid;
    f->dest = dest;
    f->line = line;
    c->file_count++;
    return 0;
}

static int take_identity(struct contract *c, char **field, unsigned line, struct error *err)
{
    if (!word_is_path(field[3], false))
        return bad_field(err, "FILE", field[3], "a relative path without '.', '..' and '//'");
    c->files[c->file_count].identity = field[3];
    return take_file(c, field, field[4], line, err);
}

static int take_template(struct contract *c, char **field, unsigned line, struct error *err)
{
    c->files[c->file_count].identity = NULL;
    return take_file(c, field, field[3], line, err);
}

static int take_unit(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    struct contract_unit *u = &c->units[c->unit_count];
    *u = (struct contract_unit){.name = field[0], .target = field[1], .path = field[2]};
    if (!word_is_unit(u->name))
        return bad_field(err, "NAME", u->name, "a unit's name such as kubelet.service");
    if (!word_is_unit(u->target))
        return bad_field(err, "TARGET", u->target, "a unit's name such as multi-user.target");
    if (!word_is_path(u->path, true))
        return bad_field(err, "PATH", u->path, "an absolute path without '.', '..' and '//'");
    for (unsigned i = 0; i < c->unit_count; i++)
        if (strcmp(c->units[i].name, u->name) == 0 && strcmp(c->units[i].target, u->target) == 0)
            return error_set(err, "%s is wanted by %s already; one line each", u->name, u->target);
    c->unit_count++;
    return 0;
}

/* `*` stands for any rest of a name, and nowhere else. */
static int take_forget(struct contract *c, char **field, unsigned line, struct error *err)
{
    (void)line;
    const char *star = strchr(field[0], '*');
    if (!word_is_path(field[0], true) || (star && star[1]))
        return bad_field(err, "PATH", field[0],
                         "an absolute path without '.', '..' and '//', which a '*' may end");
    c->forgets[c->forget_count++] = field[0];
    return 0;
}

static const struct word words[] = {
    {"cluster", 1, "cluster NAME", 1, true, take_cluster},
    {"role", 1, "role ROLE", 1, true, take_role},
    {"node", 1, "node NAME", 1, false, take_node},
    {"user", 1, "user NAME", 1, false, take_user},
    {"deadline", 1, "deadline SECONDS", 1, true, take_deadline},
    {"on-failure", 1, "on-failure ACTION", 1, true, take_on_failure},
    {"imds", 1, "imds v1", 1, false, take_imds},
    {"source", 2, "source NAME IDENTITY", CONTRACT_SOURCES_MAX, false, take_source},
    {"fact", 2, "fact NAME TYPE", CONTRACT_FACTS_MAX, false, take_fact},
    {"from", 3, "from NAME SOURCE PATH", CONTRACT_FROMS_MAX, false, take_from},
    {"identity", 5, "identity MODE UID GID FILE DEST", CONTRACT_IDENTITIES_MAX, false,
     take_identity},
    {"template", 4, "template MODE UID GID DEST", CONTRACT_TEMPLATES_MAX, false, take_template},
    {"unit", 3, "unit NAME TARGET PATH", CONTRACT_UNITS_MAX, false, take_unit},
    {"forget", 1, "forget PATH", CONTRACT_FORGETS_MAX, false, take_forget},
};

static int check_version(struct lines *l, struct error *err)
{
    static const char magic[] = "nodebake-contract ";
    char *line;
    int got = lines_next(l, &line, err);
    if (got < 0)
        return -1;
    if (got == 0)
        l->number = 1;
    if (got == 0 || strncmp(line, magic, sizeof magic - 1) != 0)
        return error_set(err, "not a contract; the first line is 'nodebake-contract %d'",
                         CONTRACT_VERSION);
    if (strcmp(line + sizeof magic - 1, "1") != 0)
        return error_set(err, "version %.20s is not known; this firstboot reads version %d",
                         line + sizeof magic - 1, CONTRACT_VERSION);
    return 0;
}

static int take_line(struct contract *c, char *line, unsigned number, unsigned *seen,
                     struct error *err)
{
    char *field[FIELDS_MAX];
    unsigned count = line_split(line, field, FIELDS_MAX);
    if (count == 0)
        return error_set(err, "an empty field; one space stands between two fields");
    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        const struct word *w = &words[i];
        if (strcmp(w->name, field[0]) != 0)
            continue;
        if (count != w->fields + 1)
            return error_set(err, "wrong number of fields; right is '%s'", w->form);
        if (seen[i]++ == w->at_most)
            return error_set(err, "too many '%s' lines; at most %u", w->name, w->at_most);
        return w->take(c, field + 1, number, err);
    }
    return error_set(err, "unknown word '%.80s'; version %d has no such line", field[0],
                     CONTRACT_VERSION);
}

/* Checks one @NAME@ of an identity's path; the last complaint stays in err. */
struct path_names {
    const struct contract *contract;
    struct error *err;
    bool bad;
};

static enum template_answer check_name(void *ctx, const char *name, const char **value)
{
    struct path_names *p = ctx;
    (void)value;
    int i = contract_fact_index(p->contract, name);
    if (i >= 0) {
        enum value_type type = p->contract->facts[i].type;
        if (type == VALUE_LABEL || type == VALUE_NAME || type == VALUE_IPV4)
            return TEMPLATE_LATER;
        error_set(p->err, "@%s@ is a %s; a path takes facts of type label, name or ipv4", name,
                  value_type_name(type));
    } else
        error_set(p->err, "@%s@ has no 'fact' line", name);
    p->bad = true;
    return TEMPLATE_LATER;
}

/* A value of another type may hold slashes, and lead elsewhere. */
static int check_path_names(const struct contract *c, const char *path, struct error *err)
{
    char text[4 * LINE_MAX_BYTES];
    struct buffer ignored = BUFFER_FIXED(text);
    struct path_names names = {.contract = c, .err = err};
    if (template_render(&ignored, path, strlen(path), check_name, &names, NULL, err) < 0)
        return -1;
    return names.bad ? -1 : 0;
}

static int check_files(const struct contract *c, unsigned *line, struct error *err)
{
    for (unsigned i = 0; i < c->file_count; i++) {
        const struct contract_file *f = &c->files[i];
        *line = f->line;
        if (f->identity &&
            (check_path_names(c, f->identity, err) < 0 || check_path_names(c, f->dest, err) < 0))
            return -1;
    }
    return 0;
}

static int check_froms(const struct contract *c, unsigned *line, struct error *err)
{
    for (unsigned i = 0; i < c->from_count; i++) {
        unsigned s = 0;
        while (s < c->source_count && strcmp(c->sources[s].name, c->froms[i].source) != 0)
            s++;
        *line = c->froms[i].line;
        if (s == c->source_count)
            return error_set(err, "source '%.80s' is not allowed; it has no 'source' line",
                             c->froms[i].source);
    }
    return 0;
}

/* What only the whole text tells; *line is that of the error. */
static int check_whole(const struct contract *c, const unsigned *seen, unsigned *line,
                       struct error *err)
{
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].required && !seen[i])
            return error_set(err, "the file ends without a '%s' line; right is '%s'", words[i].name,
                             words[i].form);
    int node = contract_fact_index(c, CONTRACT_NODE_FACT);
    if (node < 0 || c->facts[node].type != VALUE_LABEL)
        return error_set(err, "the file ends without the line 'fact " CONTRACT_NODE_FACT " label'");
    const struct contract_fact *keys = contract_fact_of(c, VALUE_SSHKEYS);
    if (keys && !c->user)
        return error_set(err, "the file ends without a 'user' line, and fact %s is of type sshkeys",
                         keys->name);
    if (check_froms(c, line, err) < 0)
        return -1;
    return check_files(c, line, err);
}

static int parse(struct lines *l, struct contract *c, struct error *err)
{
    unsigned seen[ARRAY_LEN(words)] = {0};
    if (check_version(l, err) < 0)
        return -1;
    char *line;
    int got;
    while ((got = lines_next(l, &line, err)) > 0)
        if (!line_skipped(line) && take_line(c, line, l->number, seen, err) < 0)
            return -1;
    if (got < 0)
        return -1;
    return check_whole(c, seen, &l->number, err);
}

int contract_parse(char *text, size_t len, struct contract *out, struct error *err)
{
    struct lines l = lines_of(text, len);
    *out = (struct contract){0};
    if (len > CONTRACT_BYTES_MAX)
        return error_set(err, "contract: larger than the %d bytes allowed", CONTRACT_BYTES_MAX);
    if (parse(&l, out, err) < 0) {
        *out = (struct contract){0};
        return error_context(err, "contract:%u", l.number);
    }
    return 0;
}

int contract_fact_index(const struct contract *c, const char *name)
{
    for (unsigned i = 0; i < c->fact_count; i++)
        if (strcmp(c->facts[i].name, name) == 0)
            return (int)i;
    return -1;
}

const struct contract_fact *contract_fact_of(const struct contract *c, enum value_type type)
{
    for (unsigned i = 0; i < c->fact_count; i++)
        if (c->facts[i].type == type)
            return &c->facts[i];
    return NULL;
}
