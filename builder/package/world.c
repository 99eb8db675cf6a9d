#include "builder/package/world.h"

#include <solv/evr.h>
#include <solv/poolarch.h>
#include <stdio.h>
#include <string.h>

#include "builder/heap.h"

enum { ALTERNATIVES_MAX = 64, CITED_MAX = 200 };

int world_create(const char *architecture, struct world *out, struct error *err)
{
    *out = (struct world){.pool = pool_create()};
    /* -1: this libsolv was built for packages of another kind only. */
    if (pool_setdisttype(out->pool, DISTTYPE_DEB) < 0) {
        world_free(out);
        return error_set(err, "libsolv of this machine knows no Debian packages");
    }
    pool_setarch(out->pool, architecture);
    out->installed = repo_create(out->pool, "installed");
    out->offered = repo_create(out->pool, "offered");
    pool_set_installed(out->pool, out->installed);
    return 0;
}

static Id id_of(Pool *pool, struct dpkg_text text)
{
    return pool_strn2id(pool, text.at, (unsigned)text.len, 1);
}

/* For dpkg a version without a revision has the revision 0; for libsolv it comes before all. */
static Id version_id(Pool *pool, struct dpkg_text text)
{
    if (text.len == 0 || memchr(text.at, '-', text.len))
        return id_of(pool, text);
    char *whole AUTO_FREE = heap_printf("%.*s-0", (int)text.len, text.at);
    return pool_str2id(pool, whole, 1);
}

void world_plain(char *text)
{
    for (char *p = text; (p = strstr(p, "-0")) != NULL; p++)
        if (!p[2] || strchr(" ),", p[2]) || strncmp(p + 2, ".a", 2) == 0) {
            memmove(p, p + 2, strlen(p + 2) + 1);
            p--;
        }
}

static struct dpkg_text cut(struct dpkg_text *rest, const char *ends)
{
    size_t n = 0;
    while (n < rest->len && !(rest->at[n] && strchr(ends, rest->at[n])))
        n++;
    struct dpkg_text word = {rest->at, n};
    rest->at += n;
    rest->len -= n;
    return word;
}

static void skip_space(struct dpkg_text *rest)
{
    while (rest->len && strchr(" \t\r\n", *rest->at) && *rest->at) {
        rest->at++;
        rest->len--;
    }
}

static bool skip(struct dpkg_text *rest, char c)
{
    skip_space(rest);
    if (!rest->len || *rest->at != c)
        return false;
    rest->at++;
    rest->len--;
    return true;
}

static const struct {
    const char *sign;
    int flags;
} relations[] = {
    {"=", REL_EQ},  {">=", REL_GT | REL_EQ}, {"<=", REL_LT | REL_EQ}, {">>", REL_GT},
    {"<<", REL_LT}, {">", REL_GT | REL_EQ},  {"<", REL_LT | REL_EQ}}; /* the last two are old ways
                                                                         to write >= and <= */

/* What stands behind a name: "(>= 1.0)". */
static int read_version(Pool *pool, struct dpkg_text *rest, Id *id)
{
    if (!skip(rest, '('))
        return 0;
    skip_space(rest);
    size_t n = 0;
    while (n < rest->len && rest->at[n] && strchr("<>=", rest->at[n]))
        n++;
    struct dpkg_text sign = {rest->at, n};
    rest->at += n;
    rest->len -= n;
    skip_space(rest);
    struct dpkg_text version = cut(rest, " \t\r\n)");
    if (!skip(rest, ')') || version.len == 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(relations); i++)
        if (dpkg_text_is(sign, relations[i].sign)) {
            *id = pool_rel2id(pool, *id, version_id(pool, version), relations[i].flags, 1);
            return 0;
        }
    return -1;
}

/* "python3:any" stays a name of its own, which packages with Multi-Arch: allowed provide. */
static int read_relation(Pool *pool, struct dpkg_text *rest, Id *id)
{
    skip_space(rest);
    struct dpkg_text name = cut(rest, " \t\r\n(|,");
    const char *colon = name.len ? memchr(name.at, ':', name.len) : NULL;
    if (name.len == 0)
        return -1;
    size_t bare = colon ? (size_t)(colon - name.at) : name.len;
    if (dpkg_text_is((struct dpkg_text){name.at + bare, name.len - bare}, ":amd64"))
        name.len = bare;
    *id = id_of(pool, name);
    return read_version(pool, rest, id);
}

/* "a | b": any of them will do. */
static int read_alternatives(Pool *pool, struct dpkg_text *rest, Id *id)
{
    if (read_relation(pool, rest, id) < 0)
        return -1;
    /* libsolv goes as deep as these are many. */
    for (size_t n = 1; skip(rest, '|'); n++) {
        Id more = 0;
        if (n == ALTERNATIVES_MAX || read_relation(pool, rest, &more) < 0)
            return -1;
        *id = pool_rel2id(pool, *id, more, REL_OR, 1);
    }
    return 0;
}

/* Adds the relations of a field to one of a solvable's lists. */
static int add_field(Repo *repo, struct dpkg_text stanza, const char *field, Offset *list,
                     struct error *err)
{
    struct dpkg_text value = dpkg_field(stanza, field), rest = value;
    skip_space(&rest);
    while (rest.len) {
        Id id = 0;
        if (read_alternatives(repo->pool, &rest, &id) < 0 || (!skip(&rest, ',') && rest.len))
            return error_set(err, "%s: '%.*s' is no list of packages", field,
                             (int)(value.len < CITED_MAX ? value.len : CITED_MAX), value.at);
        *list = repo_addid(repo, *list, id);
        skip_space(&rest);
    }
    return 0;
}

/* What everybody may ask for by this name. */
static Offset add_own_names(Repo *repo, struct dpkg_text stanza, const Solvable *s, Offset gives)
{
    Pool *pool = repo->pool;
    gives = repo_addid(repo, gives, pool_rel2id(pool, s->name, s->evr, REL_EQ, 1));
    if (!dpkg_text_is(dpkg_field(stanza, "Multi-Arch"), "allowed"))
        return gives;
    char *any AUTO_FREE = heap_printf("%s:any", pool_id2str(pool, s->name));
    Id name = pool_str2id(pool, any, 1);
    return repo_addid(repo, gives, pool_rel2id(pool, name, s->evr, REL_EQ, 1));
}

static int add_relations(Repo *repo, struct dpkg_text stanza, Id id, struct error *err)
{
    Offset needs = 0, against = 0, gives = 0;
    if (add_field(repo, stanza, "Pre-Depends", &needs, err) < 0 ||
        add_field(repo, stanza, "Depends", &needs, err) < 0 ||
        add_field(repo, stanza, "Conflicts", &against, err) < 0 ||
        add_field(repo, stanza, "Breaks", &against, err) < 0 ||
        add_field(repo, stanza, "Provides", &gives, err) < 0)
        return -1;
    Solvable *s = pool_id2solvable(repo->pool, id);
    s->requires = needs;
    s->conflicts = against;
    s->provides = add_own_names(repo, stanza, s, gives);
    return 0;
}

static int add_stanza(Repo *repo, struct dpkg_text stanza, Id *id, struct error *err)
{
    struct dpkg_text name = dpkg_field(stanza, "Package");
    Pool *pool = repo->pool;
    *id = repo_add_solvable(repo);
    Solvable *s = pool_id2solvable(pool, *id);
    s->name = id_of(pool, name);
    s->evr = version_id(pool, dpkg_field(stanza, "Version"));
    s->arch = id_of(pool, dpkg_field(stanza, "Architecture"));
    if (add_relations(repo, stanza, *id, err) < 0)
        return error_context(err, "%.*s", (int)(name.len < CITED_MAX ? name.len : CITED_MAX),
                             name.at);
    return 0;
}

int world_add_installed(struct world *world, const char *architecture, struct dpkg_text status,
                        struct error *err)
{
    struct dpkg_text stanza;
    while (dpkg_next(&status, &stanza)) {
        Id id;
        struct dpkg_text machine = dpkg_field(stanza, "Architecture");
        if (dpkg_stanza_installed(stanza) &&
            (dpkg_text_is(machine, architecture) || dpkg_text_is(machine, "all")) &&
            add_stanza(world->installed, stanza, &id, err) < 0)
            return -1;
    }
    return 0;
}

int world_add_offered(struct world *world, struct dpkg_text stanza, Id *id, struct error *err)
{
    return add_stanza(world->offered, stanza, id, err);
}

void world_finish(struct world *world)
{
    pool_createwhatprovides(world->pool);
}

int world_compare(const struct world *world, const char *a, const char *b)
{
    Id x = version_id(world->pool, (struct dpkg_text){a, strlen(a)});
    Id y = version_id(world->pool, (struct dpkg_text){b, strlen(b)});
    return pool_evrcmp(world->pool, x, y, EVRCMP_COMPARE);
}

void world_free(struct world *world)
{
    if (world->pool)
        pool_free(world->pool); /* and its repos */
    *world = (struct world){0};
}
