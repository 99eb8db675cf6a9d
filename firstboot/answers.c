#include "firstboot/answers.h"

#include "common/attributes.h"

/* When a row holds; 0: always. EARLY: before the first 200, when a service that is not ready yet
 * may say 404 to everything. */
enum { GENUINE = 1, ALIEN = 2, EARLY = 4 };

/* The first row that fits counts; what fits none ends first boot (redirects, 204, 400, 403, ...).
 */
static const struct {
    unsigned char asked, when, answer;
    unsigned short first, last; /* status */
} rows[] = {
    {ASKED_GCE, GENUINE, ANSWER_VALUE, 200, 200},
    {ASKED_GCE, GENUINE, ANSWER_NONE, 404, 404},
    {ASKED_GCE, ALIEN | EARLY, ANSWER_AGAIN, 404, 404},
    {ASKED_GCE, 0, ANSWER_AGAIN, 429, 429},
    {ASKED_GCE, 0, ANSWER_AGAIN, 500, 599},

    {ASKED_AWS_TOKEN, 0, ANSWER_VALUE, 200, 200},
    {ASKED_AWS_TOKEN, 0, ANSWER_AGAIN, 401, 401},
    {ASKED_AWS_TOKEN, EARLY, ANSWER_AGAIN, 404, 404},
    {ASKED_AWS_TOKEN, 0, ANSWER_AGAIN, 429, 429},
    {ASKED_AWS_TOKEN, 0, ANSWER_AGAIN, 500, 599},

    /* A service that has no tokens knows neither their path nor PUT. */
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_VALUE, 200, 200},
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_AGAIN, 401, 401},
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_NONE, 404, 405},
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_AGAIN, 429, 429},
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_NONE, 501, 501},
    {ASKED_AWS_TOKEN_V1, 0, ANSWER_AGAIN, 500, 599},

    {ASKED_AWS, 0, ANSWER_VALUE, 200, 200},
    {ASKED_AWS, 0, ANSWER_TOKEN, 401, 401},
    {ASKED_AWS, EARLY, ANSWER_TOKEN, 404, 404},
    {ASKED_AWS, 0, ANSWER_NONE, 404, 404},
    {ASKED_AWS, 0, ANSWER_AGAIN, 429, 429},
    {ASKED_AWS, 0, ANSWER_AGAIN, 500, 599},
};

enum answer answer_of(enum question asked, unsigned status, bool genuine, bool served)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned when = rows[i].when;
        if (rows[i].asked == asked && status >= rows[i].first && status <= rows[i].last &&
            (!(when & GENUINE) || genuine) && (!(when & ALIEN) || !genuine) &&
            (!(when & EARLY) || !served))
            return (enum answer)rows[i].answer;
    }
    return ANSWER_STOP;
}
