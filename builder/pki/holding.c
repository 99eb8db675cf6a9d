#include "builder/pki/holding.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"

static int load_key(int folder, const char *name, struct holding *h, struct error *err)
{
    bool present;
    if (folder_read(folder, name, true, &h->key_pem, &present, err) < 0)
        return -1;
    if (present && x509_key_parse(&h->key_pem, &h->key, err) < 0)
        return error_context(err, "%s", name);
    return 0;
}

/* A CA's file holds one: the controller manager, which signs with it, takes no other. */
static int load_cert(int folder, const char *name, struct buffer *pem, X509 **cert,
                     struct certs *between, struct error *err)
{
    bool present;
    if (folder_read(folder, name, false, pem, &present, err) < 0)
        return -1;
    if (present &&
        (between ? chain_load(pem, cert, between, err) : x509_cert_parse(pem, cert, err)) < 0)
        return error_context(err, "%s", name);
    return 0;
}

void holding_load(int folder, const struct identity *id, struct holding *out)
{
    char *key AUTO_FREE = heap_printf("%s-key.pem", id->stem);
    char *cert AUTO_FREE = heap_printf("%s.pem", id->stem);
    char *old AUTO_FREE = heap_printf("%s-old.pem", id->stem);
    struct buffer old_pem AUTO_BUFFER = buffer_heap();
    *out = (struct holding){.key_pem = buffer_heap(), .cert_pem = buffer_heap()};
    if (load_key(folder, key, out, &out->fault) < 0 ||
        load_cert(folder, cert, &out->cert_pem, &out->cert, id->subject.ca ? NULL : &out->between,
                  &out->fault) < 0)
        return;
    if (id->subject.ca && load_cert(folder, old, &old_pem, &out->old, NULL, &out->fault) < 0)
        return;
}

int holding_set_key(struct holding *h, EVP_PKEY *key, struct error *err)
{
    x509_key_free_at(&h->key);
    h->key = key;
    buffer_free(&h->key_pem);
    h->key_pem = buffer_heap();
    return x509_key_print(key, &h->key_pem, err);
}

int holding_set_cert(struct holding *h, X509 *cert, struct error *err)
{
    x509_cert_free_at(&h->cert);
    h->cert = cert;
    certs_free(&h->between);
    buffer_clear(&h->cert_pem);
    return x509_cert_print(cert, &h->cert_pem, err);
}

int holding_set_chain(struct holding *h, X509 *cert, const struct certs *between, struct error *err)
{
    if (!X509_up_ref(cert) || holding_set_cert(h, cert, err) < 0)
        return -1;
    for (size_t i = 0; i < between->count; i++) {
        certs_add(&h->between, between->items[i]);
        if (x509_cert_print(between->items[i], &h->cert_pem, err) < 0)
            return -1;
    }
    return 0;
}

void holding_free(struct holding *h)
{
    buffer_free(&h->key_pem);
    buffer_free(&h->cert_pem);
    x509_key_free_at(&h->key);
    x509_cert_free_at(&h->cert);
    x509_cert_free_at(&h->old);
    certs_free(&h->between);
}
