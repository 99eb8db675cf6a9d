/* The nodes of a shell script's tree. */
#include <stdlib.h>

#include "builder/heap.h"
#include "builder/package/shell-read.h"

struct shell_node *shell_node_new(unsigned line, enum shell_kind kind)
{
    struct shell_node *node = heap_array(1, sizeof *node);
    node->kind = kind;
    node->line = line;
    return node;
}

void shell_add(struct shell_node *node, struct shell_node *kid)
{
    *APPEND(node->kids, node->kid_count, node->kid_cap) = kid;
}

struct shell_node *shell_wrap(enum shell_kind kind, struct shell_node *first)
{
    struct shell_node *node = shell_node_new(first->line, kind);
    shell_add(node, first);
    return node;
}

void shell_word_free(struct shell_word *word)
{
    for (size_t i = 0; i < word->count; i++)
        free(word->parts[i].text);
    free(word->parts);
    *word = (struct shell_word){0};
}

void shell_free(struct shell_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->word_count; i++)
        shell_word_free(&node->words[i]);
    for (size_t i = 0; i < node->redirect_count; i++)
        shell_word_free(&node->redirects[i].word);
    for (size_t i = 0; i < node->kid_count; i++)
        shell_free(node->kids[i]);
    free(node->words);
    free(node->redirects);
    free(node->kids);
    free(node);
}

void shell_free_at(struct shell_node **node)
{
    shell_free(*node);
}
