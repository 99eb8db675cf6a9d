#include "firstboot/http-response.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* What is left to read. */
struct text {
    const char *at;
    size_t len;
};

/* What the head of the answer says of its body. */
struct head {
    bool sized;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_token_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Visible ASCII, spaces, tabs and bytes above (obs-text); no other control bytes. */
static bool is_field_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= ' ' && u != 127);
}

/* Takes the next line without its CRLF; false when its end has not arrived. */
static bool next_line(struct text *text, struct text *line)
{
    const char *end = memchr(text->at, '\n', text->len);
    if (!end)
        return false;
    *line = (struct text){text->at, (size_t)(end - text->at)};
    text->len -= line->len + 1;
    text->at = end + 1;
    return true;
}

static bool strip_cr(struct text *line)
{
    if (line->len == 0 || line->at[line->len - 1] != '\r')
        return false;
    line->len--;
    for (size_t i = 0; i < line->len; i++)
        if (!is_field_byte(line->at[i]))
            return false;
    return true;
}

static bool name_is(struct text name, const char *wanted)
{
    return strlen(wanted) == name.len && strncasecmp(name.at, wanted, name.len) == 0;
}

static int parse_status(struct text line, struct http_response *out, struct error *err)
{
    const char *p = line.at;
    if (!strip_cr(&line) || line.len < 12 || memcmp(p, "HTTP/1.", 7) != 0 || !is_digit(p[7]) ||
        p[8] != ' ' || !is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]) ||
        (line.len > 12 && p[12] != ' '))
        return error_set(err, "not the status line of an HTTP/1 answer");
    out->status =
        (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 + (unsigned)(p[11] - '0');
    if (out->status < 200)
        return error_set(err, "unexpected HTTP status %u", out->status);
    return 0;
}

static int parse_length(struct text value, struct head *head, struct error *err)
{
    if (head->sized)
        return error_set(err, "more than one Content-Length");
    if (value.len == 0)
        return error_set(err, "a Content-Length that is no number");
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.at[i]))
            return error_set(err, "a Content-Length that is no number");
        size_t digit = (size_t)(value.at[i] - '0');
        if (head->size > (SIZE_MAX - digit) / 10)
            return error_set(err, "a Content-Length that is too large");
        head->size = head->size * 10 + digit;
    }
    head->sized = true;
    return 0;
}

static struct text trimmed(struct text value)
{
    while (value.len && (*value.at == ' ' || *value.at == '\t')) {
        value.at++;
        value.len--;
    }
    while (value.len && (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t'))
        value.len--;
    return value;
}

static int parse_field(struct text line, const char *wanted, struct http_response *out,
                       struct head *head, struct error *err)
{
    struct text name = {line.at, 0};
    if (!strip_cr(&line))
        return error_set(err, "a header line with control bytes or without a carriage return");
    while (name.len < line.len && is_token_byte(line.at[name.len]))
        name.len++;
    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
        return error_set(err, "a header line without 'NAME: '");
    struct text value = trimmed((struct text){line.at + name.len + 1, line.len - name.len - 1});
    if (name_is(name, "Transfer-Encoding"))
        return error_set(err, "Transfer-Encoding (chunked) is not understood");
    if (name_is(name, "Content-Length"))
        return parse_length(value, head, err);
    if (wanted && name_is(name, wanted) && !out->header) {
        out->header = value.at;
        out->header_len = value.len;
    }
    return 0;
}

static int find_body(struct text rest, bool closed, const struct head *head,
                     struct http_response *out, struct error *err)
{
    bool bodiless = out->status == 204 || out->status == 304;
    size_t size = bodiless ? 0 : head->size;
    out->body = rest.at;
    out->body_len = rest.len;
    if (!bodiless && !head->sized)
        return closed;
    if (rest.len < size)
        return closed ? error_set(err, "the answer ends after %zu of %zu bytes", rest.len, size)
                      : 0;
    out->body_len = size;
    return 1;
}

int http_response_parse(const char *bytes, size_t len, bool closed, const char *wanted,
                        struct http_response *out, struct error *err)
{
    struct text rest = {bytes, len}, line;
    struct head head = {0};
    memset(out, 0, sizeof *out);
    if (len && memcmp(bytes, "HTTP/1.", len < 7 ? len : 7) != 0)
        return error_set(err, "not an HTTP/1 answer");
    if (!next_line(&rest, &line))
        return closed ? error_set(err, "the answer ends inside its head") : 0;
    if (parse_status(line, out, err) < 0)
        return -1;
    while (next_line(&rest, &line)) {
        if (line.len == 1 && *line.at == '\r')
            return find_body(rest, closed, &head, out, err);
        if (parse_field(line, wanted, out, &head, err) < 0)
            return -1;
    }
    return closed ? error_set(err, "the answer ends inside its head") : 0;
}
