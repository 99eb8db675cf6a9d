#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <signal.h>

#include "builder/pki/keygen.h"

enum { COUNT = 40 };

static void all_keys_differ(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *keys[COUNT];
    struct keygen *k = keygen_start(KEY_ECDSA_P256, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(keygen_take(k, &keys[i], &err), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(EVP_PKEY_eq(keys[i], keys[j]), 0);
    }
    EVP_PKEY *more = NULL;
    assert_int_equal(keygen_take(k, &more, &err), -1);
    keygen_stop(k);
    for (size_t i = 0; i < COUNT; i++)
        EVP_PKEY_free(keys[i]);
}

/* Whoever stops early leaves nothing behind (ASan sees), and need not wait for all. */
static void can_be_stopped(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *key AUTO_KEY = NULL;
    keygen_stop(keygen_start(KEY_RSA_2048, 0));
    struct keygen *k = keygen_start(KEY_RSA_2048, 100000);
    assert_int_equal(keygen_take(k, &key, &err), 0);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    keygen_stop(k);
}

static volatile sig_atomic_t hits;

static void count(int signal)
{
    (void)signal;
    hits++;
}

/* The threads leave signals to who started them, and its mask as it was. */
static void signals_stay(void **state)
{
    (void)state;
    sigset_t mask;
    struct sigaction action = {.sa_handler = count}, old;
    sigaction(SIGUSR1, &action, &old);
    struct keygen *k = keygen_start(KEY_RSA_2048, 2);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGUSR1), 0);
    raise(SIGUSR1);
    assert_int_equal(hits, 1);
    keygen_stop(k);
    sigaction(SIGUSR1, &old, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_differ),
        cmocka_unit_test(can_be_stopped),
        cmocka_unit_test(signals_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
