/* Disks whose partition tables are damaged, each in one way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "builder/image/partition-fixture.h"
#include "builder/image/partition.h"

#define GPT "label: gpt\nstart=2048, size=2048\nstart=4096, size=2048\n"
#define MBR                                                                                        \
    "label: dos\nstart=2048, size=2048, type=83\nstart=4096, size=10240, type=5\n"                 \
    "start=5120, size=1024, type=83\nstart=7168, size=1024, type=83\n"

#define GPT_REPAIR "; sgdisk or gdisk repairs it from the copy at the disk's end"

static void refuse(const char *message)
{
    struct error err = ERROR_INIT;
    struct partitions all = {.count = 0};
    struct blocks *blocks = open_raw("disk");
    assert_int_equal(partitions_read(blocks, &all, &err), -1);
    close_raw(blocks);
    assert_null(all.items);
    assert_string_equal(err.text, message);
}

/* One number of the first copy of a GPT that is wrong; the checksums are right. */
static void damaged_gpt_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t at, value;
        size_t n;
        const char *message;
    } cases[] = {
        {GPT_OWN, 2, 8, "the GPT is damaged: its header contradicts itself" GPT_REPAIR},
        {GPT_FIRST, 16351, 8, "the GPT is damaged: its header contradicts itself" GPT_REPAIR},
        {GPT_COPY, 20479, 8,
         "the GPT is that of a disk of 20480 sectors, and the image has 16384: was it cut short?"},
        {GPT_LAST, 16384, 8,
         "the GPT is that of a disk of 16384 sectors, and the image has 16384: was it cut short?"},
        {GPT_COUNT + 4, 256, 4, "the GPT has entries of 256 bytes; 128 is what is read here"},
        {GPT_COUNT, 0xffffffff, 4,
         "the GPT's entries lie outside of the first MiB, or among the partitions"},
        {GPT_COUNT, 8192, 4,
         "the GPT's entries lie outside of the first MiB, or among the partitions"},
        {GPT_ENTRIES_AT, 1, 8,
         "the GPT's entries lie outside of the first MiB, or among the partitions"},
        {GPT_ENTRIES_AT, 1ULL << 63, 8,
         "the GPT's entries lie outside of the first MiB, or among the partitions"},
        {GPT_ENTRY_FIRST, 33, 8,
         "partition 1 (sectors 33 to 4095) is not within the sectors 2048 to 16350 that the GPT "
         "has for partitions"},
        {GPT_ENTRY_LAST, 16351, 8,
         "partition 1 (sectors 2048 to 16351) is not within the sectors 2048 to 16350 that the GPT "
         "has for partitions"},
        {GPT_ENTRY_LAST, 2047, 8,
         "partition 1 (sectors 2048 to 2047) is not within the sectors 2048 to 16350 that the GPT "
         "has for partitions"},
        {GPT_ENTRY_LAST, UINT64_MAX, 8,
         "partition 1 (sectors 2048 to 18446744073709551615) is not within the sectors 2048 to "
         "16350 that the GPT has for partitions"},
        {GPT_ENTRY_LAST, 4096, 8, "partitions 1 and 2 overlap"},
        {GPT_ENTRY_LAST, 16350, 8, "partitions 1 and 2 overlap"},
    };
    make_disk("whole", "8M", GPT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RUN("cp", "whole", "disk");
        poke_number("disk", cases[i].at, cases[i].value, cases[i].n);
        seal_gpt("disk");
        refuse(cases[i].message);
    }
}

static void wrong_checksums_are_refused(void **state)
{
    (void)state;
    make_disk("whole", "8M", GPT);
    RUN("cp", "whole", "disk");
    poke("disk", GPT_HEADER + 60, "x", 1);
    refuse("the GPT is damaged: no whole header in sector 1" GPT_REPAIR);
    RUN("cp", "whole", "disk");
    poke("disk", GPT_HEADER, "x", 1);
    refuse("the GPT is damaged: no whole header in sector 1" GPT_REPAIR);
    RUN("cp", "whole", "disk");
    poke_number("disk", GPT_HEADER + 12, 600, 4);
    refuse("the GPT is damaged: no whole header in sector 1" GPT_REPAIR);
    RUN("cp", "whole", "disk");
    poke("disk", GPT_ENTRY + 60, "x", 1);
    refuse("the GPT is damaged: wrong checksum of its entries" GPT_REPAIR);
}

static void cut_disks_are_refused(void **state)
{
    (void)state;
    make_disk("disk", "8M", GPT);
    RUN("truncate", "-s", "7M", "disk");
    refuse("the GPT is that of a disk of 16384 sectors, and the image has 14336: was it cut "
           "short?");
    make_disk("disk", "8M", MBR);
    RUN("truncate", "-s", "1536K", "disk");
    refuse("partition 2 reaches beyond the end of the disk");
    RUN("truncate", "-s", "100", "disk");
    refuse("no disk: 100 bytes are too few");
    RUN("truncate", "-s", "0", "disk");
    refuse("no disk: 0 bytes are too few");
}

static void large_sectors_are_refused(void **state)
{
    (void)state;
    char header[512];
    make_disk("disk", "8M", GPT);
    peek("disk", GPT_HEADER, header, sizeof header);
    poke("disk", 4096, header, sizeof header);
    poke("disk", GPT_HEADER, (char[512]){0}, 512);
    refuse("the GPT is for sectors of 4096 bytes; 512 is needed");
}

/* One number of an MBR, or of the first table of logical partitions (in sector 4096). */
static void damaged_mbr_is_refused(void **state)
{
    (void)state;
    enum { ENTRY1 = 446, ENTRY2 = ENTRY1 + 16, START = 8, SIZE = 12, LOGICAL = 4096 * 512 };
    static const struct {
        uint64_t at, value;
        size_t n;
        const char *message;
    } cases[] = {
        {ENTRY1 + SIZE, 2049, 4, "partitions 1 and 2 overlap"},
        {ENTRY1 + SIZE, 0xffffffff, 4, "partition 1 reaches beyond the end of the disk"},
        {ENTRY1 + START, 0, 4, "partition 1: 2048 sectors from sector 0 are none"},
        {ENTRY1 + START, 16384, 4, "partition 1 reaches beyond the end of the disk"},
        {ENTRY2 + SIZE, 20000, 4, "partition 2 reaches beyond the end of the disk"},
        {ENTRY2 + SIZE, 2000, 4, "the chain of logical partitions leaves its extended partition"},
        {LOGICAL + ENTRY1 + SIZE, 10240, 4, "logical partition 5 is not within the extended one"},
        {LOGICAL + ENTRY1 + SIZE, 4096, 4, "partitions 5 and 6 overlap"},
        {LOGICAL + ENTRY2 + START, 10240, 4,
         "the chain of logical partitions leaves its extended partition"},
        {LOGICAL + ENTRY2 + START, 1, 4,
         "the chain of logical partitions is damaged at sector 4097"},
        {LOGICAL + 510, 0, 2, "the chain of logical partitions is damaged at sector 4096"},
    };
    make_disk("whole", "8M", MBR);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RUN("cp", "whole", "disk");
        poke_number("disk", cases[i].at, cases[i].value, cases[i].n);
        refuse(cases[i].message);
    }
}

static void endless_chains_are_refused(void **state)
{
    (void)state;
    make_disk("disk", "8M", MBR);
    /* The second table of logical partitions links to itself. */
    unsigned char link[16];
    peek("disk", 4096 * 512 + 462, link, sizeof link);
    uint32_t second;
    memcpy(&second, link + 8, sizeof second);
    poke("disk", (4096ULL + second) * 512 + 462, link, sizeof link);
    refuse("the chain of logical partitions does not end");
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct buffer script AUTO_BUFFER = buffer_heap();
    buffer_puts(&script, "label: gpt\ntable-length: 130\n");
    for (unsigned i = 0; i < 129; i++)
        buffer_printf(&script, "start=%u, size=8\n", 2048 + 8 * i);
    make_disk("disk", "8M", script.data);
    refuse("more than 128 partitions");
}

static void other_tables_are_refused(void **state)
{
    (void)state;
    make_disk("disk", "8M", "label: sun\n1: start=0, size=4096\n");
    refuse("a partition table of the type sun; GPT or MBR is needed");
    make_disk("disk", "8M", "label: sgi\n");
    refuse("a partition table of the type sgi; GPT or MBR is needed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(damaged_gpt_is_refused), TEST(wrong_checksums_are_refused),
        TEST(cut_disks_are_refused),  TEST(large_sectors_are_refused),
        TEST(damaged_mbr_is_refused), TEST(endless_chains_are_refused),
        TEST(too_many_are_refused),   TEST(other_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
