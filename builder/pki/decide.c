#include "builder/pki/decide.h"

#include "builder/pki/check.h"

static int refuse(struct decision *d)
{
    d->verdict = VERDICT_REFUSE;
    return -1;
}

static int reissue(struct decision *d)
{
    d->verdict = VERDICT_REISSUE;
    return -1;
}

/* Does what is there go together? */
static int decide_files(const struct identity *id, const struct holding *h, struct decision *d)
{
    if (*h->fault.text) {
        d->why = h->fault;
        return refuse(d);
    }
    if (!h->cert) {
        d->verdict = VERDICT_ISSUE;
        d->new_key = !h->key;
        return -1;
    }
    if (h->key)
        return check_pair(id->stem, h->cert, h->key, &d->why) < 0 ? refuse(d) : 0;
    error_set(&d->why,
              "%s.pem is there, but not its key %s-key.pem: put the key back, or remove %s.pem to "
              "have both issued anew",
              id->stem, id->stem, id->stem);
    return refuse(d);
}

/* Another CA of the cluster that issued it, or its index when there is none. */
static size_t other_issuer(const struct judge *j, const struct identity *id,
                           const struct holding *h)
{
    const char *ignored;
    for (size_t i = 0; i < j->ids->ca_count; i++)
        if (i != id->issuer && j->cas[i].cert &&
            chain_issued(h->cert, &h->between, j->cas[i].cert, &ignored))
            return i;
    return id->issuer;
}

static int refuse_issuer(const struct judge *j, const struct identity *id, const char *why,
                         struct decision *d)
{
    const char *ca = j->ids->items[id->issuer].stem;
    if (j->cas[id->issuer].state == CA_NEW)
        error_set(&d->why,
                  "%s.pem is there, but neither %s.pem nor %s-key.pem: put them back, or remove it "
                  "to have all issued by a new CA",
                  id->stem, ca, ca);
    else
        error_set(&d->why,
                  "%s.pem does not verify against %s.pem (%s): put back the %s.pem that issued it, "
                  "or remove %s.pem to have a new one issued",
                  id->stem, ca, why, ca, id->stem);
    return refuse(d);
}

static int decide_issuer(const struct judge *j, const struct identity *id, const struct holding *h,
                         struct decision *d)
{
    const struct ca *ca = &j->cas[id->issuer];
    const char *why = "", *ignored, *stem = j->ids->items[id->issuer].stem;
    X509 *old = j->holdings[id->issuer].old;
    if (ca->state == CA_REPLACED) {
        error_set(&d->why, "%s.pem is new", stem);
        return reissue(d);
    }
    if (!ca->cert || (ca->state != CA_NEW && chain_issued(h->cert, &h->between, ca->cert, &why)))
        return 0;
    size_t other = other_issuer(j, id, h);
    if (other != id->issuer)
        error_set(&d->why, "%s.pem issued it, not %s.pem", j->ids->items[other].stem, stem);
    else if (old && chain_issued(h->cert, &h->between, old, &ignored))
        error_set(&d->why, "%s-old.pem issued it, the CA before", stem);
    else
        return refuse_issuer(j, id, why, d);
    return reissue(d);
}

/* What ends first on the way to the CA ends the certificate. */
static int decide_lasts(const struct judge *j, const struct holding *h, X509 *ca,
                        struct decision *d)
{
    if (check_lasts(h->cert, ca, j->now, j->until, &d->why) < 0)
        return -1;
    for (size_t i = 0; i < h->between.count; i++)
        if (check_lasts(h->between.items[i], ca, j->now, j->until, &d->why) < 0)
            return error_context(&d->why, "the CA behind it in its file");
    return 0;
}

static void decide_cert(const struct judge *j, const struct identity *id, const struct holding *h,
                        struct decision *d)
{
    const struct ca *ca = &j->cas[id->issuer];
    if (decide_files(id, h, d) < 0 || decide_issuer(j, id, h, d) < 0)
        return;
    if (check_begun(id->stem, h->cert, j->now, &d->why) < 0)
        refuse(d);
    else if ((ca->cert && decide_lasts(j, h, ca->cert, d) < 0) ||
             check_fit(id, h->cert, ca->key != NULL, &d->why) < 0)
        reissue(d);
}

struct decision decide(const struct judge *judge, size_t i)
{
    const struct identity *id = &judge->ids->items[i];
    const struct ca *ca = &judge->cas[id->issuer];
    const char *stem = judge->ids->items[id->issuer].stem;
    struct decision d = {.verdict = VERDICT_KEEP};
    decide_cert(judge, id, &judge->holdings[i], &d);
    if ((d.verdict != VERDICT_ISSUE && d.verdict != VERDICT_REISSUE) || ca->key || !ca->cert ||
        judge->elsewhere)
        return d;
    const struct error why = d.why;
    error_set(&d.why,
              "%s-key.pem is not there, and %s.pem has to be issued%s%.200s%s: put the key "
              "of %s.pem back, or have the CA sign what `nodebake pki csr` writes",
              stem, id->stem, *why.text ? " (" : "", why.text, *why.text ? ")" : "", stem);
    refuse(&d);
    return d;
}
