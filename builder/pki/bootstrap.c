#include "builder/pki/bootstrap.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

#include "builder/heap.h"

#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ" /* as Kubernetes reads it */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

/* Bytes above the last multiple of 36 are thrown away: all letters are equally likely. */
static bool random_text(char *out, size_t n)
{
    enum { LETTERS = sizeof letters - 1, FAIR = 256 / LETTERS * LETTERS };
    unsigned char byte = 0;
    for (size_t i = 0; i < n;) {
        if (RAND_priv_bytes(&byte, 1) != 1)
            return false;
        if (byte < FAIR)
            out[i++] = letters[byte % LETTERS];
    }
    OPENSSL_cleanse(&byte, sizeof byte);
    out[n] = '\0';
    return true;
}

int bootstrap_token_new(struct bootstrap_token *out, time_t ends, struct error *err)
{
    out->ends = ends;
    if (random_text(out->id, TOKEN_ID) && random_text(out->secret, TOKEN_SECRET))
        return 0;
    return error_set(err, "no random bytes for a token");
}

/* Finds a line `  KEY: VALUE` whose value has n letters, perhaps in quotes. */
static bool find_value(const char *text, const char *key, char *out, size_t n)
{
    char *line AUTO_FREE = heap_printf("\n  %s: ", key);
    const char *at = strstr(text, line);
    if (!at)
        return false;
    at += strlen(line);
    at += *at == '"';
    if (strspn(at, letters) != n)
        return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

/* Reads a line `  expiration: "TIME"`, if there is one. */
static bool find_end(const char *text, time_t *ends)
{
    static const char line[] = "\n  expiration: \"";
    const char *at = strstr(text, line);
    struct tm tm = {0};
    *ends = 0;
    if (!at)
        return true;
    at = strptime(at + strlen(line), TIME_FORMAT, &tm);
    *ends = at ? timegm(&tm) : -1;
    return at && *at == '"' && *ends > 0;
}

int bootstrap_token_parse(const char *text, size_t len, struct bootstrap_token *out,
                          struct error *err)
{
    if (strlen(text) == len && strstr(text, "type: bootstrap.kubernetes.io/token\n") &&
        find_value(text, "token-id", out->id, TOKEN_ID) &&
        find_value(text, "token-secret", out->secret, TOKEN_SECRET) && find_end(text, &out->ends))
        return 0;
    return error_set(err, "bootstrap-token.yaml has no token as nodebake writes it: remove the "
                          "file to have a new one made");
}

void bootstrap_token_print(const struct bootstrap_token *token, struct buffer *out)
{
    buffer_printf(out,
                  "apiVersion: v1\n"
                  "kind: Secret\n"
                  "metadata:\n"
                  "  name: bootstrap-token-%s\n"
                  "  namespace: kube-system\n"
                  "type: bootstrap.kubernetes.io/token\n"
                  "stringData:\n"
                  "  description: lets kubelets ask for their certificate\n"
                  "  token-id: \"%s\"\n"
                  "  token-secret: \"%s\"\n"
                  "  usage-bootstrap-authentication: \"true\"\n"
                  "  auth-extra-groups: system:bootstrappers:worker\n",
                  token->id, token->id, token->secret);
    if (!token->ends)
        return;
    char text[32];
    struct tm tm;
    strftime(text, sizeof text, TIME_FORMAT, gmtime_r(&token->ends, &tm));
    buffer_printf(out, "  expiration: \"%s\"\n", text);
}
