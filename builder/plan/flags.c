#include "builder/plan/flags.h"

#include <fnmatch.h>
#include <string.h>

#include "builder/cluster/flag-table.h"
#include "builder/heap.h"

/* A look through the text: all before `at` was seen, and what is to stay of it is in `out`. */
struct scan {
    const struct flags_unit *unit;
    const char *at;
    unsigned line;
    struct buffer *out;
    struct texts *remarks;
};

bool flags_are_in(const char *path)
{
    static const char *const patterns[] = {
        "*/systemd/system/*.service",
        "*/systemd/system/*.service.d/*.conf",
    };
    return fnmatch(patterns[0], path, 0) == 0 || fnmatch(patterns[1], path, 0) == 0;
}

static void keep(struct scan *s, const char *end)
{
    buffer_add(s->out, s->at, (size_t)(end - s->at));
    for (; s->at < end; s->at++)
        s->line += *s->at == '\n';
}

static size_t line_length(const char *at)
{
    return strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
}

/* The next word of the command, behind blanks, line ends that are escaped, and comments between
 * such lines; NULL when the command is over. */
static const char *next_word(const char *at)
{
    for (;;) {
        at += strspn(at, " \t");
        if (at[0] != '\\' || at[1] != '\n')
            return *at && *at != '\n' ? at : NULL;
        at += 2;
        while (at[strspn(at, " \t")] == '#' || at[strspn(at, " \t")] == ';')
            at += line_length(at);
    }
}

/* Where the word ends; blanks in quotes are its own. */
static const char *end_of(const char *word)
{
    char quote = '\0';
    for (; *word && *word != '\n'; word++) {
        if (quote ? *word == quote : *word == '"' || *word == '\'')
            quote = quote ? '\0' : *word;
        else if (!quote && (*word == ' ' || *word == '\t' || (*word == '\\' && word[1] == '\n')))
            break;
    }
    return word;
}

/* The name of the flag that the word is, or NULL; Kubernetes takes _ for -. The caller frees it. */
static char *flag_name(const char *word, const char *end)
{
    word += *word == '"' || *word == '\'';
    size_t n = strspn(word, "-");
    if (n == 0 || n > 2 || word + n >= end)
        return NULL;
    word += n;
    size_t len = strcspn(word, "= \t\"'\\\n");
    char *name = heap_printf("%.*s", (int)len, word);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return name;
}

static int refuse(const struct scan *s, const char *component, const struct flag_row *row,
                  struct error *err)
{
    return error_set(err, "%s:%u: %s 1.%u has no --%s (it went in 1.%u, see %s)%s%s",
                     s->unit->place, s->line, component, s->unit->minor, row->flag, row->to + 1,
                     row->source, row->instead ? "; " : "", row->instead ? row->instead : "");
}

/* 1: the flag stays, 0: it goes, or -1. */
static int judge(struct scan *s, const char *component, const char *name, struct error *err)
{
    const struct flag_row *row = flag_find(component, name);
    unsigned minor = s->unit->minor;
    if (!row && !s->unit->own)
        return error_set(err, "%s:%u: --%s of %s is not in the table of flags", s->unit->place,
                         s->line, name, component);
    if (!row) {
        char *text AUTO_FREE = heap_printf("%s:%u: whether %s 1.%u has --%s is not known here",
                                           s->unit->place, s->line, component, minor, name);
        texts_add(s->remarks, text);
        return 1;
    }
    bool gone = row->to && minor > row->to;
    if (gone && s->unit->own)
        return refuse(s, component, row, err);
    if (s->unit->own || (!gone && (!row->ours_to || minor <= row->ours_to)))
        return 1;
    char *text AUTO_FREE = heap_printf("%s 1.%u %s --%s: left out", component, minor,
                                       gone ? "has no" : "does not need", name);
    texts_add(s->remarks, text);
    return 0;
}

/* The user's flag of that name for the program, or NULL. */
static const struct flag_setting *wanted(const struct scan *s, const char *program,
                                         const char *name)
{
    const struct settings *settings = s->unit->own ? NULL : s->unit->settings;
    for (size_t i = 0; settings && i < settings->flag_count; i++)
        if (strcmp(settings->flags[i].program, program) == 0 &&
            strcmp(settings->flags[i].name, name) == 0)
            return &settings->flags[i];
    return NULL;
}

/* Adds the user's flags to the end of the command. */
static int add_wanted(struct scan *s, const char *program, struct error *err)
{
    const struct settings *settings = s->unit->own ? NULL : s->unit->settings;
    for (size_t i = 0; settings && i < settings->flag_count; i++) {
        const struct flag_setting *flag = &settings->flags[i];
        if (strcmp(flag->program, program) != 0)
            continue;
        struct flags_unit file = {s->unit->file, true, s->unit->minor, NULL, NULL};
        struct scan place = {&file, s->at, flag->line, s->out, s->remarks};
        if (judge(&place, program, flag->name, err) < 0)
            return -1;
        buffer_printf(s->out, " \\\n  --%s=%s", flag->name, flag->value);
    }
    return 0;
}

static char *program_of(const char *word, const char *end)
{
    const char *name = word;
    for (const char *p = word; p < end; p++)
        if (*p == '/')
            name = p + 1;
    name += strspn(name, "-@:+!\"'");
    return heap_printf("%.*s", (int)(end - name - (end[-1] == '"' || end[-1] == '\'')), name);
}

/* The command that begins at s->at. */
static int scan_command(struct scan *s, struct error *err)
{
    const char *word = next_word(s->at);
    if (!word)
        return 0;
    char *program AUTO_FREE = program_of(word, end_of(word));
    keep(s, end_of(word));
    if (!flag_component(program))
        return 0;
    while ((word = next_word(s->at))) {
        const char *end = end_of(word);
        char *name AUTO_FREE = flag_name(word, end);
        size_t len = s->out->len;
        keep(s, word);
        int stays = !name ? 1 : wanted(s, program, name) ? 0 : judge(s, program, name, err);
        if (stays < 0)
            return -1;
        keep(s, end);
        if (!stays) {
            s->out->len = len;
            s->out->data[len] = '\0';
        }
    }
    return add_wanted(s, program, err);
}

/* What stands behind `ExecStart =`, if that is the line; or NULL. */
static const char *command_in(const char *line)
{
    static const char key[] = "ExecStart";
    line += strspn(line, " \t");
    if (strncmp(line, key, strlen(key)) != 0)
        return NULL;
    line += strlen(key);
    line += strspn(line, " \t");
    return *line == '=' ? line + 1 : NULL;
}

int flags_fit(const struct flags_unit *unit, struct buffer *text, struct texts *remarks,
              struct error *err)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct scan s = {unit, text->data ? text->data : "", 1, &out, remarks};
    while (*s.at) {
        const char *command = command_in(s.at);
        if (command) {
            keep(&s, command);
            if (scan_command(&s, err) < 0)
                return -1;
        }
        keep(&s, s.at + line_length(s.at));
    }
    struct buffer old = *text;
    *text = out;
    out = old;
    return 0;
}
