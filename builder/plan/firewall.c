#include "builder/plan/firewall.h"

#include <ctype.h>
#include <string.h>

#include "builder/heap.h"

/* Calls `line` with each line of the text; stops when it answers true, and answers so, too. */
typedef bool line_test(const char *line, size_t len);

static bool any_line(const char *text, line_test *test)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (test(text, len))
            return true;
        text += len + (text[len] == '\n');
    }
    return false;
}

/* ENABLED=yes in the words that ufw knows, with or without quotes. */
static bool says_enabled(const char *line, size_t len)
{
    static const char key[] = "ENABLED=";
    char *copy AUTO_FREE = heap_printf("%.*s", (int)len, line);
    if (strncasecmp(copy, key, strlen(key)) != 0)
        return false;
    const char *value = copy + strlen(key);
    value += strspn(value, "\"' \t");
    return strncasecmp(value, "yes", 3) == 0;
}

bool firewall_ufw_enabled(const char *conf)
{
    return any_line(conf, says_enabled);
}

void firewall_ufw_disable(const char *conf, struct buffer *out)
{
    while (*conf) {
        size_t len = strcspn(conf, "\n");
        if (says_enabled(conf, len))
            buffer_puts(out, "ENABLED=no");
        else
            buffer_add(out, conf, len);
        buffer_add(out, "\n", conf[len] == '\n');
        conf += len + (conf[len] == '\n');
    }
}

/* The comment of our rules, as ufw writes it: "nodebake" in hex. */
#define UFW_COMMENT " comment=6e6f646562616b65\n"
#define UFW_ANY     "0.0.0.0/0"

static void allow_network(const char *network, struct buffer *out)
{
    buffer_printf(out,
                  "\n### tuple ### allow any any " UFW_ANY " any %s in" UFW_COMMENT
                  "-A ufw-user-input -s %s -j ACCEPT\n",
                  network, network);
}

static void allow_routed(const char *network, struct buffer *out)
{
    buffer_printf(out,
                  "\n### tuple ### route:allow any any " UFW_ANY " any %s in" UFW_COMMENT
                  "-A ufw-user-forward -s %s -j ACCEPT\n"
                  "\n### tuple ### route:allow any any %s any " UFW_ANY " in" UFW_COMMENT
                  "-A ufw-user-forward -d %s -j ACCEPT\n",
                  network, network, network, network);
}

static void allow_ports(const char *protocol, const char *ports, struct buffer *out)
{
    buffer_printf(out,
                  "\n### tuple ### allow %s %s " UFW_ANY " any " UFW_ANY " in" UFW_COMMENT
                  "-A ufw-user-input -p %s %s %s -j ACCEPT\n",
                  protocol, ports, protocol,
                  strchr(ports, ':') ? "-m multiport --dports" : "--dport", ports);
}

int firewall_ufw_open(const char *rules, const struct firewall_open *open, struct buffer *out,
                      struct error *err)
{
    static const char mark[] = "\n### RULES ###\n";
    const char *at = strstr(rules, mark);
    if (!at || !strstr(rules, "\n:ufw-user-input ") || !strstr(rules, "\n:ufw-user-forward "))
        return error_set(err, "it is not a file of ufw's rules (no '### RULES ###')");
    at += strlen(mark);
    buffer_add(out, rules, (size_t)(at - rules));
    allow_network(open->nodes, out);
    allow_network(open->pods, out);
    allow_ports("tcp", "22", out);
    if (open->api) {
        allow_ports("tcp", "80", out);
        allow_ports("tcp", "6443", out);
    }
    allow_ports("tcp", "30000:32767", out);
    allow_ports("udp", "30000:32767", out);
    allow_routed(open->pods, out);
    buffer_puts(out, at);
    return 0;
}

/* Is the word there by itself? */
static bool has_word(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++) {
        bool begins = i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_');
        bool ends = i + n == len || !(isalnum((unsigned char)text[i + n]) || text[i + n] == '_');
        if (begins && ends && strncmp(text + i, word, n) == 0)
            return true;
    }
    return false;
}

static bool nft_line_drops(const char *line, size_t len)
{
    static const char *const words[] = {"drop", "reject", "include"};
    const char *hash = memchr(line, '#', len);
    size_t n = hash ? (size_t)(hash - line) : len;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (has_word(line, n, words[i]))
            return true;
    return false;
}

bool firewall_nft_drops(const char *rules)
{
    return any_line(rules, nft_line_drops);
}

/* Chains have capitals there: ":INPUT DROP [0:0]", "-A INPUT -j REJECT". */
static bool iptables_line_drops(const char *line, size_t len)
{
    return len && *line != '#' && (has_word(line, len, "DROP") || has_word(line, len, "REJECT"));
}

bool firewall_iptables_drops(const char *rules)
{
    return any_line(rules, iptables_line_drops);
}
