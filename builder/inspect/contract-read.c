#include "builder/inspect/contract-read.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "common/contract.h"

enum { FIELDS_MAX = 6 };

/* A line in words, cleaned. */
struct line {
    char *fields[FIELDS_MAX];
    size_t count;
};

static void line_free(struct line *line)
{
    for (size_t i = 0; i < line->count; i++)
        free(line->fields[i]);
}
#define AUTO_LINE __attribute__((cleanup(line_free)))

/* Words behind the last field belong to it. */
static struct line split(const char *at, const char *end)
{
    struct line line = {.count = 0};
    while (at < end && line.count < FIELDS_MAX) {
        const char *space =
            line.count + 1 < FIELDS_MAX ? memchr(at, ' ', (size_t)(end - at)) : NULL;
        const char *stop = space ? space : end;
        line.fields[line.count++] = report_text(at, (size_t)(stop - at));
        at = space ? space + 1 : end;
    }
    return line;
}

static void take_text(char **out, struct line *line)
{
    free(*out);
    *out = steal(line->fields[1]);
}

static void take_source(struct contract_report *c, struct line *line)
{
    if (c->source_count < CONTRACT_SOURCES_MAX)
        *APPEND(c->sources, c->source_count, c->source_cap) =
            (struct source_line){steal(line->fields[1]), steal(line->fields[2])};
}

static void take_fact(struct contract_report *c, struct line *line)
{
    if (c->fact_count < CONTRACT_FACTS_MAX)
        *APPEND(c->facts, c->fact_count, c->fact_cap) =
            (struct fact_line){.name = steal(line->fields[1]), .type = steal(line->fields[2])};
}

static void take_from(struct contract_report *c, struct line *line)
{
    char *from AUTO_FREE = heap_printf("%s %s", line->fields[2], line->fields[3]);
    for (size_t i = 0; i < c->fact_count; i++)
        if (strcmp(c->facts[i].name, line->fields[1]) == 0 &&
            c->facts[i].from.count < CONTRACT_FROMS_MAX)
            list_add(&c->facts[i].from, from);
}

static void take_identity(struct contract_report *c, struct line *line)
{
    if (c->identity_count < CONTRACT_IDENTITIES_MAX)
        *APPEND(c->identities, c->identity_count, c->identity_cap) =
            (struct file_line){.file = steal(line->fields[4]), .dest = steal(line->fields[5])};
}

static void take_template(struct contract_report *c, struct line *line)
{
    if (c->template_count < CONTRACT_TEMPLATES_MAX)
        *APPEND(c->templates, c->template_count, c->template_cap) =
            (struct file_line){.dest = steal(line->fields[4])};
}

static void take_unit(struct contract_report *c, struct line *line)
{
    if (c->unit_count < CONTRACT_UNITS_MAX)
        *APPEND(c->units, c->unit_count, c->unit_cap) = (struct unit_line){
            steal(line->fields[1]), steal(line->fields[2]), steal(line->fields[3]), UNIT_WAITING};
}

static void take_cluster(struct contract_report *c, struct line *line)
{
    take_text(&c->cluster, line);
}

static void take_role(struct contract_report *c, struct line *line)
{
    take_text(&c->role, line);
}

static void take_node(struct contract_report *c, struct line *line)
{
    take_text(&c->node, line);
}

static void take_user(struct contract_report *c, struct line *line)
{
    take_text(&c->user, line);
}

static void take_deadline(struct contract_report *c, struct line *line)
{
    unsigned long seconds = strtoul(line->fields[1], NULL, 10);
    c->deadline = seconds > CONTRACT_DEADLINE_MAX ? 0 : (unsigned)seconds;
}

static const struct {
    const char *word;
    size_t fields; /* with the word */
    void (*take)(struct contract_report *c, struct line *line);
} words[] = {
    {"cluster", 2, take_cluster},   {"role", 2, take_role},         {"node", 2, take_node},
    {"deadline", 2, take_deadline}, {"source", 3, take_source},     {"fact", 3, take_fact},
    {"from", 4, take_from},         {"identity", 6, take_identity}, {"template", 5, take_template},
    {"unit", 4, take_unit},         {"user", 2, take_user},
};

static void take_line(struct contract_report *c, struct line *line)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (line->count == words[i].fields && strcmp(line->fields[0], words[i].word) == 0) {
            words[i].take(c, line);
            return;
        }
}

void contract_read(const char *text, size_t len, struct contract_report *out)
{
    const char *end = text + len;
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        struct line line AUTO_LINE = split(at, stop);
        if (out->version)
            take_line(out, &line);
        else if (line.count == 2 && strcmp(line.fields[0], "nodebake-contract") == 0)
            out->version = (unsigned)strtoul(line.fields[1], NULL, 10);
        if (!out->version)
            return;
        at = newline ? newline + 1 : end;
    }
}

/* The value of the next line, which has to be `word VALUE`; NULL: it is not. The caller frees it.
 */
static char *take_value(const char **at, const char *end, const char *word)
{
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (!newline)
        return NULL;
    struct line line AUTO_LINE = split(*at, newline);
    *at = newline + 1;
    bool right = line.count == 2 && strcmp(line.fields[0], word) == 0;
    return right ? steal(line.fields[1]) : NULL;
}

/* What stands behind the stamp's four lines: maybe the instance's number, then the files that
 * firstboot installed. */
static bool names_files(const char *at, const char *end)
{
    static const char instance[] = "instance";
    size_t n = sizeof instance - 1;
    const char *word = (size_t)(end - at) > n && memcmp(at, instance, n) == 0 ? instance : "file";
    while (at < end) {
        char *value AUTO_FREE = take_value(&at, end, word);
        if (!value)
            return false;
        word = "file";
    }
    return true;
}

void stamp_read(const char *text, size_t len, struct stamp_report *out)
{
    const char *at = text, *end = text + len;
    char *version AUTO_FREE = take_value(&at, end, "nodebake-stamp");
    out->source = take_value(&at, end, "source");
    out->identity = take_value(&at, end, "identity");
    out->node = take_value(&at, end, "node");
    out->there = version && strcmp(version, "1") == 0 && out->source && out->identity &&
                 out->node && names_files(at, end);
}
