#include "builder/pki/derive.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/x509.h"

enum { KEPT_MAX = 16 };

struct kept {
    enum passphrase which;
    enum seal_use use;
    struct derivation how;
    unsigned char key[DERIVED_KEY];
};

/* Files of one folder have two sets of parameters, four while the passphrase changes. */
struct shelf {
    struct kept kept[KEPT_MAX];
    size_t count; /* ever put there */
};
static struct shelf *shelf;

int derivation_read(const X509_ALGOR *algorithm, struct derivation *out)
{
    const ASN1_OBJECT *oid;
    const void *value;
    int type, result = -1;
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    if (OBJ_obj2nid(oid) != NID_id_pbkdf2 || type != V_ASN1_SEQUENCE)
        return -1;
    PBKDF2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), algorithm->parameter);
    if (!p)
        return -1;
    long rounds = ASN1_INTEGER_get(p->iter);
    int salt =
        p->salt->type == V_ASN1_OCTET_STRING ? ASN1_STRING_length(p->salt->value.octet_string) : 0;
    *out = (struct derivation){.rounds = (int)rounds, .prf = NID_hmacWithSHA1};
    if (p->prf)
        out->prf = OBJ_obj2nid(p->prf->algorithm);
    if (rounds > 0 && rounds <= ROUNDS_MAX && salt > 0 && salt <= SALT_MAX &&
        (!p->keylength || ASN1_INTEGER_get(p->keylength) == DERIVED_KEY)) {
        out->salt_len = (size_t)salt;
        memcpy(out->salt, ASN1_STRING_get0_data(p->salt->value.octet_string), out->salt_len);
        result = 0;
    }
    PBKDF2PARAM_free(p);
    return result;
}

static bool same(const struct derivation *a, const struct derivation *b)
{
    return a->rounds == b->rounds && a->prf == b->prf && a->salt_len == b->salt_len &&
           memcmp(a->salt, b->salt, a->salt_len) == 0;
}

static size_t kept_count(void)
{
    return !shelf ? 0 : shelf->count < KEPT_MAX ? shelf->count : KEPT_MAX;
}

int derivation_own(enum passphrase which, enum seal_use use, struct derivation *out,
                   struct error *err)
{
    for (size_t i = 0; i < kept_count(); i++) {
        const struct kept *k = &shelf->kept[i];
        if (k->which == which && k->use == use && k->how.rounds == ROUNDS_OWN &&
            k->how.salt_len == SALT_OWN && k->how.prf == NID_hmacWithSHA256) {
            *out = k->how;
            return 0;
        }
    }
    *out =
        (struct derivation){.salt_len = SALT_OWN, .rounds = ROUNDS_OWN, .prf = NID_hmacWithSHA256};
    return RAND_bytes(out->salt, SALT_OWN) == 1 ? 0 : x509_error(err, "random bytes");
}

static const EVP_MD *digest_of(int prf)
{
    int digest;
    return EVP_PBE_find(EVP_PBE_TYPE_PRF, prf, NULL, &digest, NULL) ? EVP_get_digestbynid(digest)
                                                                    : NULL;
}

static struct kept *new_kept(void)
{
    if (!shelf)
        shelf = secret_memory(sizeof *shelf);
    return &shelf->kept[shelf->count++ % KEPT_MAX];
}

int derive(enum passphrase which, enum seal_use use, const struct derivation *how,
           const unsigned char **key, struct error *err)
{
    size_t len;
    const char *text = passphrase_text(which, &len);
    const EVP_MD *digest = digest_of(how->prf);
    for (size_t i = 0; i < kept_count(); i++)
        if (shelf->kept[i].which == which && shelf->kept[i].use == use &&
            same(&shelf->kept[i].how, how)) {
            *key = shelf->kept[i].key;
            return 0;
        }
    if (!digest)
        return error_set(err, "encrypted in a way that is not known here");
    struct kept *k = new_kept();
    *k = (struct kept){.which = which, .use = use, .how = *how};
    if (PKCS5_PBKDF2_HMAC(text, (int)len, how->salt, (int)how->salt_len, how->rounds, digest,
                          DERIVED_KEY, k->key) != 1) {
        explicit_bzero(k, sizeof *k);
        return x509_error(err, "derive a key");
    }
    *key = k->key;
    return 0;
}

void derive_forget(void)
{
    if (shelf)
        explicit_bzero(shelf, sizeof *shelf);
}

int derive_cbc(bool encrypt, const unsigned char *key, const unsigned char *iv, const void *bytes,
               size_t n, struct buffer *out)
{
    int first = 0, last = 0;
    struct buffer room AUTO_BUFFER = buffer_heap();
    static const char block[EVP_MAX_BLOCK_LENGTH];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    buffer_add(&room, bytes, n); /* only to have the room */
    buffer_add(&room, block, sizeof block);
    unsigned char *to = (unsigned char *)room.data;
    bool good = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) &&
                EVP_CipherUpdate(ctx, to, &first, bytes, (int)n) &&
                EVP_CipherFinal_ex(ctx, to + first, &last);
    EVP_CIPHER_CTX_free(ctx);
    if (good)
        buffer_add(out, room.data, (size_t)(first + last));
    else
        (void)x509_error(&(struct error)ERROR_INIT, ""); /* empties OpenSSL's list */
    return good ? 0 : -1;
}
