#include "builder/pki/cms.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "builder/heap.h"

enum { VERSION_PASSWORD = 0, VERSION_ENVELOPED = 3, RECIPIENT_PASSWORD = 3 };

/* PasswordRecipientInfo */
typedef struct {
    int32_t version;
    X509_ALGOR *derivation;
    X509_ALGOR *wrapping; /* PWRI-KEK; its parameter is a cipher */
    ASN1_OCTET_STRING *key;
} NB_PASSWORD;

/* RecipientInfo, of which there is one kind here. */
typedef struct {
    int type;
    union {
        NB_PASSWORD *password;
    } d;
} NB_RECIPIENT;
#ifndef __cppcheck__ /* which does not know the macros of OpenSSL */
DEFINE_STACK_OF(NB_RECIPIENT)
#endif

/* EncryptedContentInfo */
typedef struct {
    ASN1_OBJECT *type;
    X509_ALGOR *cipher;
    ASN1_OCTET_STRING *bytes;
} NB_CONTENT;

/* EnvelopedData */
typedef struct {
    int32_t version;
    STACK_OF(NB_RECIPIENT) * recipients;
    NB_CONTENT *content;
} NB_ENVELOPED;

/* ContentInfo */
typedef struct {
    ASN1_OBJECT *type;
    NB_ENVELOPED *enveloped;
} NB_CMS;

#ifndef __cppcheck__
/* clang-format off */
ASN1_SEQUENCE(NB_PASSWORD) = {
    ASN1_EMBED(NB_PASSWORD, version, INT32),
    ASN1_IMP(NB_PASSWORD, derivation, X509_ALGOR, 0),
    ASN1_SIMPLE(NB_PASSWORD, wrapping, X509_ALGOR),
    ASN1_SIMPLE(NB_PASSWORD, key, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(NB_PASSWORD)

ASN1_CHOICE(NB_RECIPIENT) = {
    ASN1_IMP(NB_RECIPIENT, d.password, NB_PASSWORD, RECIPIENT_PASSWORD),
} static_ASN1_CHOICE_END(NB_RECIPIENT)

ASN1_SEQUENCE(NB_CONTENT) = {
    ASN1_SIMPLE(NB_CONTENT, type, ASN1_OBJECT),
    ASN1_SIMPLE(NB_CONTENT, cipher, X509_ALGOR),
    ASN1_IMP(NB_CONTENT, bytes, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END(NB_CONTENT)

ASN1_SEQUENCE(NB_ENVELOPED) = {
    ASN1_EMBED(NB_ENVELOPED, version, INT32),
    ASN1_SET_OF(NB_ENVELOPED, recipients, NB_RECIPIENT),
    ASN1_SIMPLE(NB_ENVELOPED, content, NB_CONTENT),
} static_ASN1_SEQUENCE_END(NB_ENVELOPED)

ASN1_SEQUENCE(NB_CMS) = {
    ASN1_SIMPLE(NB_CMS, type, ASN1_OBJECT),
    ASN1_EXP(NB_CMS, enveloped, NB_ENVELOPED, 0),
} static_ASN1_SEQUENCE_END(NB_CMS)
/* clang-format on */
#endif

                                        static void free_at(NB_CMS * *cms)
{
    ASN1_item_free((ASN1_VALUE *)*cms, ASN1_ITEM_rptr(NB_CMS));
}
#define AUTO_CMS __attribute__((cleanup(free_at)))

void cms_text_free(struct cms_text *text)
{
    buffer_free(&text->bytes);
}

/* Is it AES-256-CBC? Copies its first block. */
static bool read_cipher(const X509_ALGOR *algorithm, unsigned char iv[CMS_IV])
{
    const ASN1_OBJECT *oid;
    const void *value;
    int type;
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    if (OBJ_obj2nid(oid) != NID_aes_256_cbc || type != V_ASN1_OCTET_STRING ||
        ASN1_STRING_length(value) != CMS_IV)
        return false;
    memcpy(iv, ASN1_STRING_get0_data(value), CMS_IV);
    return true;
}

static bool read_password(const NB_PASSWORD *p, struct cms_text *out)
{
    const ASN1_OBJECT *oid;
    X509_ALGOR_get0(&oid, NULL, NULL, p->wrapping);
    X509_ALGOR *cipher =
        OBJ_obj2nid(oid) == NID_id_alg_PWRI_KEK && p->wrapping->parameter
            ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), p->wrapping->parameter)
            : NULL;
    bool good = cipher && read_cipher(cipher, out->wrap_iv) &&
                derivation_read(p->derivation, &out->how) == 0 &&
                ASN1_STRING_length(p->key) == CMS_WRAPPED;
    X509_ALGOR_free(cipher);
    if (good)
        memcpy(out->wrapped, ASN1_STRING_get0_data(p->key), CMS_WRAPPED);
    return good;
}

static bool read_all(const NB_CMS *cms, struct cms_text *out)
{
    const NB_ENVELOPED *e = cms->enveloped;
    if (OBJ_obj2nid(cms->type) != NID_pkcs7_enveloped || e->version != VERSION_ENVELOPED ||
        sk_NB_RECIPIENT_num(e->recipients) != 1 ||
        !read_password(sk_NB_RECIPIENT_value(e->recipients, 0)->d.password, out) ||
        OBJ_obj2nid(e->content->type) != NID_pkcs7_data ||
        !read_cipher(e->content->cipher, out->iv))
        return false;
    buffer_add(&out->bytes, ASN1_STRING_get0_data(e->content->bytes),
               (size_t)ASN1_STRING_length(e->content->bytes));
    return true;
}

int cms_parse(const struct buffer *pem, struct cms_text *out)
{
    NB_CMS *cms AUTO_CMS = NULL;
    unsigned char *der = NULL;
    char *name = NULL, *header = NULL;
    long n = 0;
    *out = (struct cms_text){.bytes = buffer_heap()};
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    if (bio && PEM_read_bio(bio, &name, &header, &der, &n) && strcmp(name, PEM_STRING_CMS) == 0) {
        const unsigned char *at = der;
        cms = (NB_CMS *)ASN1_item_d2i(NULL, &at, n, ASN1_ITEM_rptr(NB_CMS));
    }
    BIO_free_all(bio);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    int result = cms && read_all(cms, out) ? 0 : -1;
    ERR_clear_error();
    return result;
}

static bool set_cipher(X509_ALGOR *algorithm, const unsigned char iv[CMS_IV])
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    if (value && ASN1_OCTET_STRING_set(value, iv, CMS_IV) &&
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_aes_256_cbc), V_ASN1_OCTET_STRING, value))
        return true;
    ASN1_OCTET_STRING_free(value);
    return false;
}

static bool set_wrapping(X509_ALGOR *algorithm, const unsigned char iv[CMS_IV])
{
    X509_ALGOR *cipher = X509_ALGOR_new();
    ASN1_TYPE *packed = NULL;
    bool good = cipher && set_cipher(cipher, iv) &&
                ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(X509_ALGOR), cipher, &packed);
    X509_ALGOR_free(cipher);
    if (!good)
        return false;
    ASN1_OBJECT_free(algorithm->algorithm);
    algorithm->algorithm = OBJ_nid2obj(NID_id_alg_PWRI_KEK);
    ASN1_TYPE_free(algorithm->parameter);
    algorithm->parameter = packed;
    return true;
}

static bool set_password(NB_PASSWORD *p, const struct cms_text *text)
{
    const struct derivation *how = &text->how;
    X509_ALGOR *pbkdf2 =
        PKCS5_pbkdf2_set(how->rounds, (unsigned char *)how->salt, (int)how->salt_len, how->prf, -1);
    if (!pbkdf2)
        return false;
    X509_ALGOR_free(p->derivation);
    p->derivation = pbkdf2;
    p->version = VERSION_PASSWORD;
    return set_wrapping(p->wrapping, text->wrap_iv) &&
           ASN1_OCTET_STRING_set(p->key, text->wrapped, CMS_WRAPPED);
}

static bool add_recipient(NB_ENVELOPED *e, const struct cms_text *text)
{
    NB_RECIPIENT *r = (NB_RECIPIENT *)ASN1_item_new(ASN1_ITEM_rptr(NB_RECIPIENT));
    if (!r || !sk_NB_RECIPIENT_push(e->recipients, r)) {
        ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(NB_RECIPIENT));
        return false;
    }
    r->type = 0;
    r->d.password = (NB_PASSWORD *)ASN1_item_new(ASN1_ITEM_rptr(NB_PASSWORD));
    return r->d.password && set_password(r->d.password, text);
}

static bool set_all(NB_CMS *cms, const struct cms_text *text)
{
    NB_ENVELOPED *e = cms->enveloped;
    cms->type = OBJ_nid2obj(NID_pkcs7_enveloped);
    e->version = VERSION_ENVELOPED;
    e->content->type = OBJ_nid2obj(NID_pkcs7_data);
    return add_recipient(e, text) && set_cipher(e->content->cipher, text->iv) &&
           ASN1_OCTET_STRING_set(e->content->bytes, (const unsigned char *)text->bytes.data,
                                 (int)text->bytes.len);
}

static void add_bio(BIO *bio, struct buffer *out)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    buffer_add(out, bytes, (size_t)n);
}

int cms_print(const struct cms_text *text, struct buffer *out)
{
    NB_CMS *cms AUTO_CMS = (NB_CMS *)ASN1_item_new(ASN1_ITEM_rptr(NB_CMS));
    unsigned char *der = NULL;
    int n = cms && set_all(cms, text)
                ? ASN1_item_i2d((const ASN1_VALUE *)cms, &der, ASN1_ITEM_rptr(NB_CMS))
                : -1;
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = n > 0 && bio && PEM_write_bio(bio, PEM_STRING_CMS, "", der, n);
    if (good)
        add_bio(bio, out);
    BIO_free_all(bio);
    OPENSSL_free(der);
    return good ? 0 : -1;
}
