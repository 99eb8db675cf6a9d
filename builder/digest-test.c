/* Against the published examples of FIPS 180. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { MILLION = 1000000 };

static const struct {
    const char *algorithm, *text, *hex;
} VECTORS[] = {
    {"sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"sha512", "",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"sha512", "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};
/* "a", a million times: several reads of a file, and no whole number of them. */
static const char MILLION_HEX[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

/* A file without a name that holds the bytes; its offset is behind them. */
static int file_of(const void *bytes, size_t n)
{
    int fd = memfd_create("digest-test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, bytes, n), 0);
    return fd;
}

static void memory_has_the_published_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        struct error err = ERROR_INIT;
        char hex[DIGEST_HEX_MAX];
        const char *text = VECTORS[i].text;
        assert_int_equal(digest_memory(text, strlen(text), VECTORS[i].algorithm, hex, &err), 0);
        assert_string_equal(hex, VECTORS[i].hex);
    }
}

static void files_have_the_published_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        struct error err = ERROR_INIT;
        char hex[DIGEST_HEX_MAX];
        int fd AUTO_CLOSE = file_of(VECTORS[i].text, strlen(VECTORS[i].text));
        assert_int_equal(digest_fd(fd, VECTORS[i].algorithm, NULL, hex, &err), 0);
        assert_string_equal(hex, VECTORS[i].hex);
    }
}

static void large_files_are_read_from_their_beginning(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    char *bytes AUTO_FREE = heap_array(MILLION, 1);
    memset(bytes, 'a', MILLION);
    int fd AUTO_CLOSE = file_of(bytes, MILLION);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(digest_fd(fd, "sha256", NULL, hex, &err), 0);
        assert_string_equal(hex, MILLION_HEX);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), MILLION); /* the caller's offset stays */
    }
    assert_int_equal(digest_memory(bytes, MILLION, "sha256", hex, &err), 0);
    assert_string_equal(hex, MILLION_HEX);
}

static void every_byte_is_counted(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    char *bytes AUTO_FREE = heap_array(MILLION, 1);
    int fd AUTO_CLOSE = file_of(bytes, MILLION);
    progress_quiet();
    struct progress progress = progress_start(MILLION, "digest");
    assert_int_equal(digest_fd(fd, "sha256", &progress, hex, &err), 0);
    assert_int_equal(progress.done, MILLION);
}

static void no_memory_is_empty_memory(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    assert_int_equal(digest_memory(NULL, 0, "sha256", hex, &err), 0);
    assert_string_equal(hex, VECTORS[0].hex);
}

static void refuse_fd(int fd, const char *message)
{
    struct error err = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    assert_int_equal(digest_fd(fd, "sha256", NULL, hex, &err), -1);
    assert_string_equal(err.text, message);
}

static void what_cannot_be_read_is_refused(void **state)
{
    (void)state;
    refuse_fd(-1, "read: Bad file descriptor");
    int folder AUTO_CLOSE = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    refuse_fd(folder, "read: Is a directory");
    int write_only AUTO_CLOSE = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(write_only >= 0);
    refuse_fd(write_only, "read: Bad file descriptor");
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int out AUTO_CLOSE = ends[0];
    int in AUTO_CLOSE = ends[1];
    assert_true(in >= 0);
    refuse_fd(out, "read: Illegal seek");
}

static void unknown_algorithms_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT, of_file = ERROR_INIT;
    char hex[DIGEST_HEX_MAX];
    int fd AUTO_CLOSE = file_of("abc", 3);
    assert_int_equal(digest_memory("abc", 3, "sha257", hex, &err), -1);
    assert_string_equal(err.text, "OpenSSL has no sha257 here");
    assert_int_equal(digest_fd(fd, "sha257", NULL, hex, &of_file), -1);
    assert_string_equal(of_file.text, "OpenSSL has no sha257 here");
}

static void pieces_add_up(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct digest *digest = NULL;
    char whole[DIGEST_HEX_MAX], pieces[DIGEST_HEX_MAX];
    assert_int_equal(digest_memory("abcdef", 6, "sha256", whole, &err), 0);
    assert_int_equal(digest_begin("sha256", &digest, &err), 0);
    assert_int_equal(digest_add(digest, "a", 1, &err), 0);
    assert_int_equal(digest_add(digest, NULL, 0, &err), 0);
    assert_int_equal(digest_add(digest, "bcdef", 5, &err), 0);
    assert_int_equal(digest_finish(digest, pieces, &err), 0);
    assert_string_equal(pieces, whole);
    digest_free(digest);
    digest_free(NULL);
    assert_int_equal(digest_begin("sha257", &digest, &err), -1);
    assert_string_equal(err.text, "OpenSSL has no sha257 here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_has_the_published_digests),
        cmocka_unit_test(files_have_the_published_digests),
        cmocka_unit_test(large_files_are_read_from_their_beginning),
        cmocka_unit_test(every_byte_is_counted),
        cmocka_unit_test(no_memory_is_empty_memory),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(unknown_algorithms_are_refused),
        cmocka_unit_test(pieces_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
