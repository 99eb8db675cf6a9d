/* Logs made by hand, without checksums: those that debugfs writes are in journal-test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/ext4/log.h"

enum { BLOCK = 1024, BLOCKS = 32, FIRST = 1, MAGIC = (int)0xc03b3998 };

static unsigned char image[BLOCKS][BLOCK];
static uint32_t at, sequence, fails;

static void set32(unsigned char *bytes, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (24 - 8 * i));
}

static unsigned char *head(uint32_t block, uint32_t type, uint32_t of)
{
    unsigned char *bytes = image[block];
    memset(bytes, 0, BLOCK);
    set32(bytes, (uint32_t)MAGIC);
    set32(bytes + 4, type);
    set32(bytes + 8, of);
    return bytes;
}

static void super(uint32_t start, uint32_t first_sequence)
{
    memset(image, 0, sizeof image);
    unsigned char *s = head(0, 4, 0);
    set32(s + 12, BLOCK);
    set32(s + 16, BLOCKS);
    set32(s + 20, FIRST);
    set32(s + 24, first_sequence);
    set32(s + 28, start);
    set32(s + 40, 1); /* revocations */
    at = start;
    sequence = first_sequence;
    fails = BLOCKS;
}

static void next(void)
{
    at = at + 1 == BLOCKS ? FIRST : at + 1;
}

/* A descriptor and the block that it names. */
static void write_block(uint32_t block, uint32_t flags)
{
    unsigned char *d = head(at, 1, sequence);
    set32(d + 12, block);
    d[12 + 7] = (unsigned char)(flags | 8 | 2); /* the last one; no UUID */
    next();
    image[at][0] = 'd';
    next();
}

static void revoke(uint32_t block)
{
    unsigned char *r = head(at, 5, sequence);
    set32(r + 12, 20);
    set32(r + 16, block);
    next();
}

static void commit(void)
{
    head(at, 2, sequence++);
    next();
}

static int read_block(void *ctx, uint32_t block, void *bytes, struct error *err)
{
    (void)ctx;
    assert_true(block < BLOCKS);
    if (block == fails)
        return error_set(err, "no such block");
    memcpy(bytes, image[block], BLOCK);
    return 0;
}

static const struct log_file file = {.read = read_block, .block_size = BLOCK, .blocks = BLOCKS};

static struct log_blocks read_log(void)
{
    struct log_blocks out = {.count = 0};
    struct error err = ERROR_INIT;
    if (log_read(&file, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void refuse(const char *message)
{
    struct log_blocks out = {.count = 0};
    struct error err = ERROR_INIT;
    assert_int_equal(log_read(&file, &out, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void an_empty_log_holds_nothing(void **state)
{
    (void)state;
    super(0, 7);
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 0);
}

static void the_last_content_of_a_block_counts(void **state)
{
    (void)state;
    super(1, 7);
    write_block(300, 0); /* at 2 */
    write_block(100, 1); /* at 4 */
    commit();
    write_block(300, 0); /* at 7 */
    commit();
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 2);
    assert_int_equal(out.items[0].block, 100);
    assert_int_equal(out.items[0].at, 4);
    assert_true(out.items[0].escaped);
    assert_int_equal(out.items[1].block, 300);
    assert_int_equal(out.items[1].at, 7);
    assert_false(out.items[1].escaped);
}

static void what_was_not_committed_does_not_count(void **state)
{
    (void)state;
    super(1, 7);
    write_block(100, 0);
    commit();
    write_block(200, 0);
    revoke(100);
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 1);
    assert_int_equal(out.items[0].block, 100);
}

static void revoked_blocks_do_not_come_back(void **state)
{
    (void)state;
    super(1, 7);
    write_block(100, 0);
    write_block(200, 0);
    write_block(300, 0);
    commit();
    revoke(100);
    revoke(200);
    commit();
    write_block(200, 0); /* anew */
    commit();
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 2);
    assert_int_equal(out.items[0].block, 200);
    assert_int_equal(out.items[1].block, 300);
}

static void the_log_is_a_ring(void **state)
{
    (void)state;
    super(BLOCKS - 1, UINT32_MAX); /* the sequence wraps, too */
    write_block(100, 0);           /* its content is the first block of the ring */
    commit();
    revoke(100);
    write_block(200, 0);
    commit();
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 1);
    assert_int_equal(out.items[0].block, 200);
    assert_int_equal(out.items[0].at, 5);
}

/* Descriptors without an end, all of one transaction. */
static void a_ring_without_an_end_ends(void **state)
{
    (void)state;
    super(1, 7);
    for (uint32_t i = FIRST; i < BLOCKS; i++)
        head(i, 5, 7);
    struct log_blocks out AUTO_LOG_BLOCKS = read_log();
    assert_int_equal(out.count, 0);
}

static void damage_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint32_t value;
        const char *message;
    } cases[] = {
        {0, 1, "it has no superblock"},
        {4, 1, "it has no superblock"},
        {12, 4096, "contradicts itself"},
        {16, BLOCKS + 1, "contradicts itself"},
        {20, 0, "contradicts itself"},
        {20, BLOCKS, "contradicts itself"},
        {28, BLOCKS, "contradicts itself"},
        {40, 1 << 20, "features that are unknown here (0x100000)"},
        {40, 16, "the checksum of its superblock is wrong"},
        {40, 32, "contradicts itself"}, /* fast commits in a log that has no room for them */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        super(1, 7);
        set32(image[0] + cases[i].offset, cases[i].value);
        refuse(cases[i].message);
    }
    super(1, 7);
    write_block(100, 0);
    fails = 3;
    refuse("no such block");
}

static void the_magic_number_comes_back(void **state)
{
    (void)state;
    unsigned char bytes[8] = {0, 0, 0, 0, 1, 2, 3, 4};
    log_unescape(bytes);
    assert_memory_equal(bytes, "\xc0\x3b\x39\x98\x01\x02\x03\x04", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_log_holds_nothing),
        cmocka_unit_test(the_last_content_of_a_block_counts),
        cmocka_unit_test(what_was_not_committed_does_not_count),
        cmocka_unit_test(revoked_blocks_do_not_come_back),
        cmocka_unit_test(the_log_is_a_ring),
        cmocka_unit_test(a_ring_without_an_end_ends),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(the_magic_number_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
