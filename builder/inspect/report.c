#include "builder/inspect/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

/* Bytes of the character that begins there, or 0: not UTF-8, or not to be printed. */
static size_t character(const unsigned char *at, size_t left)
{
    uint32_t code = *at;
    size_t n = code < 0x80 ? 1 : code >> 5 == 6 ? 2 : code >> 4 == 14 ? 3 : code >> 3 == 30 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 1)
        return code >= ' ' && code != 0x7f;
    if (!n || n > left)
        return 0;
    code &= 0x7fU >> n;
    for (size_t i = 1; i < n; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    bool control = code < 0xa0 || (code >= 0x202a && code <= 0x202e) ||
                   (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029;
    bool valid = code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return valid && !control ? n : 0;
}

char *report_text(const char *bytes, size_t n)
{
    char *text = heap_array(n + 1, 1);
    size_t len = 0;
    for (size_t at = 0; at < n;) {
        size_t take = character((const unsigned char *)bytes + at, n - at);
        if (take)
            memcpy(text + len, bytes + at, take);
        else
            text[len] = '?';
        len += take ? take : 1;
        at += take ? take : 1;
    }
    return text;
}

void list_add(struct list *list, const char *text)
{
    *APPEND(list->items, list->count, list->cap) = report_text(text, strlen(text));
}

static char *format(const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        return heap_copy("out of memory");
    char *clean = report_text(text, strlen(text));
    free(text);
    return clean;
}

void report_problem(struct report *report, const char *kind, const char *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    *APPEND(report->problems, report->problem_count, report->problem_cap) =
        (struct finding){.kind = kind, .path = report_text(path, strlen(path)), .text = text};
}

void report_remark(struct report *report, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    *APPEND(report->remarks.items, report->remarks.count, report->remarks.cap) = text;
}

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

/* Frees texts, up to a NULL that ends the list of their addresses. */
static void free_texts(char **const *texts)
{
    for (; *texts; texts++)
        free(**texts);
}
#define FREE_TEXTS(...) free_texts((char **const[]){__VA_ARGS__, NULL})

static void free_contract(struct contract_report *c)
{
    FREE_TEXTS(&c->cluster, &c->role, &c->node, &c->user);
    for (size_t i = 0; i < c->source_count; i++)
        FREE_TEXTS(&c->sources[i].name, &c->sources[i].identity);
    for (size_t i = 0; i < c->fact_count; i++) {
        FREE_TEXTS(&c->facts[i].name, &c->facts[i].type);
        list_free(&c->facts[i].from);
    }
    for (size_t i = 0; i < c->identity_count; i++)
        FREE_TEXTS(&c->identities[i].file, &c->identities[i].dest);
    for (size_t i = 0; i < c->template_count; i++)
        FREE_TEXTS(&c->templates[i].file, &c->templates[i].dest);
    for (size_t i = 0; i < c->unit_count; i++)
        FREE_TEXTS(&c->units[i].name, &c->units[i].target, &c->units[i].path);
    free(c->sources);
    free(c->facts);
    free(c->identities);
    free(c->templates);
    free(c->units);
}

static void free_system(struct report *r)
{
    FREE_TEXTS(&r->os_name, &r->os_id, &r->os_version, &r->architecture);
    for (size_t i = 0; i < r->kernel_count; i++)
        FREE_TEXTS(&r->kernels[i].version, &r->kernels[i].initrd);
    for (size_t i = 0; i < r->entry_count; i++)
        FREE_TEXTS(&r->entries[i].title, &r->entries[i].kernel, &r->entries[i].arguments);
    for (size_t i = 0; i < r->trace_count; i++) {
        free(r->traces[i].state);
        list_free(&r->traces[i].examples);
    }
    free(r->kernels);
    free(r->entries);
    free(r->traces);
}

static void free_node(struct report *r)
{
    FREE_TEXTS(&r->build, &r->nodebake, &r->cluster, &r->role, &r->node, &r->profile,
               &r->kubernetes, &r->base, &r->stamp.source, &r->stamp.identity, &r->stamp.node);
    for (size_t i = 0; i < r->component_count; i++) {
        struct component *c = &r->components[i];
        FREE_TEXTS(&c->name, &c->version, &c->file, &c->digest);
        list_free(&c->paths);
    }
    for (size_t i = 0; i < r->certificate_count; i++) {
        struct certificate *c = &r->certificates[i];
        FREE_TEXTS(&c->path, &c->what, &c->subject, &c->issuer, &c->holder);
    }
    free(r->components);
    free(r->certificates);
    for (size_t i = 0; i < r->credential_count; i++)
        free(r->credentials[i].path);
    free(r->credentials);
    free_contract(&r->contract);
}

void report_free(struct report *r)
{
    free_system(r);
    free_node(r);
    for (size_t i = 0; i < r->problem_count; i++)
        FREE_TEXTS(&r->problems[i].path, &r->problems[i].text);
    free(r->problems);
    free(r->path);
    list_free(&r->below);
    list_free(&r->remarks);
    list_free(&r->booted_paths);
    *r = (struct report){.path = NULL};
}
