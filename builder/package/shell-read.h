/* What the files of the shell reader share: the text that is left, and words. */
#ifndef NB_BUILDER_SHELL_READ_H
#define NB_BUILDER_SHELL_READ_H

#include "builder/package/shell.h"

enum { SHELL_DEPTH_MAX = 64, SHELL_CHAIN_MAX = 64, SHELL_HERE_MAX = 8 };

/* A here-document whose text begins behind the line. */
struct shell_here {
    struct shell_node *node; /* whose redirect it is */
    size_t redirect;
    char *end; /* the line that ends it */
    bool tabs; /* leading ones are dropped */
    bool literal;
};

struct shell_reader {
    const char *at, *end;
    unsigned line, depth;
    struct shell_here here[SHELL_HERE_MAX];
    size_t here_count;
    struct error *err;
};

/* A node without kids. */
struct shell_node *shell_node_new(unsigned line, enum shell_kind kind);

/* Takes the kid over. */
void shell_add(struct shell_node *node, struct shell_node *kid) NONNULL(1, 2);

/* A node of this kind whose first kid is `first`, on the same line. */
struct shell_node *shell_wrap(enum shell_kind kind, struct shell_node *first) NONNULL(2);

/* Sets the error, with the line. */
void shell_explain(struct shell_reader *r, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* The same, and is -1, which gcc's analyzer can see so. */
#define shell_refuse(r, ...) (shell_explain((r), __VA_ARGS__), -1)

/* Does this stand next? */
bool shell_sees(const struct shell_reader *r, const char *text) NONNULL(1, 2);

/* Passes over spaces, joined lines and comments. */
void shell_skip_blank(struct shell_reader *r) NONNULL(1);

/* Reads the word that begins here. An empty one, without quotes, is an error. */
int shell_read_word(struct shell_reader *r, struct shell_word *word) NONNULL(1, 2) MUST_CHECK;

/* Notes a here-document; its text is read by shell_read_newline. */
int shell_note_here(struct shell_reader *r, struct shell_node *node, bool tabs)
    NONNULL(1, 2) MUST_CHECK;

/* Passes over a newline, and reads the here-documents that begin behind it. */
int shell_read_newline(struct shell_reader *r) NONNULL(1) MUST_CHECK;

/* Reads commands up to one of the words or signs that end a list, which is left. Never NULL on 0.
 */
int shell_read_list(struct shell_reader *r, struct shell_node **out) NONNULL(1, 2) MUST_CHECK;

/* Frees what the word holds. */
void shell_word_free(struct shell_word *word) NONNULL(1);

#endif
