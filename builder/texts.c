#include "builder/texts.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

void texts_add(struct texts *texts, const char *text)
{
    *APPEND(texts->items, texts->count, texts->cap) = heap_copy(text);
}

bool texts_have(const struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return true;
    return false;
}

void texts_free(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct texts){0};
}
