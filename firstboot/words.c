#include "firstboot/words.h"

#include <string.h>

#include "common/template.h"

bool word_is_path(const char *word, bool absolute)
{
    if ((*word == '/') != absolute)
        return false;
    if (absolute)
        word++;
    for (;;) {
        size_t n = strcspn(word, "/");
        bool last = word[n] == '\0';
        if (n == 0 || n > (last ? WORD_BASE_MAX : 255))
            return false;
        if (word[0] == '.' && (n == 1 || (n == 2 && word[1] == '.')))
            return false;
        if (last)
            return true;
        word += n + 1;
    }
}

bool word_is_unit(const char *word)
{
    size_t n =
        strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@");
    const char *dot = strrchr(word, '.');
    return n <= WORD_BASE_MAX && word[n] == '\0' && *word != '.' && dot && dot[1];
}

bool word_is_fact(const char *word)
{
    size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n < FACT_NAME_MAX && word[n] == '\0' && *word >= 'A' && *word <= 'Z';
}

bool word_is_user(const char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return n > 0 && n <= 32 && word[n] == '\0' && !strchr("-0123456789", *word);
}

bool word_to_mode(const char *word, mode_t *out)
{
    if (strlen(word) != 4 || strspn(word, "01234567") != 4)
        return false;
    *out = 0;
    for (; *word; word++)
        *out = *out << 3 | (mode_t)(*word - '0');
    return true;
}

bool word_to_number(const char *word, uint32_t max, uint32_t *out)
{
    if (*word == '\0' || (*word == '0' && word[1]))
        return false;
    uint64_t n = 0;
    for (; *word; word++) {
        if (*word < '0' || *word > '9')
            return false;
        n = n * 10 + (uint64_t)(*word - '0');
        if (n > max)
            return false;
    }
    *out = (uint32_t)n;
    return true;
}
