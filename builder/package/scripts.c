#include "builder/package/scripts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/script-run.h"

static enum outcome follow(struct script_run *run, const struct shell_node *node, bool checked);

enum outcome script_refuse(struct script_run *run, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(run->err->text, sizeof run->err->text, "line %u: ", run->line);
    va_start(ap, fmt);
    vsnprintf(run->err->text + n, sizeof run->err->text - (size_t)n, fmt, ap);
    va_end(ap);
    return REFUSED;
}

static bool goes_on(enum outcome outcome)
{
    return outcome == WENT_WELL || outcome == FAILED || outcome == UNTRUE;
}

/* ---- words ---- */

static const char *argument(const struct script_run *run, const char *number)
{
    size_t i = (size_t)(*number - '1');
    return i < run->arg_count ? run->args[i] : "";
}

/* A value that sh would split into words, or take for a pattern, is not known. */
static enum outcome expand_part(struct script_run *run, const struct shell_part *part,
                                struct buffer *out)
{
    const char *value;
    switch (part->kind) {
    case PART_TEXT:
        buffer_puts(out, part->text);
        return WENT_WELL;
    case PART_PARAM:
        value = argument(run, part->text);
        if (strpbrk(value, " \t\n*?["))
            return script_refuse(run, "$%s is more than a word", part->text);
        buffer_puts(out, value);
        return WENT_WELL;
    case PART_VARIABLE:
        /* dpkg sets it, to nothing when it works on the running system. */
        if (strcmp(part->text, "DPKG_ROOT") == 0)
            return WENT_WELL;
        return script_refuse(run, "the variable %.64s is not known", part->text);
    case PART_GLOB:
        return script_refuse(run, "a pattern for file names");
    default:
        return script_refuse(run, "an expansion that is not known");
    }
}

enum outcome script_expand(struct script_run *run, const struct shell_word *word, struct words *out)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (word->count == 1 && word->parts[0].kind == PART_ALL) {
        for (size_t i = 0; i < run->arg_count; i++)
            *APPEND(out->items, out->count, out->cap) = heap_copy(run->args[i]);
        return WENT_WELL;
    }
    for (size_t i = 0; i < word->count; i++) {
        enum outcome outcome = expand_part(run, &word->parts[i], &text);
        if (outcome != WENT_WELL)
            return outcome;
    }
    if (text.len || word->quoted)
        *APPEND(out->items, out->count, out->cap) = heap_copy(text.data);
    return WENT_WELL;
}

void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}

/* ---- commands ---- */

static const struct shell_node *find_function(const struct script_run *run, const char *name)
{
    for (size_t i = run->function_count; i-- > 0;)
        if (strcmp(run->functions[i]->words[0].parts[0].text, name) == 0)
            return run->functions[i];
    return NULL;
}

static enum outcome call(struct script_run *run, const struct shell_node *function,
                         const struct words *words, bool checked)
{
    const char *const *args = run->args;
    size_t arg_count = run->arg_count;
    if (++run->calls > SCRIPT_CALLS_MAX)
        return script_refuse(run, "functions that call each other too deeply");
    run->args = (const char *const *)words->items + 1;
    run->arg_count = words->count - 1;
    enum outcome outcome = follow(run, function->kids[0], checked);
    run->args = args;
    run->arg_count = arg_count;
    run->calls--;
    if (outcome == RETURNS)
        return WENT_WELL;
    return outcome == UNTRUE ? FAILED : outcome;
}

static enum outcome follow_simple(struct script_run *run, const struct shell_node *node,
                                  bool checked)
{
    struct words words AUTO_WORDS = {0};
    for (size_t i = 0; i < node->word_count; i++) {
        enum outcome outcome = script_expand(run, &node->words[i], &words);
        if (outcome != WENT_WELL)
            return outcome;
    }
    if (words.count == 0)
        return script_refuse(run, "a command without a name");
    const struct shell_node *function = find_function(run, words.items[0]);
    enum outcome outcome;
    if (!function)
        outcome = script_command(run, &words, node);
    else if (node->redirect_count)
        outcome = script_refuse(run, "a redirection of the function %s", words.items[0]);
    else
        outcome = call(run, function, &words, checked);
    run->line = node->line; /* not that of the function's last command */
    if (outcome == FAILED && run->errexit && !checked)
        return script_refuse(run, "%.64s would fail here", words.items[0]);
    return outcome;
}

/* ---- what is made of commands ---- */

static enum outcome follow_list(struct script_run *run, const struct shell_node *node, bool checked)
{
    enum outcome outcome = WENT_WELL;
    for (size_t i = 0; i < node->kid_count && goes_on(outcome); i++)
        outcome = follow(run, node->kids[i], checked);
    return outcome;
}

static enum outcome follow_chain(struct script_run *run, const struct shell_node *node,
                                 bool checked)
{
    enum outcome first = follow(run, node->kids[0], true);
    if (!goes_on(first))
        return first;
    if ((first == WENT_WELL) == (node->kind == SHELL_AND))
        return follow(run, node->kids[1], checked);
    return first == WENT_WELL ? WENT_WELL : UNTRUE;
}

static enum outcome follow_not(struct script_run *run, const struct shell_node *node)
{
    enum outcome outcome = follow(run, node->kids[0], true);
    if (!goes_on(outcome))
        return outcome;
    return outcome == WENT_WELL ? UNTRUE : WENT_WELL;
}

static enum outcome follow_if(struct script_run *run, const struct shell_node *node, bool checked)
{
    size_t i = 0;
    for (; i + 1 < node->kid_count; i += 2) {
        enum outcome outcome = follow(run, node->kids[i], true);
        if (!goes_on(outcome))
            return outcome;
        if (outcome == WENT_WELL)
            return follow(run, node->kids[i + 1], checked);
    }
    return i < node->kid_count ? follow(run, node->kids[i], checked) : WENT_WELL;
}

/* Patterns are literal, or the one that everything fits. */
static enum outcome matches(struct script_run *run, const struct shell_word *pattern,
                            const char *subject)
{
    struct words words AUTO_WORDS = {0};
    if (pattern->count == 1 && pattern->parts[0].kind == PART_GLOB &&
        strcmp(pattern->parts[0].text, "*") == 0)
        return WENT_WELL;
    enum outcome outcome = script_expand(run, pattern, &words);
    if (outcome != WENT_WELL)
        return outcome;
    const char *text = words.count ? words.items[0] : "";
    return words.count < 2 && strcmp(text, subject) == 0 ? WENT_WELL : UNTRUE;
}

static enum outcome follow_case(struct script_run *run, const struct shell_node *node, bool checked)
{
    struct words words AUTO_WORDS = {0};
    enum outcome outcome = script_expand(run, &node->words[0], &words);
    if (outcome != WENT_WELL)
        return outcome;
    for (size_t i = 0; i < node->kid_count; i++)
        for (size_t j = 0; j < node->kids[i]->word_count; j++) {
            run->line = node->kids[i]->line;
            outcome = matches(run, &node->kids[i]->words[j], words.count ? words.items[0] : "");
            if (outcome == WENT_WELL)
                return follow(run, node->kids[i]->kids[0], checked);
            if (!goes_on(outcome))
                return outcome;
        }
    return WENT_WELL;
}

static enum outcome define(struct script_run *run, const struct shell_node *node)
{
    if (run->function_count == SCRIPT_FUNCTIONS_MAX)
        return script_refuse(run, "more than %d functions", SCRIPT_FUNCTIONS_MAX);
    run->functions[run->function_count++] = node;
    return WENT_WELL;
}

/* `checked`: it is a condition, so that set -e does not end the script when it fails. */
static enum outcome follow(struct script_run *run, const struct shell_node *node, bool checked)
{
    run->line = node->line;
    if (++run->steps > SCRIPT_STEPS_MAX)
        return script_refuse(run, "more than %d steps", SCRIPT_STEPS_MAX);
    switch (node->kind) {
    case SHELL_LIST:
        return follow_list(run, node, checked);
    case SHELL_AND:
    case SHELL_OR:
        return follow_chain(run, node, checked);
    case SHELL_NOT:
        return follow_not(run, node);
    case SHELL_IF:
        return follow_if(run, node, checked);
    case SHELL_CASE:
        return follow_case(run, node, checked);
    case SHELL_FUNCTION:
        return define(run, node);
    case SHELL_SIMPLE:
        return follow_simple(run, node, checked);
    default:
        return script_refuse(run, "%s is not known to be harmless",
                             node->what ? node->what : "this");
    }
}

/* ---- scripts ---- */

/* "#!/bin/sh -e"; other interpreters know other languages. */
static bool interpreter_known(const char *text, size_t len, bool *errexit)
{
    static const char *const lines[] = {"#!/bin/sh",    "#! /bin/sh",    "#!/bin/dash",
                                        "#!/bin/sh -e", "#! /bin/sh -e", "#!/bin/dash -e"};
    const char *newline = memchr(text, '\n', len);
    size_t n = newline ? (size_t)(newline - text) : len;
    while (n && strchr(" \t\r", text[n - 1]))
        n--;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (n == strlen(lines[i]) && memcmp(text, lines[i], n) == 0) {
            *errexit = i >= ARRAY_LEN(lines) / 2;
            return true;
        }
    return false;
}

static void drop_actions(struct script_actions *actions, size_t kept)
{
    while (actions->count > kept) {
        struct script_action *action = &actions->items[--actions->count];
        for (char **arg = action->argv; arg && *arg; arg++)
            free(*arg);
        free(action->argv);
        free(action->path);
        free(action->text);
        *action = (struct script_action){0};
    }
}

int script_judge(const char *text, size_t len, const char *const *args, size_t n,
                 const struct script_system *system, struct script_actions *out, struct error *err)
{
    struct shell_node *script AUTO_SHELL = NULL;
    struct script_run run = {
        .system = system, .actions = out, .args = args, .arg_count = n, .line = 1, .err = err};
    size_t kept = out->count;
    if (!interpreter_known(text, len, &run.errexit)) {
        error_set(err, "line 1: its interpreter is not /bin/sh");
        return 0;
    }
    if (shell_parse(text, len, &script, err) < 0)
        return 0;
    enum outcome outcome = follow(&run, script, false);
    if (outcome == FAILED || outcome == UNTRUE)
        outcome = script_refuse(&run, "its last command would fail");
    if (outcome == WENT_WELL || outcome == RETURNS || outcome == EXITS)
        return 1;
    drop_actions(out, kept);
    return outcome == BROKEN ? -1 : 0;
}

void script_actions_free(struct script_actions *actions)
{
    drop_actions(actions, 0);
    free(actions->items);
    *actions = (struct script_actions){0};
}
