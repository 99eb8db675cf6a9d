/* A template of any bytes: rendering ends, in the same bytes however it is done. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/template.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 16 };

static void require(int truth)
{
    if (!truth)
        abort();
}

/* KNOWN has a value, names that begin with L are somebody else's, no other is known. */
static enum template_answer lookup(void *ctx, const char *name, const char **value)
{
    size_t n = strlen(name);
    require(n > 0 && n < FACT_NAME_MAX && name[0] >= 'A' && name[0] <= 'Z');
    ++*(unsigned *)ctx;
    if (*name == 'L')
        return TEMPLATE_LATER;
    *value = "a@b";
    return *name == 'K' ? TEMPLATE_VALUE : TEMPLATE_UNKNOWN;
}

static enum template_answer values_only(void *ctx, const char *name, const char **value)
{
    enum template_answer answer = lookup(ctx, name, value);
    *value = "a@b";
    return answer == TEMPLATE_LATER ? TEMPLATE_VALUE : answer;
}

static int render(const char *text, size_t size, template_lookup *names, struct buffer *out,
                  unsigned *later)
{
    struct error err = ERROR_INIT;
    unsigned asked = 0;
    int result = template_render(out, text, size, names, &asked, later, &err);
    require((result < 0) == (err.text[0] != '\0'));
    require(out->len < OUT_MAX && *later <= asked);
    return result;
}

/* In two stages comes out what comes out in one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[OUT_MAX], second[OUT_MAX], once[OUT_MAX];
    struct buffer stage1 = BUFFER_FIXED(first), stage2 = BUFFER_FIXED(second);
    struct buffer direct = BUFFER_FIXED(once);
    unsigned later = 0, none = 0;
    char *text = exact_copy(data, size);
    int staged = render(text, size, lookup, &stage1, &later);
    int whole = render(text, size, values_only, &direct, &none);
    require(none == 0 && (staged == whole || size > OUT_MAX / 8));
    if (staged == 0 && whole == 0) {
        if (later)
            require(render(first, stage1.len, values_only, &stage2, &none) == 0);
        const struct buffer *end = later ? &stage2 : &stage1;
        require(end->len == direct.len && memcmp(end->data, once, direct.len) == 0);
    }
    free(text);
    return 0;
}
