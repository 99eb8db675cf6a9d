#include "builder/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "builder/heap.h"

enum { CHUNK = 256 * 1024 };

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

/* One hash under way. */
struct hash {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

static void hash_free(struct hash *hash)
{
    EVP_MD_CTX_free(hash->ctx);
    EVP_MD_free(hash->md);
}

static int hash_start(struct hash *hash, const char *algorithm, struct error *err)
{
    hash->md = EVP_MD_fetch(NULL, algorithm, NULL);
    hash->ctx = EVP_MD_CTX_new();
    if (!hash->md || !hash->ctx || !EVP_DigestInit_ex2(hash->ctx, hash->md, NULL))
        return error_set(err, "OpenSSL has no %s here", algorithm);
    return 0;
}

static int hash_end(struct hash *hash, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_DigestFinal_ex(hash->ctx, raw, &len) || len * 2 >= DIGEST_HEX_MAX)
        return error_set(err, "OpenSSL cannot hash");
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", raw[i]);
    return 0;
}

int digest_fd(int fd, const char *algorithm, struct progress *progress,
              char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct hash hash __attribute__((cleanup(hash_free))) = {0};
    if (hash_start(&hash, algorithm, err) < 0 || hash_all(fd, hash.ctx, progress, err) < 0)
        return -1;
    return hash_end(&hash, hex, err);
}

int digest_memory(const void *bytes, size_t n, const char *algorithm,
                  char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct hash hash __attribute__((cleanup(hash_free))) = {0};
    if (hash_start(&hash, algorithm, err) < 0)
        return -1;
    if (n && !EVP_DigestUpdate(hash.ctx, bytes, n))
        return error_set(err, "OpenSSL cannot hash");
    return hash_end(&hash, hex, err);
}
