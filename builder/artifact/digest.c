#include "builder/artifact/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "builder/heap.h"

enum { CHUNK = 256 * 1024 };

static void context_free_at(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static void algorithm_free_at(EVP_MD **md)
{
    EVP_MD_free(*md);
}

static int hash_all(int fd, EVP_MD_CTX *ctx, struct progress *progress, struct error *err)
{
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, chunk, CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "read");
        if (n == 0)
            return 0;
        if (!EVP_DigestUpdate(ctx, chunk, (size_t)n))
            return error_set(err, "OpenSSL cannot hash");
        progress_add(progress, (uint64_t)n);
        at += n;
    }
}

int digest_fd(int fd, const char *algorithm, struct progress *progress,
              char hex[static DIGEST_HEX_MAX], struct error *err)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD *md __attribute__((cleanup(algorithm_free_at))) = EVP_MD_fetch(NULL, algorithm, NULL);
    EVP_MD_CTX *ctx __attribute__((cleanup(context_free_at))) = EVP_MD_CTX_new();
    if (!md || !ctx || !EVP_DigestInit_ex2(ctx, md, NULL))
        return error_set(err, "OpenSSL has no %s here", algorithm);
    if (hash_all(fd, ctx, progress, err) < 0)
        return -1;
    if (!EVP_DigestFinal_ex(ctx, raw, &len) || len * 2 >= DIGEST_HEX_MAX)
        return error_set(err, "OpenSSL cannot compute %s", algorithm);
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", raw[i]);
    return 0;
}
