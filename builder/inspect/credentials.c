#include "builder/inspect/credentials.h"

#include <stdbool.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/x509.h"

/* The first that the text has is what it is. */
static const struct {
    const char *kind, *mark;
    bool secret;
} kinds[] = {
    {"kubeconfig", "client-key-data:", true}, {"kubeconfig", "\"client-key-data\":", true},
    {"kubeconfig", "kind: Config\n", true},   {"encryption keys", "kind: EncryptionConfig", true},
    {"key", "PRIVATE KEY-----", true},        {"certificate", "-----BEGIN CERTIFICATE-----", false},
};

/* The group of root is root. */
static bool is_shown(const struct credential *c)
{
    return c->mode & 0007 || (c->mode & 0070 && c->gid != 0);
}

void credentials_read(const struct credential *as, const char *text, size_t len,
                      struct report *report)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds) && len <= PEM_MAX; i++) {
        if (!memmem(text, len, kinds[i].mark, strlen(kinds[i].mark)))
            continue;
        if (report->credential_count == CREDENTIALS_MAX)
            return;
        struct credential *c =
            APPEND(report->credentials, report->credential_count, report->credential_cap);
        *c = *as;
        c->path = report_text(as->path, strlen(as->path));
        c->kind = kinds[i].kind;
        if (kinds[i].secret && is_shown(c))
            report_problem(report, "exposed", as->path,
                           "holds a secret (%s), and mode %04o shows it to others", c->kind,
                           (unsigned)c->mode & 07777);
        return;
    }
}
