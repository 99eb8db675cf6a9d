/* The facts of a contract with their values, every one checked against its type. */
#ifndef NB_FIRSTBOOT_FACTS_H
#define NB_FIRSTBOOT_FACTS_H

#include "common/attributes.h"
#include "common/error.h"
#include "common/template.h"
#include "firstboot/bundle.h"
#include "firstboot/contract.h"
#include "firstboot/source.h"
#include "firstboot/ssh-keys.h"

/* values[i] belongs to contract->facts[i]; empty while it has none. The value of a fact of type
 * sshkeys is in `keys`, and may be none; that of one of type bundle is in `bundle`. */
struct facts {
    const struct contract *contract;
    const char *source; /* the name of the source that they come from */
    char values[CONTRACT_FACTS_MAX][VALUE_MAX];
    struct ssh_keys keys;
    struct bundle bundle;     /* checked */
    char instance[VALUE_MAX]; /* the platform's own name for this machine; empty: not known */
    bool unfiltered;          /* the kernel could not bind the process that asked */
};

/* Begins without values. */
void facts_init(struct facts *f, const struct contract *contract, const char *source)
    NONNULL(1, 2, 3);

/* Asks the source for each fact, `from` line by `from` line until one has a value; for
 * keys, all of them. A fact without value, or with a wrong one, is an error: `SOURCE: FACT: cause`;
 * keys may be none, and what is no key is left out. Then asks for the instance, which may have no
 * name. */
int facts_collect(struct facts *f, const struct source *source, struct deadline deadline,
                  struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

/* Reads lines NAME=VALUE, one for each fact of the contract and no others, but of keys any number,
 * a key each, and of a bundle as many as it takes; the text is changed.
 * The error reads `SOURCE: FACT: cause`, or `SOURCE: line N: cause` when no fact is meant. */
int facts_parse(struct facts *f, char *text, size_t len, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* Forgets all values, in memory too. */
void facts_wipe(struct facts *f) NONNULL(1);

/* The value of a fact; NULL when the contract has no such fact, it has no value yet, or it is a
 * bundle, which is for no template. */
const char *facts_value(const struct facts *f, const char *name) NONNULL(1, 2);

/* facts_value for template_render; ctx is a struct facts. */
enum template_answer facts_lookup(void *ctx, const char *name, const char **value);

#endif
