#include "builder/plan/sshd.h"

#include <string.h>
#include <strings.h>

/* Of two values sshd takes the first; the last of these is the name that versions before 8.7 want
 * beside the new one. */
static const char *const keywords[] = {"PasswordAuthentication", "PermitRootLogin",
                                       "KbdInteractiveAuthentication",
                                       "ChallengeResponseAuthentication"};

/* A line as sshd takes it apart: words, the first of which may be followed by a '='. */
struct words {
    const char *at, *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* The next word without its quotes; false at the end of the line. */
static bool next_word(struct words *w, bool keyword, const char **word, size_t *len)
{
    while (w->at < w->end && (is_blank(*w->at) || *w->at == '='))
        w->at++;
    if (w->at == w->end || *w->at == '#')
        return false;
    bool quoted = *w->at == '"';
    w->at += quoted;
    *word = w->at;
    while (w->at < w->end &&
           (quoted ? *w->at != '"' : !is_blank(*w->at) && !(keyword && *w->at == '=')))
        w->at++;
    *len = (size_t)(w->at - *word);
    w->at += quoted && w->at < w->end;
    return true;
}

static bool word_is(const char *word, size_t len, const char *wanted)
{
    return strlen(wanted) == len && strncasecmp(word, wanted, len) == 0;
}

static bool includes_folder(struct words *w)
{
    const char *word;
    size_t len;
    while (next_word(w, false, &word, &len))
        if (word_is(word, len, SSHD_FOLDER "/*.conf") || word_is(word, len, "sshd_config.d/*.conf"))
            return true;
    return false;
}

/* Does the line end the search: 1 with the folder, 0 without, -1 not at all? */
static int look(struct words line)
{
    const char *word;
    size_t len;
    if (!next_word(&line, true, &word, &len))
        return -1;
    if (word_is(word, len, "Include"))
        return includes_folder(&line) ? 1 : 0; /* of another file we know nothing */
    if (word_is(word, len, "Match"))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (word_is(word, len, keywords[i]))
            return 0;
    return -1;
}

bool sshd_takes_dropins(const char *config, size_t len)
{
    const char *end = config + len;
    for (const char *at = config; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        int answer = look((struct words){at, stop});
        if (answer >= 0)
            return answer;
        at = newline ? newline + 1 : end;
    }
    return false;
}

void sshd_settings(bool root_keys, struct buffer *out)
{
    buffer_puts(out,
                "# From nodebake: keys only. Of two values sshd takes the first that it reads.\n"
                "PasswordAuthentication no\n"
                "KbdInteractiveAuthentication no\n"
                "ChallengeResponseAuthentication no\n");
    buffer_printf(out, "PermitRootLogin %s\n", root_keys ? "prohibit-password" : "no");
}
