/* An answer of a metadata service, whole and as it arrives. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "firstboot/http-response.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_inside(const char *part, size_t part_len, const char *text, size_t len)
{
    assert(part >= text && part_len <= len && part - text <= (ptrdiff_t)(len - part_len));
}

static int parse(const char *text, size_t len, bool closed, struct http_response *r)
{
    struct error err = ERROR_INIT;
    int end = http_response_parse(text, len, closed, "Metadata-Flavor", r, &err);
    assert((end < 0) == (err.text[0] != '\0'));
    assert(end != 0 || !closed); /* nothing follows: there is always an outcome */
    if (end == 1) {
        assert(r->status >= 200 && r->status <= 999);
        check_inside(r->body, r->body_len, text, len);
        if (r->header)
            check_inside(r->header, r->header_len, text, len);
    }
    return end;
}

/* What is decided early is not decided otherwise when more comes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *)bytes;
    struct http_response early, all;
    int end = parse(text, len, false, &all);
    parse(text, len, true, &all);
    for (size_t part = 0; part < len; part += 1 + part / 8) {
        int now = parse(text, part, false, &early);
        assert(now == 0 || now == end);
        if (now != 1)
            continue;
        assert(parse(text, len, false, &all) == 1);
        assert(early.status == all.status && early.body == all.body &&
               early.body_len == all.body_len);
    }
    return 0;
}
