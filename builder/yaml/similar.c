#include "builder/yaml/similar.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

bool yaml_similar(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m < 4 && n < 4)
        return strcasecmp(a, b) == 0;
    while (m && n && strncasecmp(a, b, 1) == 0)
        a++, b++, m--, n--;
    while (m && n && strncasecmp(a + m - 1, b + n - 1, 1) == 0)
        m--, n--;
    bool swapped =
        m == 2 && n == 2 && strncasecmp(a, b + 1, 1) == 0 && strncasecmp(a + 1, b, 1) == 0;
    return (m <= 1 && n <= 1) || swapped;
}
