#include "builder/plan/sysctl.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

/* The kernel sets the one when the other is set. */
static const char *const forwarding[] = {"net/ipv4/conf/all/forwarding",
                                         "net/ipv4/conf/default/forwarding"};
static const char IP_FORWARD[] = "net/ipv4/ip_forward";

/* The key as a path below /proc/sys: its first separator says which of '.' and '/' that is. The
 * caller frees it. */
static char *path_of(const char *key)
{
    char *path = heap_copy(key + (*key == '-')); /* '-': errors do not matter */
    size_t first = strcspn(path, "./");
    if (path[first] != '.')
        return path;
    for (char *p = path; *p; p++)
        *p = (char)(*p == '.' ? '/' : *p == '/' ? '.' : *p);
    return path;
}

bool sysctl_key_matches(const char *pattern, const char *key)
{
    char *a AUTO_FREE = path_of(pattern), *b AUTO_FREE = path_of(key);
    if (fnmatch(a, b, FNM_PATHNAME) == 0)
        return true;
    for (size_t i = 0; strcmp(b, IP_FORWARD) == 0 && i < ARRAY_LEN(forwarding); i++)
        if (fnmatch(a, forwarding[i], FNM_PATHNAME) == 0)
            return true;
    return false;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

int sysctl_each(const char *text, sysctl_visit *visit, void *ctx)
{
    int answer = 0;
    while (*text && answer == 0) {
        size_t len = strcspn(text, "\n");
        char *copy AUTO_FREE = heap_printf("%.*s", (int)len, text);
        char *line = trim(copy), *equals = strchr(line, '=');
        text += len + (text[len] == '\n');
        if (!equals || strchr("#;", *line))
            continue;
        *equals = '\0';
        answer = visit(ctx, trim(line), trim(equals + 1));
    }
    return answer;
}

struct search {
    const char *key;
    char *value;
};

static int compare(void *ctx, const char *key, const char *value)
{
    struct search *search = ctx;
    if (sysctl_key_matches(key, search->key)) {
        free(search->value);
        search->value = heap_copy(value);
    }
    return 0;
}

char *sysctl_value(const char *text, const char *key)
{
    struct search search = {.key = key};
    sysctl_each(text, compare, &search);
    return search.value;
}
