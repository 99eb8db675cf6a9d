#include "firstboot/ssh-keys.h"

#include <stdio.h>
#include <string.h>

/* A run of bytes. */
struct span {
    const char *at;
    size_t len;
};

void ssh_keys_init(struct ssh_keys *keys, const char *user)
{
    memset(keys, 0, sizeof *keys);
    keys->user = user ? user : "";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trimmed(struct span s)
{
    while (s.len && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Cuts `USER:` off; a colon behind a blank belongs to a comment. */
static struct span without_user(struct span line, struct span *user)
{
    size_t n = 0;
    *user = (struct span){line.at, 0};
    while (n < line.len && line.at[n] != ':' && !is_blank(line.at[n]))
        n++;
    if (n == line.len || line.at[n] != ':')
        return line;
    user->len = n;
    return (struct span){line.at + n + 1, line.len - n - 1};
}

static bool is_there(const struct ssh_keys *keys, const struct ssh_key *key)
{
    return memmem(keys->text, strlen(keys->text), key->base64, key->base64_len) != NULL;
}

/* Whoever lends a key for minutes marks it so, with the time in JSON. */
static bool expires(const struct ssh_key *key)
{
    static const char mark[] = "google-ssh";
    return key->comment_len >= sizeof mark - 1 && memcmp(key->comment, mark, sizeof mark - 1) == 0;
}

/* A comment that would not do in a terminal stays out. */
static bool append(struct ssh_keys *keys, const struct ssh_key *key)
{
    size_t used = strlen(keys->text);
    size_t comment = ssh_key_printable(key->comment, key->comment_len) ? key->comment_len : 0;
    struct buffer b = {.data = keys->text + used, .cap = sizeof keys->text - used};
    if (is_there(keys, key))
        return true;
    buffer_printf(&b, "%s ", key->type);
    buffer_add(&b, key->base64, key->base64_len);
    buffer_puts(&b, comment ? " " : "");
    buffer_add(&b, key->comment, comment);
    buffer_puts(&b, "\n");
    if (b.overflow || keys->count == SSH_KEYS_COUNT_MAX) {
        keys->text[used] = '\0';
        return false;
    }
    keys->count++;
    return true;
}

static void take_line(struct ssh_keys *keys, struct span line, unsigned number)
{
    struct ssh_key key;
    struct span user;
    line = trimmed(line);
    if (line.len == 0 || *line.at == '#')
        return;
    struct span rest = without_user(line, &user);
    bool prefixed = rest.at != line.at;
    if (prefixed && user.len &&
        (user.len != strlen(keys->user) || memcmp(user.at, keys->user, user.len) != 0))
        return;
    rest = trimmed(rest);
    if ((prefixed && !user.len) || !ssh_key_parse(rest.at, rest.len, &key)) {
        keys->first_bad = keys->bad++ ? keys->first_bad : number;
        return;
    }
    if (expires(&key))
        keys->expiring++;
    else if (!append(keys, &key))
        keys->surplus++;
}

void ssh_keys_take(struct ssh_keys *keys, const char *text, size_t len)
{
    const char *end = text + len;
    unsigned number = 0;
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        take_line(keys, (struct span){at, (size_t)(stop - at)}, ++number);
        at = newline ? newline + 1 : end;
    }
}

bool ssh_keys_add(struct ssh_keys *keys, const char *line, size_t len)
{
    struct ssh_key key;
    return ssh_key_parse(line, len, &key) && ssh_key_printable(line, len) && append(keys, &key);
}

bool ssh_keys_remark(const struct ssh_keys *keys, struct buffer *out)
{
    if (!keys->bad && !keys->expiring && !keys->surplus)
        return false;
    const char *between = "";
    if (keys->bad) {
        buffer_printf(out, "%u lines that are no keys, the first is line %u", keys->bad,
                      keys->first_bad);
        between = "; ";
    }
    if (keys->expiring) {
        buffer_printf(out, "%s%u keys that expire", between, keys->expiring);
        between = "; ";
    }
    if (keys->surplus)
        buffer_printf(out, "%s%u keys more than the %d, or the %d bytes, allowed", between,
                      keys->surplus, SSH_KEYS_COUNT_MAX, SSH_KEYS_MAX - 1);
    return true;
}
