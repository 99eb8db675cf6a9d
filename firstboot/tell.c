#include "firstboot/tell.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "firstboot/report.h"

static const char *const outcomes[] = {"ready", "already", "previewed"};

static const char *outcome_name(enum outcome outcome)
{
    return outcome == FAILED ? "failed" : outcomes[outcome];
}

/* The line, without `nodebake: ` before it. */
static void describe(const struct run *r, const struct ending *e, struct buffer *out)
{
    buffer_puts(out, "");
    if (e->outcome == ALREADY)
        buffer_printf(out, "node %s was finished before, by source %s; nothing to do",
                      r->found.node, r->found.source);
    else if (e->outcome == READY)
        buffer_printf(out, "node %s is ready: %u files, %u units, source %s, %lld ms%s%s",
                      r->wanted.node, r->contract.file_count, r->contract.unit_count,
                      r->wanted.source, (long long)(clock_now_ms() - r->steps.began_ms),
                      *e->note ? "; " : "", e->note);
    else if (e->outcome == FAILED && e->withdrawal)
        buffer_printf(out, "firstboot: %.500s; units may be enabled: %.300s", e->cause,
                      e->withdrawal);
    else if (e->outcome == FAILED)
        buffer_printf(out, "firstboot: %.800s; nothing was enabled", e->cause);
}

/* "text", or null when there is none. */
static void put_text(struct buffer *out, const char *text)
{
    buffer_puts(out, text ? "\"" : "null");
    for (; text && *text; text++) {
        char c = *text < ' ' || *text > '~' ? '?' : *text;
        if (c == '"' || c == '\\')
            buffer_puts(out, "\\");
        buffer_add(out, &c, 1);
    }
    buffer_puts(out, text ? "\"" : "");
}

static void put_field(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, ",\n  \"%s\": ", name);
    put_text(out, text && *text ? text : NULL);
}

/* Tokens may be passwords, keys are many, and a bundle holds private ones. */
static bool is_told(enum value_type type)
{
    return type != VALUE_TOKEN && type != VALUE_SSHKEYS && type != VALUE_BUNDLE;
}

static void put_facts(struct buffer *out, const struct run *r)
{
    const struct contract *c = &r->contract;
    const char *between = "";
    buffer_puts(out, ",\n  \"facts\": {");
    for (unsigned i = 0; i < c->fact_count; i++) {
        if (!is_told(c->facts[i].type) || !r->facts.values[i][0])
            continue;
        buffer_printf(out, "%s\"%s\": ", between, c->facts[i].name);
        put_text(out, r->facts.values[i]);
        between = ", ";
    }
    buffer_puts(out, "}");
}

static void put_steps(struct buffer *out, const struct steps *s)
{
    const char *between = "";
    buffer_puts(out, ",\n  \"steps\": [");
    for (unsigned i = 0; i < STEP_COUNT; i++) {
        if (s->took_ms[i] < 0)
            continue;
        buffer_printf(out, "%s{\"name\": \"%s\", \"ms\": %lld}", between, step_name((enum step)i),
                      (long long)s->took_ms[i]);
        between = ", ";
    }
    buffer_puts(out, "]");
}

static void put_run(struct buffer *out, const struct run *r, const struct ending *e,
                    const char *line)
{
    const struct stamp *who = e->outcome == ALREADY ? &r->found : &r->wanted;
    buffer_printf(out, "{\n  \"version\": 1,\n  \"outcome\": \"%s\"", outcome_name(e->outcome));
    put_field(out, "cause", e->cause);
    put_field(out, "message", line);
    put_field(out, "node", who->node);
    put_field(out, "source", who->source);
    put_field(out, "identity", who->identity);
    put_field(out, "instance", who->instance);
    put_field(out, "before", e->outcome == ALREADY ? NULL : r->found.identity);
    put_facts(out, r);
    put_steps(out, &r->steps);
    buffer_printf(out, ",\n  \"beganMs\": %lld,\n  \"ms\": %lld\n}\n", (long long)r->steps.began_ms,
                  (long long)(clock_now_ms() - r->steps.began_ms));
}

/* Nobody reads there before the real root's systemd: no rename is needed. NULL: the file goes. */
static void put_file(const char *dir, const char *name, const struct buffer *text)
{
    char path[256];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return;
    if (!text || text->overflow) {
        unlinkat(AT_FDCWD, path, 0);
        return;
    }
    int fd AUTO_CLOSE =
        openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0)
        (void)!file_write_all(fd, text->data, text->len);
}

static void put_files(const struct run *r, const struct ending *e, struct buffer *line,
                      const char *dir)
{
    static char bytes[20480]; /* facts are the most of it: 32 of 300 bytes */
    struct buffer json = BUFFER_FIXED(bytes);
    put_run(&json, r, e, line->data);
    mkdirat(AT_FDCWD, dir, 0755); /* there or not: the files will tell */
    put_file(dir, "firstboot.json", &json);
    buffer_puts(line, "\n");
    put_file(dir, "firstboot.failed", e->outcome == FAILED ? line : NULL);
}

void tell(const struct run *r, const struct ending *e, const char *dir)
{
    char bytes[REPORT_BYTES_MAX + 256];
    struct buffer line = BUFFER_FIXED(bytes);
    if (e->outcome == PREVIEWED)
        return;
    describe(r, e, &line);
    report(e->outcome == FAILED ? REPORT_ERROR : REPORT_NOTICE, "%s", bytes);
    if (dir)
        put_files(r, e, &line, dir);
}
