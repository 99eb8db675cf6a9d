#include "builder/package/choose.h"

#include <solv/solver.h>
#include <solv/transaction.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/world.h"

/* What the choosing works on. */
struct choosing {
    struct world world;
    const struct deb_set *set;
    const char *const *wanted;
    size_t wanted_count;
    Id *ids; /* of the set's items; 0: there is a newer one */
};

static void choosing_free(struct choosing *c)
{
    world_free(&c->world);
    free(c->ids);
}

static void solver_free_at(Solver **solver)
{
    if (*solver)
        solver_free(*solver);
}

static void transaction_free_at(Transaction **transaction)
{
    if (*transaction)
        transaction_free(*transaction);
}

static bool is_newest(const struct choosing *c, const struct deb *deb)
{
    for (size_t i = 0; i < c->set->count; i++) {
        const struct deb *other = c->set->items[i];
        if (other == deb || strcmp(other->name, deb->name) != 0)
            continue;
        int order = world_compare(&c->world, other->version, deb->version);
        /* The same one twice: the first file. */
        if (order > 0 || (order == 0 && strcmp(other->path, deb->path) < 0))
            return false;
    }
    return true;
}

static int fill_world(struct choosing *c, struct dpkg_text status, const char *architecture,
                      struct error *err)
{
    if (world_create(architecture, &c->world, err) < 0)
        return -1;
    if (world_add_installed(&c->world, architecture, status, err) < 0)
        return error_context(err, "the base's package database");
    for (size_t i = 0; i < c->set->count; i++) {
        const struct deb *deb = c->set->items[i];
        const struct deb_control *control = deb_control(deb, "control");
        if (!control || !is_newest(c, deb))
            continue;
        if (world_add_offered(&c->world, (struct dpkg_text){control->text, control->len},
                              &c->ids[i], err) < 0)
            return error_context(err, "%s", deb->path);
    }
    world_finish(&c->world);
    return 0;
}

/* Notes who needs what nobody gives, and goes on with what the package needs else. */
static void note_missing(const struct choosing *c, Id package, Queue *todo, struct buffer *list)
{
    Pool *pool = c->world.pool;
    const Solvable *s = pool_id2solvable(pool, package);
    Queue needs;
    queue_init(&needs);
    solvable_lookup_deparray((Solvable *)s, SOLVABLE_REQUIRES, &needs, 0);
    for (int i = 0; i < needs.count; i++) {
        Id provider, at;
        bool met = false;
        FOR_PROVIDES(provider, at, needs.elements[i])
        {
            met = true;
            if (pool_id2solvable(pool, provider)->repo == c->world.offered)
                queue_pushunique(todo, provider);
        }
        if (!met)
            buffer_printf(list, "%s%s (needed by %s)", list->len ? ", " : "",
                          pool_dep2str(pool, needs.elements[i]), pool_id2str(pool, s->name));
    }
    queue_free(&needs);
}

/* Lists all that is missing, not only what the solver met first. */
static void find_missing(const struct choosing *c, struct buffer *list)
{
    Pool *pool = c->world.pool;
    Queue todo;
    queue_init(&todo);
    for (size_t i = 0; i < c->wanted_count; i++) {
        Id provider, at, name = pool_str2id(pool, c->wanted[i], 0);
        bool found = false;
        FOR_PROVIDES(provider, at, name)
        if (pool_id2solvable(pool, provider)->name == name) {
            queue_pushunique(&todo, provider);
            found = true;
        }
        if (!found)
            buffer_printf(list, "%s%s", list->len ? ", " : "", c->wanted[i]);
    }
    for (int i = 0; i < todo.count; i++)
        if (pool_id2solvable(pool, todo.elements[i])->repo == c->world.offered)
            note_missing(c, todo.elements[i], &todo, list);
    queue_free(&todo);
}

static int explain(const struct choosing *c, Solver *solver, struct error *err)
{
    struct buffer missing AUTO_BUFFER = buffer_heap();
    find_missing(c, &missing);
    world_plain(missing.data);
    if (missing.len)
        return error_set(err,
                         "neither the base nor %s has %s: put the .deb of each into that folder",
                         c->set->folder, missing.data);
    Id rule = solver_findproblemrule(solver, 1), from, to, dep;
    SolverRuleinfo type = solver_ruleinfo(solver, rule, &from, &to, &dep);
    char *why AUTO_FREE = heap_copy(solver_problemruleinfo2str(solver, type, from, to, dep));
    world_plain(why);
    return error_set(err, "the packages of %s do not go together with the base: %s", c->set->folder,
                     why);
}

static bool is_wanted(const struct choosing *c, const char *name)
{
    for (size_t i = 0; i < c->wanted_count; i++)
        if (strcmp(c->wanted[i], name) == 0)
            return true;
    return false;
}

static int add_choice(const struct choosing *c, Id id, Id type, struct choices *out,
                      struct error *err)
{
    bool upgrade = type == SOLVER_TRANSACTION_UPGRADE;
    if (!upgrade && type != SOLVER_TRANSACTION_INSTALL)
        return error_set(err, "the packages of %s would replace or remove %s of the base",
                         c->set->folder, pool_solvid2str(c->world.pool, id));
    for (size_t i = 0; i < c->set->count; i++)
        if (c->ids[i] == id) {
            struct deb *deb = c->set->items[i];
            *APPEND(out->items, out->count, out->cap) =
                (struct choice){deb, is_wanted(c, deb->name), upgrade};
        }
    return 0;
}

static int list_choices(const struct choosing *c, Solver *solver, struct choices *out,
                        struct error *err)
{
    Transaction *t __attribute__((cleanup(transaction_free_at))) =
        solver_create_transaction(solver);
    transaction_order(t, 0);
    for (int i = 0; i < t->steps.count; i++) {
        Id id = t->steps.elements[i];
        Id type = transaction_type(t, id, SOLVER_TRANSACTION_SHOW_ACTIVE);
        if (type != SOLVER_TRANSACTION_IGNORE && add_choice(c, id, type, out, err) < 0)
            return -1;
    }
    return 0;
}

static int solve(const struct choosing *c, struct choices *out, struct error *err)
{
    Pool *pool = c->world.pool;
    Solver *solver __attribute__((cleanup(solver_free_at))) = solver_create(pool);
    Queue job;
    solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
    queue_init(&job);
    for (size_t i = 0; i < c->wanted_count; i++)
        queue_push2(&job, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
                    pool_str2id(pool, c->wanted[i], 1));
    int problems = solver_solve(solver, &job);
    queue_free(&job);
    return problems ? explain(c, solver, err) : list_choices(c, solver, out, err);
}

int choose_debs(struct dpkg_text status, const char *architecture, const struct deb_set *set,
                const char *const *wanted, size_t n, struct choices *out, struct error *err)
{
    struct choosing c
        __attribute__((cleanup(choosing_free))) = {.set = set, .wanted = wanted, .wanted_count = n};
    c.ids = heap_array(set->count, sizeof *c.ids);
    *out = (struct choices){0};
    if (fill_world(&c, status, architecture, err) < 0 || solve(&c, out, err) < 0) {
        choices_free(out);
        return -1;
    }
    return 0;
}

void choices_free(struct choices *choices)
{
    free(choices->items);
    *choices = (struct choices){0};
}
