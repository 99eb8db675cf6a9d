/* Shell scripts as trees: that part of the language of sh which maintainer scripts of simple
 * packages use. Nothing is run. What is read without being understood (loops, pipes) is a node of
 * its own, so that it does no harm where it would not be run. */
#ifndef NB_BUILDER_SHELL_H
#define NB_BUILDER_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

enum { SHELL_SCRIPT_MAX = 64 * 1024 }; /* bytes of a script */

enum shell_part_kind {
    PART_TEXT,     /* literal */
    PART_PARAM,    /* $1: text is "1" */
    PART_ALL,      /* "$@" */
    PART_VARIABLE, /* $NAME, ${NAME}, ${NAME:-}: text is the name */
    PART_GLOB,     /* an unquoted *, ? or [ */
    PART_UNKNOWN   /* any other expansion */
};

struct shell_part {
    enum shell_part_kind kind;
    char *text; /* or NULL */
};

struct shell_word {
    struct shell_part *parts;
    size_t count, cap;
    bool quoted; /* some of it stands in quotes: it is a word even when it is empty */
};

enum shell_redirect_kind { REDIRECT_OUT, REDIRECT_OUT_TO_FD, REDIRECT_HERE, REDIRECT_OTHER };

struct shell_redirect {
    enum shell_redirect_kind kind;
    int fd;                 /* that is redirected */
    struct shell_word word; /* where to; of a here-document: its text */
};

enum shell_kind {
    SHELL_LIST,     /* kids one after the other */
    SHELL_AND,      /* kids[0] && kids[1] */
    SHELL_OR,       /* kids[0] || kids[1] */
    SHELL_NOT,      /* ! kids[0] */
    SHELL_IF,       /* condition, then, condition, then, …, and perhaps an else */
    SHELL_CASE,     /* words[0] is compared with the clauses, the kids */
    SHELL_CLAUSE,   /* words are patterns, kids[0] what they lead to */
    SHELL_FUNCTION, /* words[0] is its name, kids[0] its body */
    SHELL_SIMPLE,   /* words and redirects of a command */
    SHELL_STRANGE   /* something else: what says it */
};

struct shell_node {
    enum shell_kind kind;
    unsigned line;
    const char *what;
    struct shell_word *words;
    struct shell_redirect *redirects;
    struct shell_node **kids;
    size_t word_count, word_cap, redirect_count, redirect_cap, kid_count, kid_cap;
};

/* Reads a script, its first line included. Errors begin "line N: ". */
int shell_parse(const char *text, size_t len, struct shell_node **out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* The text of a word that is one literal without quotes, or NULL. */
const char *shell_plain(const struct shell_word *word) NONNULL(1);

/* Frees the tree; NULL is allowed. */
void shell_free(struct shell_node *node);
void shell_free_at(struct shell_node **node);
#define AUTO_SHELL __attribute__((cleanup(shell_free_at)))

#endif
