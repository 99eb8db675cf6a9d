#include "builder/inspect/certificates.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/kubeconfig.h"
#include "builder/pki/x509.h"

enum { DAY = 24 * 60 * 60, SOON_DAYS = 30, DATE_MAX = 20 };

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----", END[] = "-----END CERTIFICATE-----";

/* A file that is looked through. */
struct search {
    const char *path;
    const char *what; /* key of the kubeconfig, or NULL */
    time_t now;
    struct report *report;
};

static void bio_free_at(BIO **bio)
{
    BIO_free_all(*bio);
}
#define AUTO_BIO __attribute__((cleanup(bio_free_at)))

/* "CN=system:node:worker-0,O=system:nodes"; the caller frees it. */
static char *name_text(const X509_NAME *name)
{
    BIO *bio AUTO_BIO = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return heap_copy("?");
    long n = BIO_get_mem_data(bio, &bytes);
    return report_text(n > 0 ? bytes : "", n > 0 ? (size_t)n : 0);
}

/* Common name and organizations: to Kubernetes, the user and its groups. */
static char *holder_text(const X509_NAME *name)
{
    static const int parts[] = {NID_commonName, NID_organizationName};
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (int at = -1; (at = X509_NAME_get_index_by_NID(name, parts[i], at)) >= 0;) {
            unsigned char *value = NULL;
            int n = ASN1_STRING_to_UTF8(&value,
                                        X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
            if (n > 0)
                buffer_printf(&text, "%s%.*s", text.len ? ", " : "", n, (char *)value);
            OPENSSL_free(value);
        }
    return text.len ? report_text(text.data, text.len) : name_text(name);
}

/* False: the time cannot be read. */
static bool time_of(const ASN1_TIME *from, time_t *out)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(from, &tm))
        return false;
    *out = timegm(&tm);
    return true;
}

/* Days that are over count whole: a certificate that ended an hour ago has -1 left. */
static long days_until(time_t end, time_t now)
{
    long seconds = (long)(end - now);
    return seconds >= 0 ? seconds / DAY : -((-seconds + DAY - 1) / DAY);
}

static void judge(const struct search *s, const struct certificate *c)
{
    char date[DATE_MAX] = "";
    struct tm tm;
    time_t when = c->begins > s->now ? c->begins : c->ends;
    if (gmtime_r(&when, &tm))
        strftime(date, sizeof date, "%Y-%m-%d", &tm);
    if (c->begins > s->now)
        report_problem(s->report, "not-yet-valid", s->path,
                       "holds the certificate of %s, which is not valid before %s", c->holder,
                       date);
    else if (c->ends <= s->now)
        report_problem(s->report, "expired", s->path,
                       "holds the certificate of %s, which expired on %s", c->holder, date);
    else if (c->days_left < SOON_DAYS)
        report_remark(s->report, "%s: %s: expires on %s, in %ld days", s->path, c->holder, date,
                      c->days_left);
}

static void add(const struct search *s, X509 *cert)
{
    struct report *r = s->report;
    time_t begins, ends;
    if (r->certificate_count == CERTIFICATES_MAX)
        return;
    if (!time_of(X509_get0_notBefore(cert), &begins) || !time_of(X509_get0_notAfter(cert), &ends)) {
        report_problem(r, "certificate", s->path, "holds a certificate whose dates cannot be read");
        return;
    }
    struct certificate *c = APPEND(r->certificates, r->certificate_count, r->certificate_cap);
    *c = (struct certificate){.path = report_text(s->path, strlen(s->path)),
                              .what = heap_copy(s->what),
                              .subject = name_text(X509_get_subject_name(cert)),
                              .holder = holder_text(X509_get_subject_name(cert)),
                              .issuer = name_text(X509_get_issuer_name(cert)),
                              .ca = X509_check_ca(cert) == 1,
                              .begins = begins,
                              .ends = ends,
                              .days_left = days_until(ends, s->now)};
    judge(s, c);
}

/* All blocks of a PEM text that are certificates. */
static void read_pem(const struct search *s, const char *text, size_t len)
{
    const char *end = text + len;
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), BEGIN, strlen(BEGIN)));) {
        const char *stop = memmem(at, (size_t)(end - at), END, strlen(END));
        struct error why = ERROR_INIT;
        struct buffer block AUTO_BUFFER = buffer_heap();
        X509 *cert AUTO_CERT = NULL;
        buffer_add(&block, at, stop ? (size_t)(stop - at) + strlen(END) : (size_t)(end - at));
        buffer_puts(&block, "\n");
        if (x509_cert_parse(&block, &cert, &why) < 0)
            report_problem(s->report, "certificate", s->path, "holds a damaged certificate");
        else
            add(s, cert);
        at = stop ? stop + strlen(END) : end;
    }
}

static void read_base64(const struct search *s, const char *at, size_t len)
{
    struct buffer bytes AUTO_BUFFER = buffer_heap();
    if (base64_read(at, len, &bytes) < 0)
        report_problem(s->report, "certificate", s->path, "holds a %s that is not base64", s->what);
    else if (bytes.len)
        read_pem(s, bytes.data, bytes.len);
}

/* A line `KEY: VALUE` whose key is one of a kubeconfig's certificates. */
static void read_line(const struct search *s, const char *at, const char *end)
{
    static const char *const keys[] = {"certificate-authority-data", "client-certificate-data"};
    while (at < end && (*at == ' ' || *at == '-'))
        at++;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t n = strlen(keys[i]);
        struct search in = *s;
        in.what = keys[i];
        if ((size_t)(end - at) < n + 1 || memcmp(at, keys[i], n) != 0 || at[n] != ':')
            continue;
        at += n + 1;
        while (at < end && (*at == ' ' || *at == '"'))
            at++;
        while (end > at && (end[-1] == ' ' || end[-1] == '"' || end[-1] == '\r'))
            end--;
        read_base64(&in, at, (size_t)(end - at));
        return;
    }
}

void certificates_read(const char *path, const char *text, size_t len, time_t now,
                       struct report *report)
{
    const struct search search = {.path = path, .now = now, .report = report};
    const char *end = text + len;
    if (len > PEM_MAX || memchr(text, '\0', len))
        return;
    read_pem(&search, text, len);
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        read_line(&search, line, newline ? newline : end);
        line = newline ? newline + 1 : end;
    }
}
