#include "builder/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "builder/heap.h"

enum { CHUNK = 256 * 1024 };

struct digest {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->ctx);
    EVP_MD_free(digest->md);
    free(digest);
}

static void digest_free_at(struct digest **digest)
{
    digest_free(*digest);
}
#define AUTO_DIGEST __attribute__((cleanup(digest_free_at)))

int digest_begin(const char *algorithm, struct digest **out, struct error *err)
{
    struct digest *digest AUTO_DIGEST = heap_array(1, sizeof *digest);
    digest->md = EVP_MD_fetch(NULL, algorithm, NULL);
    digest->ctx = EVP_MD_CTX_new();
    if (!digest->md || !digest->ctx || !EVP_DigestInit_ex2(digest->ctx, digest->md, NULL))
        return error_set(err, "OpenSSL has no %s here", algorithm);
    *out = steal(digest);
    return 0;
}

int digest_add(struct digest *digest, const void *bytes, size_t n, struct error *err)
{
    if (n && !EVP_DigestUpdate(digest->ctx, bytes, n))
        return error_set(err, "OpenSSL cannot hash");
    return 0;
}

int digest_finish(struct digest *digest, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_DigestFinal_ex(digest->ctx, raw, &len) || len * 2 >= DIGEST_HEX_MAX)
        return error_set(err, "OpenSSL cannot hash");
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", raw[i]);
    return 0;
}

static int add_file(struct digest *digest, int fd, struct progress *progress, struct error *err)
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
        if (digest_add(digest, chunk, (size_t)n, err) < 0)
            return -1;
        progress_add(progress, (uint64_t)n);
        at += n;
    }
}

int digest_fd(int fd, const char *algorithm, struct progress *progress,
              char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct digest *digest AUTO_DIGEST = NULL;
    if (digest_begin(algorithm, &digest, err) < 0 || add_file(digest, fd, progress, err) < 0)
        return -1;
    return digest_finish(digest, hex, err);
}

int digest_memory(const void *bytes, size_t n, const char *algorithm,
                  char hex[static DIGEST_HEX_MAX], struct error *err)
{
    struct digest *digest AUTO_DIGEST = NULL;
    if (digest_begin(algorithm, &digest, err) < 0 || digest_add(digest, bytes, n, err) < 0)
        return -1;
    return digest_finish(digest, hex, err);
}
