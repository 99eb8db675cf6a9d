#include "builder/package/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/shell-read.h"

static int read_command(struct shell_reader *r, struct shell_node **out);

/* The reserved word that stands next. */
static bool sees_word(const struct shell_reader *r, const char *word)
{
    const char *behind = r->at + strlen(word);
    return shell_sees(r, word) && (behind == r->end || strchr(" \t\n;&|()<>", *behind));
}

static bool take_word(struct shell_reader *r, const char *word)
{
    if (!sees_word(r, word))
        return false;
    r->at += strlen(word);
    return true;
}

static int skip_newlines(struct shell_reader *r)
{
    for (shell_skip_blank(r); shell_sees(r, "\n"); shell_skip_blank(r))
        if (shell_read_newline(r) < 0)
            return -1;
    return 0;
}

static int expect_word(struct shell_reader *r, const char *word)
{
    if (skip_newlines(r) < 0)
        return -1;
    return take_word(r, word) ? 0 : shell_refuse(r, "'%s' is expected", word);
}

static bool list_ends(const struct shell_reader *r)
{
    static const char *const words[] = {"then", "elif", "else", "fi", "do", "done", "esac", "}"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (sees_word(r, words[i]))
            return true;
    return r->at == r->end || shell_sees(r, ")") || shell_sees(r, ";;");
}

/* ---- redirections ---- */

static bool sees_redirect(const struct shell_reader *r)
{
    const char *p = r->at;
    if (p < r->end && isdigit((unsigned char)*p))
        p++;
    return p < r->end && (*p == '<' || *p == '>');
}

static int read_redirect(struct shell_reader *r, struct shell_node *node)
{
    static const struct {
        const char *sign;
        enum shell_redirect_kind kind;
    } signs[] = {{"<<-", REDIRECT_HERE},     {"<<", REDIRECT_HERE},  {"<&", REDIRECT_OTHER},
                 {"<>", REDIRECT_OTHER},     {"<", REDIRECT_OTHER},  {">>", REDIRECT_OTHER},
                 {">&", REDIRECT_OUT_TO_FD}, {">|", REDIRECT_OTHER}, {">", REDIRECT_OUT}};
    struct shell_redirect *redirect =
        APPEND(node->redirects, node->redirect_count, node->redirect_cap);
    redirect->fd = isdigit((unsigned char)*r->at) ? *r->at++ - '0' : *r->at == '>';
    size_t i = 0;
    while (!shell_sees(r, signs[i].sign))
        i++;
    r->at += strlen(signs[i].sign);
    redirect->kind = signs[i].kind;
    shell_skip_blank(r);
    if (shell_read_word(r, &redirect->word) < 0)
        return -1;
    return redirect->kind == REDIRECT_HERE ? shell_note_here(r, node, i == 0) : 0;
}

/* Behind a compound command; what they would do is not known. */
static int read_redirects(struct shell_reader *r, struct shell_node *node)
{
    for (shell_skip_blank(r); sees_redirect(r); shell_skip_blank(r))
        if (read_redirect(r, node) < 0)
            return -1;
    return 0;
}

/* ---- compound commands ---- */

static int read_into(struct shell_reader *r, struct shell_node *node)
{
    struct shell_node *kid = NULL;
    if (shell_read_list(r, &kid) < 0 || !kid)
        return -1;
    shell_add(node, kid);
    return 0;
}

static int read_if(struct shell_reader *r, struct shell_node *node)
{
    do {
        if (read_into(r, node) < 0 || expect_word(r, "then") < 0 || read_into(r, node) < 0)
            return -1;
    } while (take_word(r, "elif"));
    if (take_word(r, "else") && read_into(r, node) < 0)
        return -1;
    return expect_word(r, "fi");
}

static int read_clause(struct shell_reader *r, struct shell_node *node)
{
    struct shell_node *clause = shell_node_new(r->line, SHELL_CLAUSE);
    shell_add(node, clause);
    if (shell_sees(r, "("))
        r->at++;
    do {
        shell_skip_blank(r);
        if (shell_read_word(r, APPEND(clause->words, clause->word_count, clause->word_cap)) < 0)
            return -1;
        shell_skip_blank(r);
    } while (shell_sees(r, "|") && r->at++);
    if (!shell_sees(r, ")"))
        return shell_refuse(r, "')' is expected behind the pattern");
    r->at++;
    if (read_into(r, clause) < 0)
        return -1;
    if (shell_sees(r, ";;"))
        r->at += 2;
    else if (!sees_word(r, "esac"))
        return shell_refuse(r, "';;' is expected");
    return skip_newlines(r);
}

static int read_case(struct shell_reader *r, struct shell_node *node)
{
    shell_skip_blank(r);
    if (shell_read_word(r, APPEND(node->words, node->word_count, node->word_cap)) < 0 ||
        expect_word(r, "in") < 0 || skip_newlines(r) < 0)
        return -1;
    while (!take_word(r, "esac"))
        if (read_clause(r, node) < 0)
            return -1;
    return 0;
}

static int read_loop(struct shell_reader *r, struct shell_node *node)
{
    node->what = "a loop";
    if (read_into(r, node) < 0 || expect_word(r, "do") < 0 || read_into(r, node) < 0)
        return -1;
    return expect_word(r, "done");
}

static int read_for(struct shell_reader *r, struct shell_node *node)
{
    node->what = "a loop";
    shell_skip_blank(r);
    while (r->at < r->end && !strchr("\n;", *r->at)) {
        if (shell_read_word(r, APPEND(node->words, node->word_count, node->word_cap)) < 0)
            return -1;
        shell_skip_blank(r);
    }
    r->at += shell_sees(r, ";");
    if (expect_word(r, "do") < 0 || read_into(r, node) < 0)
        return -1;
    return expect_word(r, "done");
}

static int read_group(struct shell_reader *r, struct shell_node *node)
{
    return read_into(r, node) < 0 ? -1 : expect_word(r, "}");
}

static int read_subshell(struct shell_reader *r, struct shell_node *node)
{
    node->what = "a subshell";
    if (read_into(r, node) < 0)
        return -1;
    if (!shell_sees(r, ")"))
        return shell_refuse(r, "')' is expected");
    r->at++;
    return 0;
}

static const struct compound {
    const char *word;
    enum shell_kind kind;
    int (*read)(struct shell_reader *r, struct shell_node *node);
} compounds[] = {
    {"if", SHELL_IF, read_if},           {"case", SHELL_CASE, read_case},
    {"while", SHELL_STRANGE, read_loop}, {"until", SHELL_STRANGE, read_loop},
    {"for", SHELL_STRANGE, read_for},    {"{", SHELL_LIST, read_group},
};

static int read_compound(struct shell_reader *r, const struct compound *compound,
                         struct shell_node *node)
{
    if (++r->depth > SHELL_DEPTH_MAX)
        return shell_refuse(r, "nested too deeply");
    if (compound->read(r, node) < 0 || read_redirects(r, node) < 0)
        return -1;
    r->depth--;
    if (node->redirect_count && node->kind != SHELL_STRANGE) {
        node->kind = SHELL_STRANGE;
        node->what = "a block with a redirection";
    }
    return 0;
}

/* ---- simple commands and functions ---- */

static int read_function(struct shell_reader *r, struct shell_node *node)
{
    struct shell_node *body = NULL;
    r->at++;
    shell_skip_blank(r);
    if (!shell_sees(r, ")"))
        return shell_refuse(r, "')' is expected");
    r->at++;
    node->kind = SHELL_FUNCTION;
    if (++r->depth > SHELL_DEPTH_MAX)
        return shell_refuse(r, "nested too deeply");
    if (skip_newlines(r) < 0 || read_command(r, &body) < 0)
        return -1;
    r->depth--;
    shell_add(node, body);
    return 0;
}

static bool command_ends(const struct shell_reader *r)
{
    return r->at == r->end || strchr("\n;&|)", *r->at);
}

static int read_simple(struct shell_reader *r, struct shell_node *node)
{
    for (shell_skip_blank(r); !command_ends(r); shell_skip_blank(r)) {
        if (sees_redirect(r)) {
            if (read_redirect(r, node) < 0)
                return -1;
            continue;
        }
        if (shell_sees(r, "(") && node->word_count == 1 && node->redirect_count == 0 &&
            shell_plain(&node->words[0]))
            return read_function(r, node);
        if (shell_read_word(r, APPEND(node->words, node->word_count, node->word_cap)) < 0)
            return -1;
    }
    if (node->word_count == 0 && node->redirect_count == 0)
        return shell_refuse(r, "a command is expected");
    return 0;
}

static int fill_command(struct shell_reader *r, struct shell_node *node)
{
    static const struct compound subshell = {"(", SHELL_STRANGE, read_subshell};
    for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
        if (take_word(r, compounds[i].word)) {
            node->kind = compounds[i].kind;
            return read_compound(r, &compounds[i], node);
        }
    if (shell_sees(r, "(")) {
        r->at++;
        node->kind = SHELL_STRANGE;
        return read_compound(r, &subshell, node);
    }
    return read_simple(r, node);
}

static int read_command(struct shell_reader *r, struct shell_node **out)
{
    struct shell_node *node AUTO_SHELL = shell_node_new(r->line, SHELL_SIMPLE);
    if (fill_command(r, node) < 0)
        return -1;
    *out = node;
    node = NULL;
    return 0;
}

/* ---- pipelines, && and ||, lists ---- */

static int read_pipeline(struct shell_reader *r, struct shell_node **out)
{
    shell_skip_blank(r);
    bool negated = take_word(r, "!");
    struct shell_node *node AUTO_SHELL = NULL;
    shell_skip_blank(r);
    if (read_command(r, &node) < 0)
        return -1;
    for (shell_skip_blank(r); shell_sees(r, "|") && !shell_sees(r, "||"); shell_skip_blank(r)) {
        struct shell_node *next = NULL;
        r->at++;
        if (node->kind != SHELL_STRANGE || !node->what || strcmp(node->what, "a pipe") != 0)
            node = shell_wrap(SHELL_STRANGE, node);
        node->what = "a pipe";
        if (skip_newlines(r) < 0 || read_command(r, &next) < 0)
            return -1;
        shell_add(node, next);
    }
    *out = negated ? shell_wrap(SHELL_NOT, steal(node)) : steal(node);
    return 0;
}

static int read_and_or(struct shell_reader *r, struct shell_node **out)
{
    struct shell_node *node AUTO_SHELL = NULL;
    if (read_pipeline(r, &node) < 0)
        return -1;
    for (size_t n = 0; shell_sees(r, "&&") || shell_sees(r, "||"); n++) {
        struct shell_node *next = NULL;
        if (n == SHELL_CHAIN_MAX)
            return shell_refuse(r, "more than %d commands in a chain", SHELL_CHAIN_MAX);
        node = shell_wrap(*r->at == '&' ? SHELL_AND : SHELL_OR, node);
        r->at += 2;
        if (skip_newlines(r) < 0 || read_pipeline(r, &next) < 0)
            return -1;
        shell_add(node, next);
    }
    if (shell_sees(r, "&")) {
        node = shell_wrap(SHELL_STRANGE, node);
        node->what = "a command in the background";
        r->at++;
    }
    *out = node;
    node = NULL;
    return 0;
}

static int fill_list(struct shell_reader *r, struct shell_node *list)
{
    while (skip_newlines(r) == 0) {
        struct shell_node *kid = NULL;
        if (list_ends(r))
            return 0;
        if (read_and_or(r, &kid) < 0)
            return -1;
        shell_add(list, kid);
        shell_skip_blank(r);
        if (shell_sees(r, ";") && !shell_sees(r, ";;"))
            r->at++;
        else if (!shell_sees(r, "\n") && !list_ends(r) && kid->kind != SHELL_STRANGE)
            return shell_refuse(r, "'%c' is not expected here", *r->at);
    }
    return -1;
}

int shell_read_list(struct shell_reader *r, struct shell_node **out)
{
    struct shell_node *list AUTO_SHELL = shell_node_new(r->line, SHELL_LIST);
    if (++r->depth > SHELL_DEPTH_MAX)
        return shell_refuse(r, "nested too deeply");
    if (fill_list(r, list) < 0)
        return -1;
    r->depth--;
    *out = list;
    list = NULL;
    return 0;
}

int shell_parse(const char *text, size_t len, struct shell_node **out, struct error *err)
{
    struct shell_reader r = {.at = text, .end = text + len, .line = 1, .err = err};
    struct shell_node *node AUTO_SHELL = NULL;
    if (len > SHELL_SCRIPT_MAX || memchr(text, '\0', len))
        return shell_refuse(&r, "not a script of at most %d bytes", SHELL_SCRIPT_MAX);
    int result = shell_read_list(&r, &node);
    if (result == 0 && r.at < r.end)
        result = shell_refuse(&r, "'%c' is not expected here", *r.at);
    if (result == 0 && r.here_count)
        result = shell_refuse(&r, "a here-document without its text");
    for (size_t i = 0; i < r.here_count; i++)
        free(r.here[i].end);
    if (result < 0)
        return -1;
    *out = node;
    node = NULL;
    return 0;
}
