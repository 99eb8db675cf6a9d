#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <openssl/cms.h> /* wants pem.h first */

#include "builder/heap.h"
#include "builder/pki/cms.h"
#include "builder/pki/passphrase-fixture.h"
#include "builder/pki/seal.h"
#include "builder/pki/x509.h"

static char right[] = "right passphrase", wrong[] = "wrong passphrase";
static struct buffer key_pem, ec_pem; /* plain */

static void expect(int result, const struct error *err)
{
    if (result < 0)
        fail_msg("%s", err->text);
}

static void same(const struct buffer *a, const struct buffer *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len)
        assert_memory_equal(a->data, b->data, a->len);
}

static struct buffer sealed_key(const struct buffer *pem)
{
    struct error err = ERROR_INIT;
    struct buffer out = buffer_heap();
    give(PASSPHRASE_NOW, right);
    expect(seal_key(PASSPHRASE_NOW, pem, &out, &err), &err);
    return out;
}

static struct buffer sealed_text(const char *text, size_t n)
{
    struct error err = ERROR_INIT;
    struct buffer plain AUTO_BUFFER = buffer_heap(), out = buffer_heap();
    buffer_add(&plain, text, n);
    expect(seal_text(PASSPHRASE_NOW, &plain, &out, &err), &err);
    return out;
}

static void keys_come_back(void **state)
{
    (void)state;
    const struct buffer *const keys[] = {&key_pem, &ec_pem};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct error err = ERROR_INIT;
        struct buffer sealed AUTO_BUFFER = sealed_key(keys[i]), plain AUTO_BUFFER = buffer_heap();
        assert_true(seal_is_encrypted(&sealed));
        assert_false(seal_is_encrypted(keys[i]));
        expect(unseal_key(PASSPHRASE_NOW, &sealed, &plain, &err), &err);
        same(&plain, keys[i]);
    }
}

static void openssl_opens_keys(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer sealed AUTO_BUFFER = sealed_key(&key_pem), plain AUTO_BUFFER = buffer_heap();
    BIO *bio = BIO_new_mem_buf(sealed.data, (int)sealed.len);
    EVP_PKEY *key AUTO_KEY = PEM_read_bio_PrivateKey(bio, NULL, NULL, right);
    BIO_free_all(bio);
    assert_non_null(key);
    expect(x509_key_print(key, &plain, &err), &err);
    same(&plain, &key_pem);
}

/* `openssl genpkey -aes128`: another cipher, fewer rounds. */
static void keys_of_openssl_are_opened(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer sealed AUTO_BUFFER = buffer_heap(), plain AUTO_BUFFER = buffer_heap();
    EVP_PKEY *key AUTO_KEY = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    expect(x509_key_parse(&key_pem, &key, &err), &err);
    assert_true(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), right,
                                              (int)strlen(right), NULL, NULL));
    long n = BIO_get_mem_data(bio, &bytes);
    buffer_add(&sealed, bytes, (size_t)n);
    BIO_free_all(bio);
    give(PASSPHRASE_NOW, right);
    expect(unseal_key(PASSPHRASE_NOW, &sealed, &plain, &err), &err);
    same(&plain, &key_pem);
    give(PASSPHRASE_NOW, wrong);
    assert_int_equal(unseal_key(PASSPHRASE_NOW, &sealed, &plain, &err), -1);
}

static void texts_come_back(void **state)
{
    (void)state;
    static char text[70000];
    static const size_t lengths[] = {0, 1, 15, 16, 17, 4096, sizeof text};
    memset(text, 'a', sizeof text);
    give(PASSPHRASE_NOW, right);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct error err = ERROR_INIT;
        struct buffer sealed AUTO_BUFFER = sealed_text(text, lengths[i]),
                             plain AUTO_BUFFER = buffer_heap();
        assert_null(strstr(sealed.data, "aaaa"));
        expect(unseal_text(PASSPHRASE_NOW, &sealed, &plain, &err), &err);
        assert_int_equal(plain.len, lengths[i]);
        assert_true(plain.len == 0 || memcmp(plain.data, text, plain.len) == 0);
    }
}

static void openssl_opens_texts(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, right);
    struct buffer sealed AUTO_BUFFER = sealed_text("kind: Config\n", 13);
    char *bytes;
    BIO *in = BIO_new_mem_buf(sealed.data, (int)sealed.len), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = PEM_read_bio_CMS(in, NULL, NULL, NULL);
    assert_non_null(cms);
    assert_true(
        CMS_decrypt_set1_password(cms, (unsigned char *)right, (ossl_ssize_t)strlen(right)));
    assert_true(CMS_decrypt(cms, NULL, NULL, NULL, out, 0));
    assert_int_equal(BIO_get_mem_data(out, &bytes), 13);
    assert_memory_equal(bytes, "kind: Config\n", 13);
    CMS_ContentInfo_free(cms);
    BIO_free_all(in);
    BIO_free_all(out);
}

/* One derivation for all, and no two files that look alike. */
static void files_share_the_derivation_only(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, right);
    struct cms_text a AUTO_CMS_TEXT, b AUTO_CMS_TEXT;
    struct buffer one AUTO_BUFFER = sealed_text("kind: Config\n", 13),
                      two AUTO_BUFFER = sealed_text("kind: Config\n", 13);
    assert_int_equal(cms_parse(&one, &a), 0);
    assert_int_equal(cms_parse(&two, &b), 0);
    assert_int_equal(a.how.rounds, ROUNDS_OWN);
    assert_int_equal(a.how.salt_len, SALT_OWN);
    assert_memory_equal(a.how.salt, b.how.salt, SALT_OWN);
    assert_memory_not_equal(a.iv, b.iv, CMS_IV);
    assert_memory_not_equal(a.wrap_iv, b.wrap_iv, CMS_IV);
    assert_memory_not_equal(a.bytes.data, b.bytes.data, CMS_IV);
    give(PASSPHRASE_NOW, right);
    struct cms_text c AUTO_CMS_TEXT;
    struct buffer later AUTO_BUFFER = sealed_text("kind: Config\n", 13);
    assert_int_equal(cms_parse(&later, &c), 0);
    assert_memory_not_equal(a.how.salt, c.how.salt, SALT_OWN);
}

static void another_passphrase_opens_nothing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer key AUTO_BUFFER = sealed_key(&key_pem), text AUTO_BUFFER = sealed_text("abc", 3),
                      out AUTO_BUFFER = buffer_heap();
    give(PASSPHRASE_NOW, wrong);
    assert_int_equal(unseal_key(PASSPHRASE_NOW, &key, &out, &err), -1);
    assert_string_equal(err.text, "the passphrase does not open it");
    assert_int_equal(unseal_text(PASSPHRASE_NOW, &text, &out, &err), -1);
    assert_string_equal(err.text, "the passphrase does not open it");
    passphrase_forget();
    assert_int_equal(unseal_key(PASSPHRASE_NOW, &key, &out, &err), -1);
    assert_string_equal(err.text, "it is encrypted: give --passphrase-file or --passphrase-fd");
    assert_int_equal(unseal_text(PASSPHRASE_NOW, &text, &out, &err), -1);
    assert_string_equal(err.text, "it is encrypted: give --passphrase-file or --passphrase-fd");
    assert_int_equal(out.len, 0);
}

/* What is cut anywhere is refused; so is another form. */
static void what_is_damaged_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer key AUTO_BUFFER = sealed_key(&ec_pem), text AUTO_BUFFER = sealed_text("abc", 3);
    struct buffer out AUTO_BUFFER = buffer_heap();
    for (size_t n = 0; n + 2 < key.len; n += 3) {
        struct buffer cut AUTO_BUFFER = buffer_heap();
        buffer_add(&cut, key.data, n);
        assert_int_equal(unseal_key(PASSPHRASE_NOW, &cut, &out, &err), -1);
    }
    for (size_t n = 0; n + 2 < text.len; n += 3) {
        struct buffer cut AUTO_BUFFER = buffer_heap();
        buffer_add(&cut, text.data, n);
        assert_int_equal(unseal_text(PASSPHRASE_NOW, &cut, &out, &err), -1);
    }
    assert_int_equal(unseal_text(PASSPHRASE_NOW, &key, &out, &err), -1);
    assert_int_equal(unseal_key(PASSPHRASE_NOW, &text, &out, &err), -1);
    assert_int_equal(unseal_key(PASSPHRASE_NOW, &key_pem, &out, &err), -1);
    assert_int_equal(seal_key(PASSPHRASE_NOW, &text, &out, &err), -1);
    assert_int_equal(out.len, 0);
}

/* A file cannot ask for hours of work. */
static void rounds_have_a_bound(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer sealed AUTO_BUFFER = buffer_heap(), out AUTO_BUFFER = buffer_heap();
    struct cms_text text AUTO_CMS_TEXT = {.bytes = buffer_heap()};
    text.how = (struct derivation){
        .salt_len = SALT_OWN, .rounds = ROUNDS_MAX + 1, .prf = NID_hmacWithSHA256};
    buffer_add(&text.bytes, text.iv, CMS_IV);
    assert_int_equal(cms_print(&text, &sealed), 0);
    give(PASSPHRASE_NOW, right);
    assert_int_equal(unseal_text(PASSPHRASE_NOW, &sealed, &out, &err), -1);
    assert_non_null(strstr(err.text, "not a CMS text in PEM form for a passphrase"));
}

static void names_tell_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum seal_kind kind;
    } names[] = {
        {"ca.pem", SEAL_NONE},
        {"ca-key.pem", SEAL_KEY},
        {"ca-old-key.pem", SEAL_KEY},
        {"worker-0.kubeconfig", SEAL_TEXT},
        {"encryption-config.yaml", SEAL_TEXT},
        {"bootstrap-token.yaml", SEAL_TEXT},
        {"-key.pem", SEAL_NONE},
        {".kubeconfig", SEAL_NONE},
        {"ca-key.pem.nodebake-tmp", SEAL_NONE},
        {"notes.yaml", SEAL_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(seal_kind_of(names[i].name), names[i].kind);
}

static int begin(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *rsa AUTO_KEY = NULL, *ec AUTO_KEY = NULL;
    key_pem = buffer_heap();
    ec_pem = buffer_heap();
    return x509_key_new(KEY_RSA_2048, &rsa, &err) < 0 || x509_key_print(rsa, &key_pem, &err) < 0 ||
                   x509_key_new(KEY_ECDSA_P256, &ec, &err) < 0 ||
                   x509_key_print(ec, &ec_pem, &err) < 0
               ? -1
               : 0;
}

static int end(void **state)
{
    (void)state;
    buffer_free(&key_pem);
    buffer_free(&ec_pem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_back),
        cmocka_unit_test(openssl_opens_keys),
        cmocka_unit_test(keys_of_openssl_are_opened),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(openssl_opens_texts),
        cmocka_unit_test(files_share_the_derivation_only),
        cmocka_unit_test(another_passphrase_opens_nothing),
        cmocka_unit_test(what_is_damaged_is_refused),
        cmocka_unit_test(rounds_have_a_bound),
        cmocka_unit_test(names_tell_secrets),
    };
    return cmocka_run_group_tests_name("seal", tests, begin, end);
}
